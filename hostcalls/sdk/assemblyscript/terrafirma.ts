// Functions for tfvm and Terrafirma in AssemblyScript. See README.md.

// ---- The hostcalls as they are: addresses and lengths of bytes ------------------------------------------------------

// @ts-ignore: decorator
@external("env", "hostcall_init_mm")
declare function hostcall_init_mm(malloc: u32, free: u32): void;
// @ts-ignore: decorator
@external("env", "hostcall_panic_hook")
declare function hostcall_panic_hook(message: usize, length: usize): void;
// @ts-ignore: decorator
@external("env", "hostcall_debug")
declare function hostcall_debug(message: usize, length: usize): void;
// @ts-ignore: decorator
@external("env", "hostcall_req_get_headers")
declare function hostcall_req_get_headers(names: usize, count: usize, request: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_req_get_header")
declare function hostcall_req_get_header(values: usize, count: usize, request: i32, name: usize, length: usize): void;
// @ts-ignore: decorator
@external("env", "hostcall_req_get_method")
declare function hostcall_req_get_method(method: usize, length: usize, request: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_req_get_path")
declare function hostcall_req_get_path(path: usize, length: usize, request: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_req_get_body")
declare function hostcall_req_get_body(body: usize, length: usize, request: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_resp_set_header")
declare function hostcall_resp_set_header(response: i32, name: usize, length: usize, values: usize, count: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_resp_set_response_code")
declare function hostcall_resp_set_response_code(response: i32, code: u32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_resp_set_body")
declare function hostcall_resp_set_body(response: i32, body: usize, length: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_req_create")
declare function hostcall_req_create(method: usize, methodLength: usize, url: usize, urlLength: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_req_set_header")
declare function hostcall_req_set_header(request: i32, name: usize, length: usize, values: usize, count: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_req_set_body")
declare function hostcall_req_set_body(request: i32, body: usize, length: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_req_send")
declare function hostcall_req_send(request: i32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_req_send_async")
declare function hostcall_req_send_async(request: i32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_pending_req_wait")
declare function hostcall_pending_req_wait(pending: i32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_pending_req_poll")
declare function hostcall_pending_req_poll(pending: i32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_pending_req_select")
declare function hostcall_pending_req_select(pending: usize, count: usize, selected: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_resp_get_headers")
declare function hostcall_resp_get_headers(names: usize, count: usize, response: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_resp_get_header")
declare function hostcall_resp_get_header(values: usize, count: usize, response: i32, name: usize, length: usize): void;
// @ts-ignore: decorator
@external("env", "hostcall_resp_get_body")
declare function hostcall_resp_get_body(body: usize, length: usize, response: i32): void;
// @ts-ignore: decorator
@external("env", "hostcall_resp_get_response_code")
declare function hostcall_resp_get_response_code(response: i32): u32;
// @ts-ignore: decorator
@external("env", "hostcall_kvstore_get")
declare function hostcall_kvstore_get(value: usize, length: usize, key: usize, keyLength: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_kvstore_insert")
declare function hostcall_kvstore_insert(key: usize, keyLength: usize, value: usize, length: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_kvstore_upsert")
declare function hostcall_kvstore_upsert(key: usize, keyLength: usize, value: usize, length: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_kvstore_append")
declare function hostcall_kvstore_append(key: usize, keyLength: usize, value: usize, length: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_kvstore_remove")
declare function hostcall_kvstore_remove(key: usize, keyLength: usize): i32;
// @ts-ignore: decorator
@external("env", "hostcall_rng_next_u64")
declare function hostcall_rng_next_u64(): u64;
// @ts-ignore: decorator
@external("env", "hostcall_time_now")
declare function hostcall_time_now(nanoseconds: usize): u64;
// @ts-ignore: decorator
@external("env", "hostcall_dns_query_ip")
declare function hostcall_dns_query_ip(list: usize, count: usize, name: usize, length: usize, v6: i32): i32;
// @ts-ignore: decorator
@external("env", "hostcall_dns_query_raw")
declare function hostcall_dns_query_raw(answer: usize, length: usize, query: usize, queryLength: usize): i32;

// ---- Memory: the host asks for room, AssemblyScript's heap gives it -------------------------------------------------

/** For the host. Export it from the entry file: `export { default_malloc_impl } from "./terrafirma";` */
export function default_malloc_impl(size: usize): usize {
  return heap.alloc(size);
}
/** For the host, likewise. */
export function default_free_impl(block: usize): void {
  heap.free(block);
}

/** Where getters put an address and a length. */
const out = memory.data(8);

function taken(): ArrayBuffer {
  const address = <usize>load<u32>(out);
  const length = load<u32>(out, 4);
  const bytes = new ArrayBuffer(length);
  memory.copy(changetype<usize>(bytes), address, length);
  if (length > 0) heap.free(address);
  return bytes;
}

function takenList(): ArrayBuffer[] {
  const list = <usize>load<u32>(out);
  const count = load<u32>(out, 4);
  const values = new Array<ArrayBuffer>();
  for (let i: u32 = 0; i < count; ++i) {
    const element = list + <usize>i * 8;
    store<u32>(out, load<u32>(element));
    store<u32>(out, load<u32>(element, 4), 4);
    values.push(taken());
  }
  if (count > 0) heap.free(list);
  return values;
}

function text(bytes: ArrayBuffer): string {
  return String.UTF8.decode(bytes);
}
function address(bytes: ArrayBuffer): usize {
  return changetype<usize>(bytes);
}
function bytesOf(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** One value as the list that setters of fields want. */
function slice(value: ArrayBuffer): usize {
  store<u32>(out, <u32>address(value));
  store<u32>(out, value.byteLength, 4);
  return out;
}

// ---- What programs use --------------------------------------------------------------------------------------------

/** The incoming request. */
export namespace request {
  export function method(): string {
    hostcall_req_get_method(out, out + 4, 0);
    return text(taken());
  }
  /** "/hello.wasm/rest?query", still encoded. */
  export function path(): string {
    hostcall_req_get_path(out, out + 4, 0);
    return text(taken());
  }
  export function body(): ArrayBuffer {
    hostcall_req_get_body(out, out + 4, 0);
    return taken();
  }
  /** The names of all fields, in lower case. */
  export function headers(): string[] {
    hostcall_req_get_headers(out, out + 4, 0);
    return takenList().map<string>((name) => text(name));
  }
  /** All values of a field. */
  export function header(name: string): string[] {
    const bytes = bytesOf(name);
    hostcall_req_get_header(out, out + 4, 0, address(bytes), bytes.byteLength);
    return takenList().map<string>((value) => text(value));
  }
}

/** The response. Each call replaces what was said before; false: the host refuses it. */
export namespace response {
  export function status(code: u32): bool {
    return hostcall_resp_set_response_code(0, code) == 0;
  }
  export function header(name: string, value: string): bool {
    const nameBytes = bytesOf(name);
    const valueBytes = bytesOf(value);
    return hostcall_resp_set_header(0, address(nameBytes), nameBytes.byteLength, slice(valueBytes), 1) == 0;
  }
  export function body(bytes: ArrayBuffer): bool {
    return hostcall_resp_set_body(0, address(bytes), bytes.byteLength) == 0;
  }
  export function send(code: u32, contentType: string, content: string): void {
    status(code);
    header("content-type", contentType);
    body(bytesOf(content));
  }
}

/** A response that came back. */
export class Received {
  constructor(private handle: i32) {}
  /** False: the request could not be sent; the function's log says why. */
  get ok(): bool {
    return this.handle >= 0;
  }
  get status(): u32 {
    return hostcall_resp_get_response_code(this.handle);
  }
  get body(): ArrayBuffer {
    hostcall_resp_get_body(out, out + 4, this.handle);
    return taken();
  }
  get text(): string {
    return text(this.body);
  }
  headers(): string[] {
    hostcall_resp_get_headers(out, out + 4, this.handle);
    return takenList().map<string>((name) => text(name));
  }
  header(name: string): string[] {
    const bytes = bytesOf(name);
    hostcall_resp_get_header(out, out + 4, this.handle, address(bytes), bytes.byteLength);
    return takenList().map<string>((value) => text(value));
  }
}

/** A request under way. */
export class Pending {
  constructor(public id: i32) {}
  wait(): Received {
    return new Received(hostcall_pending_req_wait(this.id));
  }
  /** The response, or null if it is not there yet. */
  poll(): Received | null {
    const handle = hostcall_pending_req_poll(this.id);
    return handle == -2 ? null : new Received(handle);
  }
}

/** A request to send. */
export class Request {
  private handle: i32;
  constructor(method: string, url: string) {
    const methodBytes = bytesOf(method);
    const urlBytes = bytesOf(url);
    this.handle = hostcall_req_create(
      address(methodBytes), methodBytes.byteLength, address(urlBytes), urlBytes.byteLength);
  }
  header(name: string, value: string): Request {
    const nameBytes = bytesOf(name);
    const valueBytes = bytesOf(value);
    hostcall_req_set_header(this.handle, address(nameBytes), nameBytes.byteLength, slice(valueBytes), 1);
    return this;
  }
  body(bytes: ArrayBuffer): Request {
    hostcall_req_set_body(this.handle, address(bytes), bytes.byteLength);
    return this;
  }
  send(): Received {
    return new Received(hostcall_req_send(this.handle));
  }
  sendAsync(): Pending {
    return new Pending(hostcall_req_send_async(this.handle));
  }
}

/** Waits until one of the requests has ended: takes it out of the list and gives its response. */
export function select(pending: Pending[]): Received {
  const ids = new StaticArray<i32>(pending.length);
  for (let i = 0; i < pending.length; ++i) ids[i] = pending[i].id;
  const handle = hostcall_pending_req_select(changetype<usize>(ids), pending.length, out);
  const selected = load<i32>(out);
  for (let i = 0; i < pending.length; ++i) {
    if (pending[i].id == selected) {
      pending.splice(i, 1);
      break;
    }
  }
  return new Received(handle);
}

/** The function's key-value store. */
export namespace kv {
  /** The value, or null. */
  export function get(key: string): ArrayBuffer | null {
    const bytes = bytesOf(key);
    hostcall_kvstore_get(out, out + 4, address(bytes), bytes.byteLength);
    return load<u32>(out) == 0 ? null : taken();
  }
  /** Writes in any case; true if the key was absent. */
  export function put(key: string, value: ArrayBuffer): bool {
    const bytes = bytesOf(key);
    return hostcall_kvstore_insert(address(bytes), bytes.byteLength, address(value), value.byteLength) != 0;
  }
  /** Writes only if the key is absent; true if it did. */
  export function putIfAbsent(key: string, value: ArrayBuffer): bool {
    const bytes = bytesOf(key);
    return hostcall_kvstore_upsert(address(bytes), bytes.byteLength, address(value), value.byteLength) != 0;
  }
  /** Adds to the value, or writes it; true if the key was absent. */
  export function append(key: string, value: ArrayBuffer): bool {
    const bytes = bytesOf(key);
    return hostcall_kvstore_append(address(bytes), bytes.byteLength, address(value), value.byteLength) != 0;
  }
  /** True if the key was there. */
  export function remove(key: string): bool {
    const bytes = bytesOf(key);
    return hostcall_kvstore_remove(address(bytes), bytes.byteLength) != 0;
  }
}

/** Addresses of a name, 4 or 16 bytes each. */
export function resolve(name: string, v6: bool = false): ArrayBuffer[] {
  const bytes = bytesOf(name);
  hostcall_dns_query_ip(out, out + 4, address(bytes), bytes.byteLength, v6 ? 1 : 0);
  return takenList();
}
/** The answer to a DNS query in wire format; empty if there is none. */
export function resolveRaw(query: ArrayBuffer): ArrayBuffer {
  hostcall_dns_query_raw(out, out + 4, address(query), query.byteLength);
  return taken();
}
export function randomU64(): u64 {
  return hostcall_rng_next_u64();
}
/** Seconds since 1970. */
export function now(): u64 {
  return hostcall_time_now(0);
}
/** A line for the function's log. */
export function debug(message: string): void {
  const bytes = bytesOf(message);
  hostcall_debug(address(bytes), bytes.byteLength);
}

/** Takes the place of the abort function of AssemblyScript's own host: asc --use abort=.../terrafirma/fail */
export function fail(message: string | null, file: string | null, line: u32, column: u32): void {
  const where = file === null ? "" : ", " + file + ":" + line.toString() + ":" + column.toString();
  const bytes = bytesOf((message === null ? "abort" : message) + where);
  hostcall_panic_hook(address(bytes), bytes.byteLength);
  unreachable();
}
