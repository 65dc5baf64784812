// The language of patterns: the words that translator and handlers share to name what one internal instruction does.
// A pattern is a statement over expression trees. Handlers are C++ types built from these words (handlers/pattern.hpp);
// the translator builds the same structure from wasm. Both compute the same key of it, and the handler table
// maps keys to handlers; two patterns with one key would stop the build (handlers/table.cpp).
#pragma once

#include <cstdint>

#include "decoder/opcodes.hpp"

namespace tfvm::interpreter {

#if defined(__clang__) && __clang_major__ >= 19 && defined(__x86_64__)
#define TFVM_PRESERVE_NONE 1
#endif

/// Virtual registers that are real ones while handlers run: number 0 is the accumulator, the others hold pinned locals.
/// The C calling convention passes six integers, preserve_none passes twelve.
#if defined(TFVM_PRESERVE_NONE)
inline constexpr unsigned integer_registers = 3;
#else
inline constexpr unsigned integer_registers = 2;
#endif
inline constexpr unsigned float_registers = 3;

/// What a node of a pattern computes: an Op, or one of the internal operators below.
using Operation = std::uint16_t;
constexpr Operation operation(Op op) { return static_cast<Operation>(op); }
inline constexpr Operation copy_i32 = op_count + 0;  ///< the value itself, by type; a leaf is no tree
inline constexpr Operation copy_i64 = op_count + 1;
inline constexpr Operation copy_f32 = op_count + 2;
inline constexpr Operation copy_f64 = op_count + 3;
inline constexpr Operation shift_left_1 = op_count + 4;  ///< i32.shl by a constant: an index scaled to an offset
inline constexpr Operation shift_left_2 = op_count + 5;
inline constexpr Operation shift_left_3 = op_count + 6;

/// A hash of a pattern, wide enough that no two trees of any module share one: who could make a tree that is taken for
/// another would leave the sandbox. The halves are mixed alike with different constants.
struct PatternKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  constexpr bool operator==(const PatternKey&) const = default;
};

/// Keys of the leaves.
enum class Leaf : std::uint8_t {
  Slot = 1,            ///< a frame slot; operand: byte offset in the frame, u32
  Immediate = 2,       ///< 4 bytes: i32, f32, or an i64 that sign extension gives
  WideImmediate = 3,   ///< 8 bytes: i64 or f64
  Previous = 4,        ///< what the first statement of a pair has just computed; no operand
  Global = 5,          ///< own global; operand: byte offset in the instance block, u32
  ImportedGlobal = 6,  ///< imported global, through its cell
  Register0 = 16,      ///< accumulator; no operand. Register0 + n: the nth pinned one
};

/// Seeds of the inner words.
enum class Word : std::uint8_t {
  Unary = 100,
  Binary,
  Load,
  Select,
  Set,
  Store,
  SetGlobal,
  SetImportedGlobal,
  BranchIf,
  BranchUnless,
  Branch,
  Return,
  ReturnVoid,
  BranchTable,
  Pair,
  ChargedTarget,  ///< of a branch, when it charges what its target charges, and goes on behind that
  ChargedNext,    ///< of a conditional branch, when it does so with the instruction behind it if it is not taken
};

/// Types that select distinguishes.
enum class SelectType : std::uint8_t { I32, I64, F32, F64 };

constexpr std::uint64_t scramble(std::uint64_t value) {
  value ^= value >> 32;
  value *= 0xff51afd7ed558ccdu;
  return value ^ (value >> 29);
}
constexpr PatternKey mix(PatternKey key, PatternKey word) {
  return {scramble(key.low * 0x9fb21c651e98df25u + word.low * 0xd6e8feb86659fd93u + 0x2545f4914f6cdd1du),
          scramble(key.high * 0xc2b2ae3d27d4eb4fu + word.high * 0x9e3779b97f4a7c15u + 0x165667b19e3779f9u)};
}
constexpr PatternKey mix(PatternKey key, std::uint64_t word) { return mix(key, PatternKey{word, word}); }
constexpr PatternKey key_of_number(std::uint64_t number) { return {number, number}; }
constexpr PatternKey key_of(Leaf leaf) { return key_of_number(static_cast<std::uint64_t>(leaf)); }
constexpr PatternKey register_key(unsigned number) {
  return key_of_number(static_cast<std::uint64_t>(Leaf::Register0) + number);
}
constexpr PatternKey key_of(Word word) { return key_of_number(static_cast<std::uint64_t>(word)); }
constexpr PatternKey unary_key(Operation op, PatternKey a) { return mix(mix(key_of(Word::Unary), op), a); }
constexpr PatternKey binary_key(Operation op, PatternKey a, PatternKey b) {
  return mix(mix(mix(key_of(Word::Binary), op), a), b);
}
constexpr PatternKey load_key(Operation op, PatternKey address) { return mix(mix(key_of(Word::Load), op), address); }
constexpr PatternKey select_key(SelectType type, PatternKey a, PatternKey b, PatternKey condition) {
  return mix(mix(mix(mix(key_of(Word::Select), static_cast<unsigned>(type)), a), b), condition);
}
constexpr PatternKey set_key(PatternKey destination, PatternKey e) {
  return mix(mix(key_of(Word::Set), destination), e);
}
constexpr PatternKey store_key(Operation op, PatternKey address, PatternKey value) {
  return mix(mix(mix(key_of(Word::Store), op), address), value);
}
/// Statements of one expression: SetGlobal, SetImportedGlobal, BranchIf, BranchUnless, Return, BranchTable.
constexpr PatternKey statement_key(Word word, PatternKey e) { return mix(key_of(word), e); }
constexpr PatternKey pair_key(PatternKey first, PatternKey second) {
  return mix(mix(key_of(Word::Pair), first), second);
}

/// A branch whose handler also does what a charge_fuel in its way does; operands are the branch's.
constexpr PatternKey charging_key(Word which, PatternKey branch) { return mix(key_of(which), branch); }

/// Size in bytes of an internal instruction: handler address, operands, padding to 8.
inline constexpr unsigned handler_bytes = 8;
constexpr unsigned instruction_bytes(unsigned operand_bytes) { return (handler_bytes + operand_bytes + 7) / 8 * 8; }

}  // namespace tfvm::interpreter
