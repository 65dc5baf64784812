//! Fetches several pages at the same time and answers them in one JSON object, in the order in which they arrived:
//!   /proxy.wasm?url=http://a.example/&url=http://b.example/
use std::collections::HashMap;
use terrafirma::{json_string, select, Request, Response};

fn answer(request: Request) -> Response {
    let mut urls = HashMap::new();
    let mut pending = Vec::new();
    let mut pages = Vec::new();
    for url in request.query_all("url").take(16) {
        match Request::get(&url).send_async() {
            Ok(sent) => {
                urls.insert(sent.id(), url);
                pending.push(sent);
            }
            Err(_) => pages.push(format!("{}: null", json_string(&url))),
        }
    }
    while let Some((id, result)) = select(&mut pending) {
        let page = result.map_or("null".to_string(), |response| {
            json_string(&String::from_utf8_lossy(&response.body))
        });
        pages.push(format!("{}: {}", json_string(&urls[&id]), page));
    }
    let status = if pages.is_empty() { 400 } else { 200 };
    Response::json(format!("{{{}}}\n", pages.join(", "))).with_status(status)
}
terrafirma::function!(answer);
