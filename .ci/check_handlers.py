#!/usr/bin/env python3
"""Proves on object code what the interpreter's handlers rely on and no compiler promises.

A handler is a function of namespace tfvm::interpreter with the parameters of vm/handlers/machine.hpp.
- It goes on with a jump to a handler and never returns; only exit_invocation returns.
- It calls nothing. Only raise_trap, which ends the guest, may be called; and handlers named outcall_*, whose purpose it
  is to call into the rest of the engine, may call by name, but not through a pointer.
- Wherever it accesses linear memory, the registers of pc and call records hold what they held at its entry, for the
  access may fault, and the signal handler reports the trap by these two.

    check_handlers.py --convention preserve_none|c [--stamps FOLDER] OBJECT...
    check_handlers.py --selftest      compiles small examples, good and bad, and checks the verdicts on them

With --stamps an object is read only when it is newer than its stamp in FOLDER; FOLDER/all is touched at success.
Needs ld and objdump of the GNU binutils, which every compiler on Linux brings along.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_right
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

# Mangled: (const Byte* pc, Byte* frame, Byte* memory, Byte* records, [InstanceBlock* instance,] integers, floats).
HANDLER = re.compile(r"_ZN4tfvm11interpreter.*PKhPhS\w*_S\w*_(PNS\w*13InstanceBlockE)?m+d+(\.cold)?$")
OUTCALL = re.compile(r"_ZN4tfvm11interpreter.*?\d+outcall_")
EXIT = re.compile(r"_ZN4tfvm11interpreter.*?\d+exit_invocation")
MAY_BE_CALLED = re.compile(r"_ZN4tfvm11interpreter10raise_trapE")


class Convention(NamedTuple):
    """The registers of the handlers' parameters pc, frame, memory, records, ... (vm/handlers/machine.hpp)."""
    pc: str
    memory: str
    records: str


CONVENTIONS = {
    "preserve_none": Convention(pc="r12", memory="r14", records="r15"),
    "c": Convention(pc="rdi", memory="rdx", records="rcx"),
}

# ---- Reading objdump -------------------------------------------------------------------------------------------------

# objdump -dr prints for a function, an instruction and its relocation:
#   0000000000000000 <name>:
#      4:	call   9 <name+0x9>
#   			5: R_X86_64_PLT32	symbol-0x4
FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(?:(?:bnd|notrack|data16|cs|ds|rex\.?\w*)\s+)*(\w+)\s*([^#]*)")
RELOCATION = re.compile(r"^\s*[0-9a-f]+:\s+R_\w+\s+(.+?)([-+]0x[0-9a-f]+)?$")


class Instruction:
    """One machine instruction in AT&T syntax; `symbol` is the target of its relocation, if it has one."""

    def __init__(self, address, mnemonic, operands):
        self.address = int(address, 16)
        self.mnemonic = mnemonic
        self.operands = operands.strip()
        self.symbol = None

    def relocate(self, symbol, addend):
        # A local function is its section and offset; the 4 bytes of the relocation itself count from the end.
        self.symbol = int(addend, 16) + 4 if symbol == ".text" and addend else symbol


class Function(NamedTuple):
    name: str
    instructions: list


def merge_sections(path, merged):
    """Links an object to one with a single text section: objdump's time is quadratic in the number of sections."""
    script = Path(merged + ".ld")
    script.write_text("SECTIONS { .text : { *(.text .text.* tfvm_handlers) } }")
    subprocess.run(["ld", "-r", "--force-group-allocation", "-T", str(script), path, "-o", merged], check=True)


def functions_of(path):
    """The handlers of an object file."""
    with tempfile.TemporaryDirectory() as folder:
        merged = str(Path(folder) / "merged.o")
        merge_sections(path, merged)
        command = ["objdump", "-d", "-r", "--no-show-raw-insn", "-j", ".text", merged]
        listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name_at = {}
    functions = []
    current = None
    for line in listing.splitlines():
        if match := FUNCTION.match(line):
            address, name = match.groups()
            name_at[int(address, 16)] = name
            current = Function(name, []) if HANDLER.match(name) else None
            if current:
                functions.append(current)
        elif current and "R_X86_64" in line:
            if match := RELOCATION.match(line):
                current.instructions[-1].relocate(*match.groups())
        elif current and (match := INSTRUCTION.match(line)):
            current.instructions.append(Instruction(*match.groups()))
    starts = sorted(name_at)
    for function in functions:
        for instruction in function.instructions:
            if isinstance(instruction.symbol, int):
                instruction.symbol = name_at[starts[bisect_right(starts, instruction.symbol) - 1]]
    return functions


# ---- Rules on calls and returns --------------------------------------------------------------------------------------

def call_complaint(function):
    """The broken rule, or None."""
    is_outcall, is_exit = OUTCALL.match(function.name), EXIT.match(function.name)
    for instruction in function.instructions:
        if instruction.mnemonic.startswith("ret") and not is_exit:
            return "returns"
        target = instruction.symbol or instruction.operands
        if instruction.mnemonic.startswith("j") and instruction.symbol:
            if not HANDLER.match(target) and not MAY_BE_CALLED.match(target):
                return f"jumps to {target}"
        if instruction.mnemonic.startswith("call"):
            if target.startswith("*"):
                return "calls through a pointer"
            if not is_outcall and not MAY_BE_CALLED.match(target):
                return f"calls {target}"
    return None


# ---- Rule: pc and records are unmodified at every access to linear memory --------------------------------------------

WIDE_REGISTER = {}  # "eax", "ax", "al" -> "rax"
for letter in "abcd":
    for part in (f"r{letter}x", f"e{letter}x", f"{letter}x", f"{letter}l", f"{letter}h"):
        WIDE_REGISTER[part] = f"r{letter}x"
for pair in ("si", "di", "bp", "sp"):
    for part in (f"r{pair}", f"e{pair}", pair, f"{pair}l"):
        WIDE_REGISTER[part] = f"r{pair}"
for number in range(8, 16):
    for width in ("", "d", "w", "b"):
        WIDE_REGISTER[f"r{number}{width}"] = f"r{number}"

REGISTER = re.compile(r"%(\w+)")
OPERAND = re.compile(r"(?:[^,(]|\([^)]*\))+")
WRITES_NOTHING = re.compile(r"v?u?comis|v?p?test|cmp|bt[lqw]?$|push|j|call|nop|prefetch|ud2|ret|endbr|hlt|int3")
ACCESSES_NOTHING = re.compile(r"lea|nop|prefetch|j|call")
IMPLICIT_WRITES = {"cqto": {"rdx"}, "cltd": {"rdx"}, "cltq": {"rax"}, "cwtl": {"rax"}}
ONE_OPERAND_MULTIPLICATION = re.compile(r"i?(mul|div)[bwlq]?$")
MOVES_64_BITS = re.compile(r"mov %r([a-d]x|[sd]i|[sb]p|\d+),%r([a-d]x|[sd]i|[sb]p|\d+)$")
PURE_COPY = re.compile(r"mov|lea|set|pop|v")


def registers_in(text):
    return {WIDE_REGISTER[name] for name in REGISTER.findall(text) if name in WIDE_REGISTER}


class Effect(NamedTuple):
    """What an instruction does to general registers and memory."""
    address: set  # registers of the memory operand, if memory is accessed
    written: set
    sources: set  # registers whose values flow into the written ones
    target: int   # of a jump inside the function; else -1
    ends: bool    # control does not go on with the next instruction


def effect_of(instruction):
    mnemonic = instruction.mnemonic
    operands = OPERAND.findall(instruction.operands)
    in_memory = set().union(*(registers_in(operand) for operand in operands if "(" in operand))
    in_registers = [registers_in(operand) for operand in operands if "(" not in operand]
    address = set() if ACCESSES_NOTHING.match(mnemonic) else in_memory
    if mnemonic.startswith("j"):
        direct = not instruction.operands.startswith("*") and not instruction.symbol
        return Effect(address, set(), set(), int(operands[0].split()[0], 16) if direct else -1, mnemonic[:3] == "jmp")
    if WRITES_NOTHING.match(mnemonic):
        ends = mnemonic.startswith(("ret", "ud2")) or (mnemonic.startswith("call") and bool(instruction.symbol))
        return Effect(address, set(), set(), -1, ends)
    if len(operands) == 1 and ONE_OPERAND_MULTIPLICATION.match(mnemonic):
        return Effect(address, {"rax", "rdx"}, set(), -1, False)
    written = set(IMPLICIT_WRITES.get(mnemonic, ()))
    if operands and "(" not in operands[-1]:
        written |= registers_in(operands[-1])
    if mnemonic.startswith(("xchg", "mulx")):
        written = set().union(*in_registers[-2:])
    sources = set().union(*in_registers[:-1]) if written else set()
    if mnemonic.startswith("lea"):
        sources |= in_memory
    elif not PURE_COPY.match(mnemonic) and len(operands) < 3:
        sources |= written
    if mnemonic.startswith(("xor", "sub")) and len(operands) == 2 and operands[0] == operands[1]:
        sources = set()
    return Effect(address, written, sources, -1, False)


class State(NamedTuple):
    """Before an instruction, over all ways to it."""
    pointers: frozenset  # registers that may point into linear memory
    held: frozenset      # (register, "pc" | "records"): the register surely holds what that parameter was at entry


def after(instruction, effect, state):
    """The state after an instruction that falls through."""
    if not effect.written:
        return state
    pointers = state.pointers - effect.written
    if effect.sources & state.pointers:
        pointers |= effect.written
    held = {(register, parameter) for register, parameter in state.held if register not in effect.written}
    if MOVES_64_BITS.match(f"{instruction.mnemonic} {instruction.operands}"):
        held |= {(written, parameter) for written in effect.written
                 for source, parameter in state.held if source in effect.sources}
    return State(pointers, frozenset(held))


def memory_complaint(function, convention):
    """The broken rule on accesses to linear memory, or None. A data flow over the function, to its fixed point."""
    promised = frozenset({(convention.pc, "pc"), (convention.records, "records")})
    instructions = function.instructions
    effects = [effect_of(instruction) for instruction in instructions]
    by_address = {instruction.address: index for index, instruction in enumerate(instructions)}
    before = [None] * len(effects)
    pending = []

    def reach(index, state):
        old = before[index]
        new = State(old.pointers | state.pointers, old.held & state.held) if old else state
        if new != old:
            before[index] = new
            pending.append(index)

    # g++ moves unlikely code to a part of its own, which is entered in the middle of a handler: nothing is known there.
    is_part = function.name.endswith(".cold")
    reach(0, State(frozenset({convention.memory}), frozenset() if is_part else promised))
    while pending:
        index = pending.pop()
        state, effect = before[index], effects[index]
        if effect.address & state.pointers and not promised <= state.held:
            place = instructions[index].address - instructions[0].address
            names = " and ".join(sorted(parameter for _, parameter in promised - state.held))
            return f"accesses memory at +{place:#x} while {names} is not in its register"
        state = after(instructions[index], effect, state)
        if effect.target in by_address:
            reach(by_address[effect.target], state)
        if not effect.ends and index + 1 < len(effects):
            reach(index + 1, state)
    return None


# ---- Verdicts --------------------------------------------------------------------------------------------------------

class Verdict(NamedTuple):
    handlers: int
    stack_users: int  # handlers, without outcalls, that push or have a native frame: correct, but worth a look
    complaints: list  # (function, complaint)


def check_object(path, convention, stamp):
    newest_input = max(os.stat(path).st_mtime_ns, os.stat(__file__).st_mtime_ns)
    if stamp and stamp.exists() and stamp.stat().st_mtime_ns > newest_input:
        return Verdict(*(int(number) for number in stamp.read_text().split()), [])
    handlers = stack_users = 0
    complaints = []
    for function in functions_of(path):
        handlers += 1
        complaint = call_complaint(function)
        if not OUTCALL.match(function.name):
            stack_users += any(instruction.mnemonic.startswith("push") or instruction.operands.endswith(",%rsp")
                               for instruction in function.instructions)
            complaint = complaint or memory_complaint(function, convention)
        if complaint:
            complaints.append((function.name, complaint))
    if stamp and not complaints:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(f"{handlers} {stack_users}\n")
    return Verdict(handlers, stack_users, complaints)


def demangle(names):
    if not shutil.which("c++filt"):
        return names
    return subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True).stdout.splitlines()


def check(objects, convention, stamps):
    """Checks all objects, reports on stdout, returns the exit status."""
    stamp_files = [stamps / (re.sub(r"\W", "_", path) + ".checked") if stamps else None for path in objects]
    with ProcessPoolExecutor() as pool:
        verdicts = list(pool.map(check_object, objects, [convention] * len(objects), stamp_files))
    handlers = sum(verdict.handlers for verdict in verdicts)
    stack_users = sum(verdict.stack_users for verdict in verdicts)
    complaints = [complaint for verdict in verdicts for complaint in verdict.complaints]
    if complaints:
        shown = complaints[:20]
        for name, (_, complaint) in zip(demangle([name for name, _ in shown]), shown):
            print(f"check_handlers: {name}: {complaint}")
        print(f"check_handlers: {len(complaints)} of {handlers} handlers break a rule; the rules stand at the head "
              f"of {__file__}")
        return 1
    if handlers == 0:
        print("check_handlers: no handler found: have their parameters changed?")
        return 1
    print(f"check_handlers: {handlers} handlers keep the rules; {stack_users} of them use the native stack")
    if stamps:
        (stamps / "all").touch()
    return 0


# ---- Self-test -------------------------------------------------------------------------------------------------------

EXAMPLE = r"""
using Byte = unsigned char;
namespace tfvm::interpreter {
#define PARAMETERS const Byte *pc, Byte *frame, Byte *memory, Byte *records, unsigned long r0, double f0
#define ARGUMENTS pc, frame, memory, records, r0, f0
#define DISPATCH return (*reinterpret_cast<const Code*>(pc))(ARGUMENTS)
using Code = void (*)(PARAMETERS);
void raise_trap(int);
void host();
template <int K>
void handler(PARAMETERS) {
#if defined(BAD_CALL)
  host();
#elif defined(BAD_DISPATCH)
  (*reinterpret_cast<const Code*>(pc))(ARGUMENTS);
#elif defined(BAD_RETURN)
  return;
#endif
  if (r0 == K) {
    raise_trap(K);
    __builtin_unreachable();
  }
#if defined(BAD_PC)
  asm volatile("addq $8, %0" : "+D"(pc)::"memory");
#elif defined(BAD_RECORDS)
  asm volatile("addq $8, %0" : "+c"(records)::"memory");
#elif defined(BAD_BRANCH)
  if (r0 & 1) asm volatile("addq $8, %0" : "+D"(pc)::"memory");
  Byte* again = memory + 4096;
  asm volatile("" : "+r"(again)::"memory");
  again[r0] = 1;
#endif
  r0 = *reinterpret_cast<const unsigned*>(memory + r0 + K);
  asm volatile("" : "+D"(pc), "+c"(records), "+r"(r0)::"memory");
  pc += 8;
  records += 16;
  DISPATCH;
}
namespace {
void outcall_grow(PARAMETERS) {
  host();
#if defined(BAD_OUTCALL)
  (*reinterpret_cast<const Code*>(pc))(ARGUMENTS);
  host();
#elif !defined(BAD_OUTCALL_RETURN)
  DISPATCH;
#endif
}
void exit_invocation(PARAMETERS) { *frame = static_cast<Byte>(r0); }
}  // namespace
#if !defined(NO_HANDLER)
Code table[] = {&handler<1>, &handler<2>, &outcall_grow, &exit_invocation};
#endif
}
"""
EXPECTED_VERDICTS = {"CLEAN": 0, "BAD_CALL": 1, "BAD_DISPATCH": 1, "BAD_RETURN": 1, "BAD_PC": 1, "BAD_RECORDS": 1,
                     "BAD_BRANCH": 1, "BAD_OUTCALL": 1, "BAD_OUTCALL_RETURN": 1, "NO_HANDLER": 1}


def selftest():
    compilers = list(filter(shutil.which, ["clang++-19", "g++"])) or ["c++"]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "example.cpp").write_text(EXAMPLE)
        for compiler in compilers:
            for define, expected in EXPECTED_VERDICTS.items():
                subprocess.run([compiler, "-std=c++20", "-O2", "-fno-exceptions", "-fno-pie", "-w", f"-D{define}", "-c",
                                "example.cpp"], cwd=folder, check=True)
                verdict = check([str(Path(folder) / "example.o")], CONVENTIONS["c"], None)
                if verdict != expected:
                    print(f"selftest: {compiler} -D{define}: expected {expected}, got {verdict}")
                    wrong += 1
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description="Checks the object code of the interpreter's handlers.")
    parser.add_argument("--convention", choices=CONVENTIONS, default="c")
    parser.add_argument("--stamps", type=Path)
    parser.add_argument("--selftest", action="store_true")
    parser.add_argument("objects", nargs="*")
    arguments = parser.parse_args()
    if arguments.selftest:
        return selftest()
    return check(arguments.objects, CONVENTIONS[arguments.convention], arguments.stamps)


if __name__ == "__main__":
    sys.exit(main())
