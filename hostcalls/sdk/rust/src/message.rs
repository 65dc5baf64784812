//! Requests and responses, both ways.

use crate::headers::Headers;
use crate::{memory, raw};

/// A request: the one that came in, or one to send.
#[derive(Clone, Debug)]
pub struct Request {
    /// "GET", "POST", ...
    pub method: String,
    /// Of an incoming request "/hello.wasm/rest?query", still encoded; of one to send its URL.
    pub target: String,
    /// Its fields.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

/// A response: the one to give, or one that came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// 200, 404, ...
    pub status: u16,
    /// Its fields.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
}

/// A request could not be made or sent; the function's log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError;

impl std::fmt::Display for SendError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the request could not be sent")
    }
}
impl std::error::Error for SendError {}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

type GetNames = unsafe extern "C" fn(*mut *mut raw::GuestSlice, *mut usize, i32);
type GetValues = unsafe extern "C" fn(*mut *mut raw::GuestSlice, *mut usize, i32, *const u8, usize);
type SetField = unsafe extern "C" fn(i32, *const u8, usize, *const raw::GuestSlice, usize) -> i32;

fn read_headers(handle: i32, names: GetNames, values: GetValues) -> Headers {
    let mut headers = Headers::default();
    for name in memory::list(|list, count| unsafe { names(list, count, handle) }) {
        let (pointer, length) = (name.as_ptr(), name.len());
        let all =
            memory::list(|list, count| unsafe { values(list, count, handle, pointer, length) });
        let name = text(name);
        for value in all {
            headers.append(&name, value);
        }
    }
    headers
}

/// False if the host refuses a field.
fn write_headers(handle: i32, headers: &Headers, set: SetField) -> bool {
    headers.names().into_iter().all(|name| {
        let slices = memory::slices(headers.get_all(name));
        unsafe {
            set(
                handle,
                name.as_ptr(),
                name.len(),
                slices.as_ptr(),
                slices.len(),
            ) == 0
        }
    })
}

impl Request {
    /// A request to send; `url` is absolute.
    pub fn new(method: &str, url: &str) -> Self {
        let (method, target) = (method.to_string(), url.to_string());
        Request {
            method,
            target,
            headers: Headers::default(),
            body: Vec::new(),
        }
    }

    /// A GET to send.
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// The request that this run of the program is for.
    pub fn incoming() -> Self {
        let handle = raw::INCOMING_REQUEST;
        let headers = read_headers(
            handle,
            raw::hostcall_req_get_headers,
            raw::hostcall_req_get_header,
        );
        let method = memory::value(|p, n| unsafe { raw::hostcall_req_get_method(p, n, handle) });
        let target = memory::value(|p, n| unsafe { raw::hostcall_req_get_path(p, n, handle) });
        let body = memory::value(|p, n| unsafe { raw::hostcall_req_get_body(p, n, handle) });
        Request {
            method: text(method),
            target: text(target),
            headers,
            body,
        }
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    /// The first parameter of this name in the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.query_all(name).next()
    }

    /// All of this name.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(move |parameter| {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if key == name {
                Some(decode(value))
            } else {
                None
            }
        })
    }

    /// The same request with a field.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// The same request with a body.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn create(&self) -> Result<i32, SendError> {
        let (method, url) = (&self.method, &self.target);
        let handle = unsafe {
            raw::hostcall_req_create(method.as_ptr(), method.len(), url.as_ptr(), url.len())
        };
        let is_complete = handle > 0
            && write_headers(handle, &self.headers, raw::hostcall_req_set_header)
            && unsafe {
                raw::hostcall_req_set_body(handle, self.body.as_ptr(), self.body.len()) == 0
            };
        if is_complete {
            Ok(handle)
        } else {
            Err(SendError)
        }
    }

    /// Sends it and waits for the response, whatever its status.
    pub fn send(&self) -> Result<Response, SendError> {
        let handle = self.create()?;
        Response::received(unsafe { raw::hostcall_req_send(handle) })
    }

    /// Sends it and goes on.
    pub fn send_async(&self) -> Result<Pending, SendError> {
        let handle = self.create()?;
        let pending = unsafe { raw::hostcall_req_send_async(handle) };
        if pending < 0 {
            Err(SendError)
        } else {
            Ok(Pending(pending))
        }
    }
}

/// "a%20b+c" -> "a b c"
fn decode(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |i: usize| tail.get(i).and_then(|c| (*c as char).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
                continue;
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(*byte),
        }
        rest = tail;
    }
    text(bytes)
}

impl Response {
    /// 200 with a body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Response {
            status: 200,
            headers: Headers::default(),
            body: body.into(),
        }
    }

    /// 200 with plain text.
    pub fn text(body: impl Into<String>) -> Self {
        Self::new(body.into()).with_header("content-type", "text/plain; charset=utf-8")
    }

    /// 200 with JSON, which is given as text.
    pub fn json(body: impl Into<String>) -> Self {
        Self::new(body.into()).with_header("content-type", "application/json")
    }

    /// The same response with another status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same response with a field.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.set(name, value);
        self
    }

    fn received(handle: i32) -> Result<Self, SendError> {
        if handle < 0 {
            return Err(SendError);
        }
        let headers = read_headers(
            handle,
            raw::hostcall_resp_get_headers,
            raw::hostcall_resp_get_header,
        );
        let status = unsafe { raw::hostcall_resp_get_response_code(handle) } as u16;
        let body = memory::value(|p, n| unsafe { raw::hostcall_resp_get_body(p, n, handle) });
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Makes it the answer to the incoming request. In this order it is right for hosts that send at once, too.
    pub(crate) fn give(&self) {
        let handle = raw::OUTGOING_RESPONSE;
        let is_legal = write_headers(handle, &self.headers, raw::hostcall_resp_set_header)
            && unsafe {
                raw::hostcall_resp_set_response_code(handle, self.status as u32) == 0
                    && raw::hostcall_resp_set_body(handle, self.body.as_ptr(), self.body.len()) == 0
            };
        assert!(
            is_legal,
            "the response has a field, a status or a body that the host refuses"
        );
    }
}

/// A request under way. Dropping it forgets the response.
#[derive(Debug)]
pub struct Pending(i32);

/// What `Pending::poll` says.
#[derive(Debug)]
pub enum Poll {
    /// It has ended.
    Ready(Result<Response, SendError>),
    /// Not yet.
    NotReady(Pending),
}

impl Pending {
    /// A number that no other request of this run has.
    pub fn id(&self) -> i32 {
        self.0
    }

    /// Waits for the response.
    pub fn wait(self) -> Result<Response, SendError> {
        Response::received(unsafe { raw::hostcall_pending_req_wait(self.0) })
    }

    /// The response if it is there.
    pub fn poll(self) -> Poll {
        match unsafe { raw::hostcall_pending_req_poll(self.0) } {
            raw::NOT_READY => Poll::NotReady(self),
            handle => Poll::Ready(Response::received(handle)),
        }
    }
}

/// Waits until one of the requests has ended, takes it out and gives its id and what became of it; none if there is no
/// request.
pub fn select(pending: &mut Vec<Pending>) -> Option<(i32, Result<Response, SendError>)> {
    if pending.is_empty() {
        return None;
    }
    let ids: Vec<i32> = pending.iter().map(Pending::id).collect();
    let mut selected = 0;
    let handle =
        unsafe { raw::hostcall_pending_req_select(ids.as_ptr(), ids.len(), &mut selected) };
    pending.retain(|each| each.id() != selected);
    Some((selected, Response::received(handle)))
}
