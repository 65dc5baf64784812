//! The hostcalls as they are.
#![allow(missing_docs)]

/// An element of a list: bytes somewhere else.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct GuestSlice {
    pub pointer: *const u8,
    pub length: usize,
}

pub const INCOMING_REQUEST: i32 = 0;
pub const OUTGOING_RESPONSE: i32 = 0;
pub const NOT_READY: i32 = -2;

#[link(wasm_import_module = "env")]
extern "C" {
    pub fn hostcall_init_mm(
        malloc: extern "C" fn(usize) -> *mut u8,
        free: unsafe extern "C" fn(*mut u8),
    );
    pub fn hostcall_panic_hook(message: *const u8, length: usize);
    pub fn hostcall_debug(message: *const u8, length: usize);

    pub fn hostcall_req_get_headers(names: *mut *mut GuestSlice, count: *mut usize, request: i32);
    pub fn hostcall_req_get_header(
        values: *mut *mut GuestSlice,
        count: *mut usize,
        request: i32,
        name: *const u8,
        name_length: usize,
    );
    pub fn hostcall_req_get_method(method: *mut *mut u8, length: *mut usize, request: i32);
    pub fn hostcall_req_get_path(path: *mut *mut u8, length: *mut usize, request: i32);
    pub fn hostcall_req_get_body(body: *mut *mut u8, length: *mut usize, request: i32);

    pub fn hostcall_resp_set_header(
        response: i32,
        name: *const u8,
        name_length: usize,
        values: *const GuestSlice,
        count: usize,
    ) -> i32;
    pub fn hostcall_resp_set_response_code(response: i32, code: u32) -> i32;
    pub fn hostcall_resp_set_body(response: i32, body: *const u8, length: usize) -> i32;

    pub fn hostcall_req_create(
        method: *const u8,
        method_length: usize,
        url: *const u8,
        url_length: usize,
    ) -> i32;
    pub fn hostcall_req_set_header(
        request: i32,
        name: *const u8,
        name_length: usize,
        values: *const GuestSlice,
        count: usize,
    ) -> i32;
    pub fn hostcall_req_set_body(request: i32, body: *const u8, length: usize) -> i32;
    pub fn hostcall_req_send(request: i32) -> i32;
    pub fn hostcall_req_send_async(request: i32) -> i32;
    pub fn hostcall_pending_req_wait(pending: i32) -> i32;
    pub fn hostcall_pending_req_poll(pending: i32) -> i32;
    pub fn hostcall_pending_req_select(
        pending: *const i32,
        count: usize,
        selected: *mut i32,
    ) -> i32;

    pub fn hostcall_resp_get_headers(names: *mut *mut GuestSlice, count: *mut usize, response: i32);
    pub fn hostcall_resp_get_header(
        values: *mut *mut GuestSlice,
        count: *mut usize,
        response: i32,
        name: *const u8,
        name_length: usize,
    );
    pub fn hostcall_resp_get_body(body: *mut *mut u8, length: *mut usize, response: i32);
    pub fn hostcall_resp_get_response_code(response: i32) -> u32;

    pub fn hostcall_kvstore_get(
        value: *mut *mut u8,
        length: *mut usize,
        key: *const u8,
        key_length: usize,
    ) -> i32;
    pub fn hostcall_kvstore_insert(k: *const u8, k_len: usize, v: *const u8, v_len: usize) -> i32;
    pub fn hostcall_kvstore_upsert(k: *const u8, k_len: usize, v: *const u8, v_len: usize) -> i32;
    pub fn hostcall_kvstore_append(k: *const u8, k_len: usize, v: *const u8, v_len: usize) -> i32;
    pub fn hostcall_kvstore_remove(key: *const u8, key_length: usize) -> i32;

    pub fn hostcall_rng_next_u64() -> u64;
    pub fn hostcall_time_now(nanoseconds: *mut u32) -> u64;
    pub fn hostcall_dns_query_raw(
        response: *mut *mut u8,
        length: *mut usize,
        query: *const u8,
        query_length: usize,
    ) -> i32;
    pub fn hostcall_dns_query_ip(
        addresses: *mut *mut GuestSlice,
        count: *mut usize,
        name: *const u8,
        name_length: usize,
        v6: i32,
    ) -> i32;
}
