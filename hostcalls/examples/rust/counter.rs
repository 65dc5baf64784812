//! Counts its requests in the key-value store: POST counts one more, GET tells how many there were. Each visit appends
//! a byte, which the store does in one step: two visits at the same time are both counted.
use terrafirma::{kv, Request, Response};

fn answer(request: Request) -> Response {
    if request.method == "POST" {
        kv::append("visits", "x");
    }
    let visits = kv::get("visits").map_or(0, |visits| visits.len());
    Response::json(format!("{{\"visits\": {visits}}}\n"))
}
terrafirma::function!(answer);
