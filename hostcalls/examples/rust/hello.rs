//! The smallest function: answers every request with the same text.
use terrafirma::{Request, Response};

fn answer(_request: Request) -> Response {
    Response::text("Hello, world!\n")
}
terrafirma::function!(answer);
