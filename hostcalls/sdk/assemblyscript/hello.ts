// The smallest function in AssemblyScript. Compile: see README.md.
import { request, response } from "./terrafirma";
export { default_malloc_impl, default_free_impl } from "./terrafirma";

export function run(): void {
  response.send(200, "text/plain; charset=utf-8", "Hello, " + request.method() + " " + request.path() + "!\n");
}
