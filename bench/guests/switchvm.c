// A bytecode interpreter, a switch in a loop: br_table, an operand stack and variables in memory, a
// program counter. It runs a program that counts primes by trial division and follows Collatz
// chains. Guest; see README.md.
#include "guest.h"

enum { last_number = 60000 };

enum Operation {
  op_push,
  op_load,
  op_store,
  op_add,
  op_multiply,
  op_remainder,
  op_halve,
  op_less,
  op_jump,
  op_jump_if_zero,
  op_increment,
  op_duplicate,
  op_halt
};

enum Variable { var_number, var_divisor, var_primes, var_value, var_steps, variable_count };

static int code[128];
static int code_size;
static int stack[64];
static int variables[variable_count];

static int emit(int operation) {
  code[code_size] = operation;
  return code_size++;
}

// Returns the place of the operand, for jumps that are patched later.
static int emit_with(int operation, int operand) {
  emit(operation);
  return emit(operand);
}

static void assemble(void) {
  code_size = 0;
  emit_with(op_push, 3);
  emit_with(op_store, var_number);
  int next_number = code_size;
  emit_with(op_load, var_number);
  emit_with(op_push, last_number);
  emit(op_less);
  int to_end = emit_with(op_jump_if_zero, 0);

  emit_with(op_push, 2);
  emit_with(op_store, var_divisor);
  int next_divisor = code_size;
  emit_with(op_load, var_number);
  emit_with(op_load, var_divisor);
  emit(op_duplicate);
  emit(op_multiply);
  emit(op_less);
  int to_composite_test = emit_with(op_jump_if_zero, 0);
  emit_with(op_increment, var_primes);
  int to_chain = emit_with(op_jump, 0);
  code[to_composite_test] = code_size;
  emit_with(op_load, var_number);
  emit_with(op_load, var_divisor);
  emit(op_remainder);
  int to_chain_from_composite = emit_with(op_jump_if_zero, 0);
  emit_with(op_increment, var_divisor);
  emit_with(op_jump, next_divisor);

  code[to_chain] = code_size;
  code[to_chain_from_composite] = code_size;
  emit_with(op_load, var_number);
  emit_with(op_store, var_value);
  int next_link = code_size;
  emit_with(op_push, 1);
  emit_with(op_load, var_value);
  emit(op_less);
  int to_advance = emit_with(op_jump_if_zero, 0);
  emit_with(op_increment, var_steps);
  emit_with(op_load, var_value);
  emit_with(op_push, 2);
  emit(op_remainder);
  int to_even = emit_with(op_jump_if_zero, 0);
  emit_with(op_load, var_value);
  emit_with(op_push, 3);
  emit(op_multiply);
  emit_with(op_push, 1);
  emit(op_add);
  emit_with(op_store, var_value);
  emit_with(op_jump, next_link);
  code[to_even] = code_size;
  emit_with(op_load, var_value);
  emit(op_halve);
  emit_with(op_store, var_value);
  emit_with(op_jump, next_link);

  code[to_advance] = code_size;
  emit_with(op_increment, var_number);
  emit_with(op_jump, next_number);
  code[to_end] = code_size;
  emit(op_halt);
}

static __attribute__((noinline)) unsigned interpret(const int* pc) {
  int* top = stack;
  unsigned executed = 0;
  for (;;) {
    ++executed;
    switch (*pc++) {
      case op_push: *top++ = *pc++; break;
      case op_load: *top++ = variables[*pc++]; break;
      case op_store: variables[*pc++] = *--top; break;
      case op_add:
        --top;
        top[-1] += top[0];
        break;
      case op_multiply:
        --top;
        top[-1] *= top[0];
        break;
      case op_remainder:
        --top;
        top[-1] = (int)((unsigned)top[-1] % (unsigned)top[0]);
        break;
      case op_halve: top[-1] = (int)((unsigned)top[-1] >> 1); break;
      case op_less:
        --top;
        top[-1] = (unsigned)top[-1] < (unsigned)top[0];
        break;
      case op_jump: pc = code + *pc; break;
      case op_jump_if_zero: pc = *--top == 0 ? code + *pc : pc + 1; break;
      case op_increment: ++variables[*pc++]; break;
      case op_duplicate:
        *top = top[-1];
        ++top;
        break;
      case op_halt: return executed;
      default: return 0;
    }
  }
}

int run(void) {
  for (int i = 0; i < variable_count; ++i) variables[i] = 0;
  assemble();
  unsigned executed = interpret(code);
  return to_checksum(executed * 31 + (unsigned)variables[var_primes] * 7 + (unsigned)variables[var_steps]);
}
