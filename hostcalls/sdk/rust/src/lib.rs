//! Functions for tfvm and Terrafirma: a request comes in, a response goes out.
//!
//! ```ignore
//! use terrafirma::{Request, Response};
//!
//! fn answer(request: Request) -> Response {
//!     Response::text(format!("Hello, {}!\n", request.query("name").unwrap_or_else(|| "world".into())))
//! }
//! terrafirma::function!(answer);
//! ```
//!
//! Build with `--target wasm32-unknown-unknown`, crate type `cdylib`. See README.md.
#![warn(missing_docs)]

mod headers;
#[doc(hidden)]
pub mod memory;
mod message;
pub mod raw;

pub use headers::Headers;
pub use message::{select, Pending, Poll, Request, Response, SendError};

use std::net::IpAddr;
use std::time::Duration;

/// Makes a `fn(Request) -> Response` the entry point of the program.
#[macro_export]
macro_rules! function {
    ($handler:expr) => {
        #[no_mangle]
        pub extern "C" fn run() {
            $crate::answer_with($handler)
        }
    };
}

/// What `function!` calls: tells the host of the allocator and of panics, answers the incoming request.
#[doc(hidden)]
pub fn answer_with(handler: impl FnOnce(Request) -> Response) {
    unsafe { raw::hostcall_init_mm(memory::default_malloc_impl, memory::default_free_impl) };
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        unsafe { raw::hostcall_panic_hook(message.as_ptr(), message.len()) };
    }));
    handler(Request::incoming()).give();
}

/// A line for the function's log.
pub fn debug(message: &str) {
    unsafe { raw::hostcall_debug(message.as_ptr(), message.len()) }
}

/// A random number that nobody can guess.
pub fn random_u64() -> u64 {
    unsafe { raw::hostcall_rng_next_u64() }
}

/// Time since 1970. (`std::time` has no clock on this target.)
pub fn now() -> Duration {
    let mut nanoseconds = 0;
    let seconds = unsafe { raw::hostcall_time_now(&mut nanoseconds) };
    Duration::new(seconds, nanoseconds)
}

/// The addresses of a name; none if it is unknown, or if the function may not reach anybody.
pub fn resolve(name: &str, v6: bool) -> Vec<IpAddr> {
    let elements = memory::list(|list, count| unsafe {
        raw::hostcall_dns_query_ip(list, count, name.as_ptr(), name.len(), v6 as i32);
    });
    let address = |bytes: Vec<u8>| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    };
    elements.into_iter().filter_map(address).collect()
}

/// The function's key-value store. Each call is atomic; a write that returned is kept.
pub mod kv {
    use crate::{memory, raw};

    /// The value of a key.
    pub fn get(key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let key = key.as_ref();
        memory::optional_value(|value, length| unsafe {
            raw::hostcall_kvstore_get(value, length, key.as_ptr(), key.len());
        })
    }

    /// Writes in any case; true if the key was absent.
    pub fn put(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> bool {
        let (k, v) = (key.as_ref(), value.as_ref());
        unsafe { raw::hostcall_kvstore_insert(k.as_ptr(), k.len(), v.as_ptr(), v.len()) != 0 }
    }

    /// Writes only if the key is absent; true if it did.
    pub fn put_if_absent(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> bool {
        let (k, v) = (key.as_ref(), value.as_ref());
        unsafe { raw::hostcall_kvstore_upsert(k.as_ptr(), k.len(), v.as_ptr(), v.len()) != 0 }
    }

    /// Adds to the value, or writes it; true if the key was absent.
    pub fn append(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> bool {
        let (k, v) = (key.as_ref(), value.as_ref());
        unsafe { raw::hostcall_kvstore_append(k.as_ptr(), k.len(), v.as_ptr(), v.len()) != 0 }
    }

    /// True if the key was there.
    pub fn remove(key: impl AsRef<[u8]>) -> bool {
        let key = key.as_ref();
        unsafe { raw::hostcall_kvstore_remove(key.as_ptr(), key.len()) != 0 }
    }
}

/// Text as a JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}
