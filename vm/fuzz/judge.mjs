// Reads the lines of `differential --transcripts`, runs the same modules in this JavaScript engine and compares what it
// sees. Usage: node --experimental-wasm-memory64 judge.mjs < transcripts. Exit status 1: a difference.
import readline from "node:readline";

const I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, FUNCREF = 0x70, EXTERNREF = 0x6f;
const mask = (1n << 64n) - 1n;
const view = new DataView(new ArrayBuffer(8));

class Hash {
  state = 1n;
  add(value) {
    const rotated = ((this.state << 23n) | (this.state >> 41n)) & mask;
    this.state = ((rotated ^ value) * 0x9e3779b97f4a7c15n) & mask;
  }
}

function bitsOfNumber(type, value) {
  switch (type) {
    case I32: return BigInt(value >>> 0);
    case I64: return BigInt.asUintN(64, value);
    case F32:
      if (value !== value) return 0x7fc00000n;
      view.setFloat32(0, value);
      return BigInt(view.getUint32(0));
    default:
      if (value !== value) return 0x7ff8000000000000n;
      view.setFloat64(0, value);
      return view.getBigUint64(0);
  }
}

function numberOfBits(type, bits) {
  switch (type) {
    case I32: return Number(bits) | 0;
    case I64: return BigInt.asIntN(64, bits);
    case F32:
      view.setUint32(0, Number(bits));
      return view.getFloat32(0);
    default:
      view.setBigUint64(0, bits);
      return view.getFloat64(0);
  }
}

// What V8 says, and what the standard's test suite may call it.
const traps = [
  [/unreachable/, ["unreachable"]],
  [/(divide|remainder) by zero/, ["integer divide by zero"]],
  [/divide result unrepresentable/, ["integer overflow"]],
  [/float unrepresentable/, ["integer overflow", "invalid conversion to integer"]],
  [/memory access out of bounds|data segment/, ["out of bounds memory access"]],
  [/table index is out of bounds|table access out of bounds|element segment|table out of bounds/,
   ["undefined element", "out of bounds table access"]],
  [/null function or function signature/, ["uninitialized element", "indirect call type mismatch"]],
  [/asked to/, ["host function failed"]],
];

class Run {
  constructor(program) {
    this.program = program;
    this.seen = new Hash();
    this.instances = [];
    this.names = new Map();
    this.externals = new Map();
    this.difference = null;
    this.traps = 0;
  }

  hostFunctions() {
    const see = (name, types, values) => {
      this.seen.add(BigInt(name.charCodeAt(0)));
      values.forEach((value, i) => this.seen.add(bitsOfNumber(types[i], value)));
    };
    return {
      mix: (a, b) => { see("mix", [I32, I64], [a, b]); return BigInt.asIntN(64, BigInt(a >>> 0) * 31n + b); },
      observe: (...values) => see("observe", [F64, F32, I32], values),
      pair: (a) => {
        see("pair", [F32], [a]);
        return a === a ? [Number(BigInt.asIntN(32, bitsOfNumber(F32, a))), a] : [7, 1.5];
      },
      choose: (a, b, c) => { see("choose", [F32, F64, I32], [a, b, c]); return (c & 1) !== 0 ? b : -2.5; },
      trap_if: (a) => {
        see("trap_if", [I32], [a]);
        if ((a >>> 0) % 8 === 5) throw new Error("asked to");
        return (a + 1) | 0;
      },
    };
  }

  instantiate(number) {
    const module = this.program.modules[Math.min(number, this.program.modules.length - 1)];
    const imports = { host: this.hostFunctions(), a: number === 0 ? {} : this.instances[0].exports };
    const compiled = new WebAssembly.Module(Buffer.from(module.bytes, "base64"));
    const instance = new WebAssembly.Instance(compiled, imports);
    this.instances.push({ exports: instance.exports, module });
    const hostNames = WebAssembly.Module.imports(compiled).filter((entry) => entry.kind === "function");
    module.functions.forEach((_, i) => {
      const object = instance.exports["f" + i];
      if (this.names.has(object)) return;
      this.names.set(object, i < module.imported_functions ? BigInt(hostNames[i].name.charCodeAt(0))
                                                           : (BigInt(1 + number) << 32n) | BigInt(i));
    });
    return [];
  }

  portable(type, value) {
    if (type >= F64) return bitsOfNumber(type, value);
    if (value === null || value === undefined) return 0n;
    return type === FUNCREF ? this.names.get(value) : value.bits;
  }

  argument(type, bits) {
    if (type >= F64) return numberOfBits(type, bits);
    if (bits === 0n) return null;
    if (type === EXTERNREF) {
      if (!this.externals.has(bits)) this.externals.set(bits, { bits });
      return this.externals.get(bits);
    }
    for (const [object, name] of this.names) if (name === bits) return object;
    throw new Error("no function " + bits);
  }

  call(event) {
    const { exports, module } = this.instances[event.instance];
    const [params, results] = module.functions[event.index];
    const values = event.arguments.map((bits, i) => this.argument(params[i], BigInt(bits)));
    const result = exports["f" + event.index](...values);
    const list = results.length === 0 ? [] : results.length === 1 ? [result] : result;
    return list.map((value, i) => this.portable(results[i], value));
  }

  memory(event) {
    const all = [];
    for (const { exports, module } of this.instances)
      for (let i = module.imported_memories; i < module.memories; ++i) all.push(exports["m" + i]);
    const buffer = all[event.index].buffer;
    const hash = new Hash();
    for (const word of new BigUint64Array(buffer)) hash.add(word);
    return [BigInt(buffer.byteLength), hash.state];
  }

  global(event) {
    const { exports, module } = this.instances[event.instance];
    if (event.index >= module.globals.length) return [this.portable(I32, exports.steps.value)];
    return [this.portable(module.globals[event.index], exports["g" + event.index].value)];
  }

  table(event) {
    const table = this.instances[event.instance].exports["t" + event.index];
    const values = [];
    for (let i = 0; i < table.length; ++i) {
      const value = table.get(i);
      values.push(this.portable(typeof value === "function" ? FUNCREF : EXTERNREF, value));
    }
    return values;
  }

  happen(event) {
    for (const { exports } of this.instances) exports.steps.value = this.program.steps;
    switch (event.what) {
      case "instantiate": return this.instantiate(event.instance);
      case "call": return this.call(event);
      default: return this[event.what](event);
    }
  }

  // True: go on with the next event.
  compare(event, position) {
    const differs = (text) => {
      this.difference = `seed ${this.program.seed}, event ${position} ${JSON.stringify(event)}: here ${text}`;
      return false;
    };
    let values;
    try {
      const isState = !["call", "instantiate"].includes(event.what);
      values = isState ? this[event.what](event) : this.happen(event);
    } catch (error) {
      if (error instanceof RangeError) return false;  // the stack: how deep it is depends on the engine
      const known = traps.find(([pattern]) => pattern.test(error.message));
      if (known === undefined || !known[1].includes(event.trap)) return differs(`trap '${error.message}'`);
      ++this.traps;
      return event.what === "call";
    }
    if (event.trap === "call stack exhausted") return false;
    if (event.trap !== "") return differs(`values ${values}`);
    if (values.join() !== event.values.join()) return differs(`values ${values}`);
    if (event.what === "call" && this.seen.state !== BigInt(event.host)) return differs("the host sees other values");
    return true;
  }

  run() {
    this.program.events.every((event, i) => this.compare(event, i));
    return this.difference;
  }
}

let programs = 0, events = 0, trapCount = 0, differences = 0;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const run = new Run(JSON.parse(line));
  const difference = run.run();
  ++programs;
  events += run.program.events.length;
  trapCount += run.traps;
  if (difference === null) continue;
  console.log(difference);
  ++differences;
}
console.log(`${programs} programs, ${events} events, ${trapCount} traps, ${differences} differences`);
process.exit(differences === 0 ? 0 : 1);
