//! What the host writes into this program's memory, and the allocator that it calls for the room.

use crate::raw::GuestSlice;
use std::alloc::{alloc, dealloc, Layout};
use std::ptr;

/// In front of each block stands its size, which the host does not give back.
const HEAD: usize = 8;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEAD)?, HEAD).ok()
}

/// A block of `size` bytes at a multiple of 8; null if there is no room.
#[no_mangle]
pub extern "C" fn default_malloc_impl(size: usize) -> *mut u8 {
    match layout(size) {
        // The layout is never empty: HEAD is part of it.
        Some(layout) => unsafe {
            let block = alloc(layout);
            if block.is_null() {
                return block;
            }
            (block as *mut usize).write(size);
            block.add(HEAD)
        },
        None => ptr::null_mut(),
    }
}

/// # Safety
/// `pointer` is one that default_malloc_impl gave, or null, and is not used again.
#[no_mangle]
pub unsafe extern "C" fn default_free_impl(pointer: *mut u8) {
    if pointer.is_null() {
        return;
    }
    let block = pointer.sub(HEAD);
    if let Some(layout) = layout((block as *const usize).read()) {
        dealloc(block, layout);
    }
}

/// Takes over a value of the host's. Some hosts give pointers that cannot be freed with values of no bytes.
unsafe fn take(pointer: *mut u8, length: usize) -> Vec<u8> {
    if pointer.is_null() || length == 0 {
        return Vec::new();
    }
    let bytes = std::slice::from_raw_parts(pointer, length).to_vec();
    default_free_impl(pointer);
    bytes
}

/// The answer of a getter of one value; none for a null pointer.
pub fn optional_value(getter: impl FnOnce(*mut *mut u8, *mut usize)) -> Option<Vec<u8>> {
    let mut pointer = ptr::null_mut();
    let mut length = 0;
    getter(&mut pointer, &mut length);
    if pointer.is_null() {
        return None;
    }
    Some(unsafe { take(pointer, length) })
}

/// The same, empty for a null pointer.
pub fn value(getter: impl FnOnce(*mut *mut u8, *mut usize)) -> Vec<u8> {
    optional_value(getter).unwrap_or_default()
}

/// The answer of a getter of a list.
pub fn list(getter: impl FnOnce(*mut *mut GuestSlice, *mut usize)) -> Vec<Vec<u8>> {
    let mut pointer: *mut GuestSlice = ptr::null_mut();
    let mut count = 0;
    getter(&mut pointer, &mut count);
    if pointer.is_null() || count == 0 {
        return Vec::new();
    }
    unsafe {
        let slices = std::slice::from_raw_parts(pointer, count).to_vec();
        default_free_impl(pointer as *mut u8);
        slices
            .into_iter()
            .map(|each| take(each.pointer as *mut u8, each.length))
            .collect()
    }
}

/// What a setter of a list wants.
pub fn slices<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<GuestSlice> {
    values
        .map(|value| GuestSlice {
            pointer: value.as_ptr(),
            length: value.len(),
        })
        .collect()
}
