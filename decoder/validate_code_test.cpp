#include "decoder/validate_code.hpp"

#include <gtest/gtest.h>

#include "decoder/limits.hpp"
#include "decoder/test_module.hpp"

namespace tfvm {
namespace {

using test::Bytes;
using test::empty_block;
using test::f32;
using test::f64;
using test::i32;
using test::i64;
using test::ModuleBuilder;

constexpr std::uint8_t unreachable = 0x00, block = 0x02, loop = 0x03, if_op = 0x04, else_op = 0x05, end = 0x0b,
                       br = 0x0c, br_if = 0x0d, br_table = 0x0e, return_op = 0x0f, call = 0x10, call_indirect = 0x11,
                       return_call = 0x12, return_call_indirect = 0x13, drop = 0x1a, select = 0x1b, select_t = 0x1c,
                       local_get = 0x20, local_set = 0x21, local_tee = 0x22, global_get = 0x23, global_set = 0x24,
                       i32_const = 0x41, i64_const = 0x42, i32_add = 0x6a, i64_add = 0x7c, ref_null = 0xd0,
                       ref_is_null = 0xd1, ref_func = 0xd2;

FeatureSet with_references() {
  FeatureSet features;
  features.add(Feature::FunctionReferences);
  return features;
}

// Both paths of the validator, which must agree to the letter.
std::string agreed_verdict(const Bytes& bytes, FeatureSet features = with_references()) {
  std::string texts[2];
  for (const ValidationPath path : {ValidationPath::Fast, ValidationPath::Plain}) {
    auto module = decode_module(bytes, std::make_shared<TypeRegistry>(), features);
    if (!module) return std::string(to_string(module.error().kind)) + ": " + module.error().message;
    const auto valid = validate_module(**module, features, path);
    texts[path == ValidationPath::Plain] =
        valid ? "valid" : std::string(to_string(valid.error().kind)) + ": " + valid.error().message;
  }
  EXPECT_EQ(texts[0], texts[1]);
  return texts[0];
}

// A module around one function of type 0 (params -> results), index 3. Also there:
// types     1: () -> ()   2: (i32, i64) -> (i64)   3: () -> (i32, i32)   4: struct {}
// functions 0: type 1     1: type 2     2: type 3     (imported; 1 is declared for ref.func)
// tables    0: funcref    1: externref  2: funcref, i64 addresses
// memories  0: i32        1: i64
// globals   0: i32        1: mutable i64   2: mutable externref
ModuleBuilder scene(const Bytes& params, const Bytes& results) {
  ModuleBuilder builder;
  builder.type(params, results);
  builder.type({}, {});
  builder.type({i32, i64}, {i64});
  builder.type({}, {i32, i32});
  builder.raw_type({0x5f, 0});
  for (const std::uint8_t type : Bytes{1, 2, 3}) builder.import("", "", {0x00, type});
  builder.table({0x70, 0x00, 1});
  builder.table({0x6f, 0x00, 1});
  builder.table({0x70, 0x04, 1});
  builder.memory({0x00, 1});
  builder.memory({0x04, 1});
  builder.global(i32, false, {i32_const, 0, end});
  builder.global(i64, true, {i64_const, 0, end});
  builder.global(0x6f, true, {ref_null, 0x6f, end});
  builder.element({0x03, 0x00, 1, 1});
  builder.element({0x05, 0x6f, 0});
  builder.data_count(1);
  builder.data({0x01, 0});
  return builder;
}

std::string body(const Bytes& params, const Bytes& results, const Bytes& code, const Bytes& locals = {0},
                 FeatureSet features = with_references()) {
  ModuleBuilder builder = scene(params, results);
  builder.function(0, code, locals);
  return agreed_verdict(builder.build(), features);
}

bool starts_with(const std::string& text, std::string_view start) { return text.rfind(start, 0) == 0; }
#define EXPECT_STARTS(text, start) EXPECT_PRED2(starts_with, text, start)
#define EXPECT_VALID(...) EXPECT_EQ(body(__VA_ARGS__), "valid")
#define EXPECT_MISMATCH(...) EXPECT_PRED2(starts_with, body(__VA_ARGS__), "invalid: type mismatch")

Bytes operands_of(const OpSignature& signature) {
  Bytes code;
  for (std::size_t i = 0; i < signature.param_count; ++i) {
    switch (signature.params[i].kind()) {
      case ValueKind::I32: code = code + Bytes{i32_const, 0}; break;
      case ValueKind::I64: code = code + Bytes{i64_const, 0}; break;
      case ValueKind::F32: code = code + Bytes{0x43, 0, 0, 0, 0}; break;
      default: code = code + Bytes{0x44, 0, 0, 0, 0, 0, 0, 0, 0}; break;
    }
  }
  return code;
}

std::uint8_t byte_of(ValueType type) { return static_cast<std::uint8_t>(0x7f - static_cast<int>(type.kind())); }

// Every row with a fixed signature, with right operands, with one operand missing and with a wrong result.
TEST(ValidateCode, FixedSignaturesOfTheTable) {
  std::size_t rows = 0;
  for (std::size_t i = 0; i < op_count; ++i) {
    const Op op = static_cast<Op>(i);
    const OpSignature& signature = signature_of(op);
    const OpInfo& row = info(op);
    if (signature.is_rule) continue;
    ++rows;
    Bytes instruction =
        row.prefix == 0 ? Bytes{static_cast<std::uint8_t>(row.code)} : Bytes{row.prefix} + test::unsigned_leb(row.code);
    switch (row.immediate) {
      case ImmediateKind::None: break;
      case ImmediateKind::Memarg:
      case ImmediateKind::DataMemory: instruction = instruction + Bytes{0, 0}; break;
      case ImmediateKind::F32: instruction = instruction + Bytes{0, 0, 0, 0}; break;
      case ImmediateKind::F64: instruction = instruction + Bytes(8); break;
      default: instruction.push_back(0); break;
    }
    const Bytes results = signature.result_count == 0 ? Bytes{} : Bytes{byte_of(signature.result)};
    const Bytes operands = operands_of(signature);
    SCOPED_TRACE(row.spelling);
    EXPECT_VALID({}, results, operands + instruction);
    EXPECT_VALID({}, results, Bytes{unreachable} + instruction);
    if (signature.param_count == 0) continue;
    const ValueType last = signature.params[signature.param_count - 1];
    EXPECT_MISMATCH({}, results, instruction);
    EXPECT_MISMATCH({}, results, operands + Bytes{drop} + instruction);
    EXPECT_MISMATCH({}, results, operands + Bytes{block, empty_block} + instruction + Bytes{end});
    const Bytes wrong = last == ValueType(ValueKind::I32) ? Bytes{i64_const, 0} : Bytes{i32_const, 0};
    EXPECT_MISMATCH({}, results, operands + Bytes{drop} + wrong + instruction);
    EXPECT_MISMATCH({}, results, Bytes{unreachable} + wrong + instruction);
  }
  EXPECT_GT(rows, 150u);
}

// Rows with "*" have a rule, unless their feature is Missing and nobody wrote it yet.
TEST(ValidateCode, EveryOtherRowHasARule) {
  for (std::size_t i = 0; i < op_count; ++i) {
    const OpInfo& row = op_infos[i];
    const Bytes instruction =
        row.prefix == 0 ? Bytes{static_cast<std::uint8_t>(row.code)} : Bytes{row.prefix} + test::unsigned_leb(row.code);
    const std::string text = body({}, {}, Bytes{unreachable} + instruction + Bytes(4), {0}, FeatureSet::all());
    const bool has_rule = text.find("is not supported yet") == std::string::npos;
    EXPECT_EQ(has_rule, row.feature != Feature::Exceptions) << row.spelling;
  }
}

// Pitfall 1: code behind a branch is typed; what it lacks may be anything, what is there may not.
TEST(ValidateCode, UnreachableCodeIsTyped) {
  EXPECT_VALID({}, {i32}, {unreachable, i32_add});
  EXPECT_VALID({}, {i32}, {unreachable, i32_const, 0, i32_add});
  EXPECT_MISMATCH({}, {i32}, {unreachable, i64_const, 0, i32_add});
  EXPECT_MISMATCH({}, {i32}, {unreachable, i64_const, 0});
  EXPECT_MISMATCH({}, {}, {unreachable, i32_const, 0});
  EXPECT_MISMATCH({}, {i32}, {unreachable, i32_const, 0, i32_const, 0});
  EXPECT_VALID({}, {}, {block, empty_block, br, 0, end});
  EXPECT_MISMATCH({}, {}, {block, empty_block, br, 0, i32_const, 0, end});
  EXPECT_MISMATCH({}, {i32}, {unreachable, block, empty_block, end, i64_const, 0, i32_add});
  EXPECT_MISMATCH({}, {i32}, {unreachable, block, i32, end});  // a new block is reachable in itself
  EXPECT_VALID({}, {i32}, {i32_const, 0, return_op, i32_add});
  EXPECT_VALID({}, {}, {unreachable, select, drop});
  EXPECT_VALID({}, {i64}, {unreachable, i64_const, 0, i32_const, 1, select});
  EXPECT_MISMATCH({}, {i64}, {unreachable, i32_const, 0, i32_const, 1, select});
  EXPECT_VALID({}, {i32}, {unreachable, ref_is_null});
  EXPECT_MISMATCH({}, {i32}, {unreachable, i32_const, 0, ref_is_null});
  EXPECT_VALID({}, {i32}, {unreachable, 0xd4, ref_is_null});               // ref.as_non_null of a bottom reference
  EXPECT_MISMATCH({}, {i32}, {unreachable, 0xd4, i32_const, 0, i32_add});  // which is no number
  EXPECT_VALID({}, {}, {unreachable, 0xd5, 0, drop});                      // br_on_null
  EXPECT_VALID({}, {i64}, {unreachable, 0x14, 2});                         // call_ref
}

// Pitfall 2: one arity for all labels, each label checked against the operands.
TEST(ValidateCode, BranchTables) {
  EXPECT_VALID({i32}, {}, {block, empty_block, local_get, 0, br_table, 2, 0, 1, 1, end});
  EXPECT_VALID({i32}, {i32}, {block, i32, i32_const, 1, local_get, 0, br_table, 1, 0, 1, end});
  EXPECT_MISMATCH({i32}, {}, {block, i32, i32_const, 1, local_get, 0, br_table, 1, 0, 1, end, drop});
  EXPECT_MISMATCH({i32}, {i64}, {block, i32, i32_const, 1, local_get, 0, br_table, 1, 0, 1, end, drop, i64_const, 0});
  EXPECT_VALID({i32}, {i64}, {block, i32, unreachable, br_table, 1, 0, 1, end, drop, i64_const, 0});  // meet is bottom
  EXPECT_MISMATCH({i32}, {i64},
                  {block, i32, unreachable, i32_const, 0, i32_const, 0, br_table, 1, 0, 1, end, unreachable});
  EXPECT_MISMATCH({i32}, {}, {br_table, 0, 0});
  EXPECT_STARTS(body({i32}, {}, {local_get, 0, br_table, 1, 0, 1}), "invalid: unknown label 1");
  EXPECT_STARTS(body({i32}, {}, {local_get, 0, br_table, 1, 1, 0}), "invalid: unknown label 1");
  EXPECT_STARTS(body({i32}, {}, {local_get, 0, br_table, 0xff, 0xff, 0xff, 0xff, 0x0f, 0}),
                "malformed: length out of bounds");
  EXPECT_STARTS(body({i32}, {}, {local_get, 0, br_table, 3, 0, 0}), "malformed: unexpected end");
  const Bytes many = test::unsigned_leb(limits::table_labels + 1) + test::repeat({0}, limits::table_labels + 2);
  EXPECT_STARTS(body({i32}, {}, Bytes{local_get, 0, br_table} + many), "limit: too many labels");
}

// Pitfall 3.
TEST(ValidateCode, Select) {
  EXPECT_VALID({i32}, {f64}, Bytes{0x44} + Bytes(8) + Bytes{0x44} + Bytes(8) + Bytes{local_get, 0, select});
  EXPECT_MISMATCH({i32}, {i32}, {i32_const, 0, i64_const, 0, local_get, 0, select});
  EXPECT_MISMATCH({i32}, {}, {ref_null, 0x70, ref_null, 0x70, local_get, 0, select, drop});
  EXPECT_MISMATCH({i32}, {}, {i32_const, 0, i32_const, 0, i64_const, 0, select, drop});
  EXPECT_VALID({i32}, {0x70}, {ref_null, 0x70, ref_null, 0x70, local_get, 0, select_t, 1, 0x70});
  EXPECT_MISMATCH({i32}, {0x70}, {ref_null, 0x70, ref_null, 0x6f, local_get, 0, select_t, 1, 0x70});
  EXPECT_STARTS(body({i32}, {}, {unreachable, select_t, 0}), "invalid: invalid result arity");
  EXPECT_STARTS(body({i32}, {}, {unreachable, select_t, 2, i32, i32}), "invalid: invalid result arity");
}

// Pitfall 4: (ref func) has no default, so that such a local must be set before; what a block sets, its end forgets.
TEST(ValidateCode, LocalsWithoutDefault) {
  const Bytes locals = {1, 1, 0x64, 0x70};
  const std::string uninitialized = "invalid: uninitialized local";
  EXPECT_STARTS(body({}, {}, {local_get, 0, drop}, locals), uninitialized);
  EXPECT_VALID({}, {}, {ref_func, 1, local_set, 0, local_get, 0, drop}, locals);
  EXPECT_VALID({}, {}, {ref_func, 1, local_tee, 0, drop, local_get, 0, drop}, locals);
  EXPECT_VALID({}, {}, {ref_func, 1, local_set, 0, block, empty_block, local_get, 0, drop, end}, locals);
  EXPECT_STARTS(body({}, {}, {block, empty_block, ref_func, 1, local_set, 0, end, local_get, 0, drop}, locals),
                uninitialized);
  EXPECT_STARTS(
      body({}, {}, {i32_const, 0, if_op, empty_block, ref_func, 1, local_set, 0, else_op, local_get, 0, drop, end},
           locals),
      uninitialized);
  EXPECT_STARTS(body({}, {}, {unreachable, local_get, 0, drop}, locals), uninitialized);
  // What one function has set is not set in the next.
  ModuleBuilder builder = scene({}, {});
  builder.function(0, {ref_func, 1, local_set, 0}, locals);
  builder.function(0, {local_get, 0, drop}, locals);
  EXPECT_STARTS(agreed_verdict(builder.build()), uninitialized);
  // A parameter always has a value.
  ModuleBuilder parameter;
  parameter.raw_type({0x60, 1, 0x64, 0x70, 0});
  parameter.function(0, {local_get, 0, drop});
  EXPECT_EQ(agreed_verdict(parameter.build()), "valid");
}

// Pitfall 5: labels of loops take parameters; an if without else passes its parameters on.
TEST(ValidateCode, BlocksLoopsAndIfs) {
  EXPECT_VALID({}, {i32}, {block, i32, i32_const, 0, br, 0, end});
  EXPECT_VALID({}, {i32}, {loop, i32, br, 0, end});
  EXPECT_MISMATCH({}, {}, {block, i32, br, 0, end, drop});
}

TEST(ValidateCode, LoopsWithParameters) {
  // type 2: (i32, i64) -> (i64)
  const Bytes operands = {i32_const, 0, i64_const, 0};
  EXPECT_VALID({}, {i64}, operands + Bytes{loop, 2, br, 0, end});
  EXPECT_MISMATCH({}, {i64}, operands + Bytes{loop, 2, drop, drop, i64_const, 0, br, 0, end});
  EXPECT_VALID({}, {i64}, operands + Bytes{block, 2, drop, drop, i64_const, 0, br, 0, end});
  EXPECT_MISMATCH({}, {i64}, operands + Bytes{block, 2, drop, br, 0, end});
  EXPECT_MISMATCH({}, {i64}, Bytes{i64_const, 0, block, 2, drop, end});
}

TEST(ValidateCode, Ifs) {
  EXPECT_VALID({i32}, {}, {local_get, 0, if_op, empty_block, end});
  EXPECT_VALID({i32}, {i32}, {local_get, 0, if_op, i32, i32_const, 0, else_op, i32_const, 1, end});
  EXPECT_MISMATCH({i32}, {i32}, {local_get, 0, if_op, i32, i32_const, 0, end});
  EXPECT_MISMATCH({i32}, {i32}, {local_get, 0, if_op, i32, i32_const, 0, else_op, end});
  EXPECT_MISMATCH({i32}, {i32}, {local_get, 0, if_op, i32, else_op, i32_const, 0, end});
  EXPECT_MISMATCH({i64}, {}, {local_get, 0, if_op, empty_block, end});
  EXPECT_MISMATCH({}, {i64}, {i32_const, 0, i64_const, 0, i32_const, 1, if_op, 2, drop, drop, i64_const, 0, end});
  EXPECT_VALID({}, {i32, i32}, {i32_const, 1, if_op, 3, call, 2, else_op, call, 2, end});
  EXPECT_STARTS(body({}, {}, {else_op}), "malformed: END opcode expected");
  EXPECT_STARTS(body({}, {}, {i32_const, 0, if_op, empty_block, else_op, else_op, end}),
                "malformed: END opcode expected");
}

TEST(ValidateCode, BlockTypes) {
  EXPECT_STARTS(body({}, {}, {block, 9, end}), "invalid: unknown type 9");
  EXPECT_STARTS(body({}, {}, {block, 4, end}), "invalid: type mismatch");  // a struct type
  EXPECT_STARTS(body({}, {}, {block, 0x41, end}), "malformed: malformed value type");
  EXPECT_STARTS(body({}, {}, {block, 0xff, 0x7f, end}), "malformed: malformed block type");
  EXPECT_STARTS(body({}, {}, {block, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}),
                "malformed: integer representation too long");
  EXPECT_VALID({}, {}, {block, 0x81, 0x80, 0x80, 0x80, 0x00, end});  // type 1 in five bytes
  EXPECT_VALID({}, {}, {block, 0x70, ref_null, 0x70, end, drop});
}

TEST(ValidateCode, EndsOfBodies) {
  ModuleBuilder builder = scene({}, {});
  builder.raw_function(0, {0});
  EXPECT_STARTS(agreed_verdict(builder.build()), "malformed: END opcode expected");
  ModuleBuilder behind = scene({}, {});
  behind.raw_function(0, {0, end, end});
  EXPECT_STARTS(agreed_verdict(behind.build()), "malformed: section size mismatch");
  ModuleBuilder open = scene({}, {});
  open.raw_function(0, {0, block, empty_block, end});
  EXPECT_STARTS(agreed_verdict(open.build()), "malformed: END opcode expected");
  ModuleBuilder nothing = scene({}, {});
  nothing.raw_function(0, {});
  EXPECT_STARTS(agreed_verdict(nothing.build()), "malformed: unexpected end");
}

// Pitfall 6.
TEST(ValidateCode, Memargs) {
  const auto load = [](const Bytes& memarg) { return body({}, {}, Bytes{i32_const, 0, 0x28} + memarg + Bytes{drop}); };
  EXPECT_EQ(load({2, 0}), "valid");
  EXPECT_STARTS(load({3, 0}), "invalid: alignment must not be larger than natural");
  EXPECT_STARTS(load({0x3f, 0}), "invalid: alignment must not be larger than natural");
  EXPECT_STARTS(load({0x20, 0}), "invalid: alignment must not be larger than natural");
  EXPECT_STARTS(load({0x80, 0x01, 0}), "malformed: malformed memop flags");
  EXPECT_STARTS(load({0x80, 0x02, 0}), "malformed: malformed memop flags");
  EXPECT_EQ(load(Bytes{2} + test::unsigned_leb(UINT32_MAX)), "valid");
  EXPECT_STARTS(load(Bytes{2} + test::unsigned_leb(std::uint64_t{1} << 32)), "invalid: offset out of range");
  EXPECT_EQ(load({0x42, 0, 0}), "valid");  // memory 0, written out
  EXPECT_STARTS(load({0x42, 1, 0}), "invalid: type mismatch: expected i64, found i32");
  EXPECT_STARTS(load({0x42, 2, 0}), "invalid: unknown memory 2");
  EXPECT_VALID({}, {}, Bytes{i64_const, 0, 0x28, 0x42, 1} + test::unsigned_leb(UINT64_MAX) + Bytes{drop});
  EXPECT_STARTS(load(Bytes{2} + test::repeat({0xff}, 9) + Bytes{0x02}), "malformed: integer too large");
  ModuleBuilder none;
  none.function(none.type({}, {}), {i32_const, 0, 0x28, 2, 0, drop});
  EXPECT_STARTS(agreed_verdict(none.build()), "invalid: unknown memory 0");
}

TEST(ValidateCode, MemoriesAndData) {
  EXPECT_VALID({}, {i64}, {0x3f, 1});
  EXPECT_MISMATCH({}, {i32}, {0x3f, 1});
  EXPECT_VALID({}, {i64}, {i64_const, 0, 0x40, 1});
  EXPECT_STARTS(body({}, {}, {0x3f, 2, drop}), "invalid: unknown memory 2");
  // memory.copy: destination, source, and a length of the smaller type.
  EXPECT_VALID({}, {}, {i32_const, 0, i64_const, 0, i32_const, 0, 0xfc, 0x0a, 0, 1});
  EXPECT_VALID({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0a, 1, 0});
  EXPECT_VALID({}, {}, {i64_const, 0, i64_const, 0, i64_const, 0, 0xfc, 0x0a, 1, 1});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, i64_const, 0, i64_const, 0, 0xfc, 0x0a, 0, 1});
  EXPECT_MISMATCH({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0a, 0, 1});
  EXPECT_VALID({}, {}, {i64_const, 0, i32_const, 0, i64_const, 0, 0xfc, 0x0b, 1});
  EXPECT_MISMATCH({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0b, 1});
  EXPECT_VALID({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x08, 0, 1});
  EXPECT_STARTS(body({}, {}, {unreachable, 0xfc, 0x08, 1, 0}), "invalid: unknown data segment 1");
  EXPECT_STARTS(body({}, {}, {unreachable, 0xfc, 0x08, 0, 2}), "invalid: unknown memory 2");
  EXPECT_STARTS(body({}, {}, {0xfc, 0x09, 1}), "invalid: unknown data segment 1");
  // Pitfall 9: without a data count section no segment can be named.
  ModuleBuilder builder;
  builder.function(builder.type({}, {}), {0xfc, 0x09, 0});
  builder.data({0x01, 0});
  EXPECT_STARTS(agreed_verdict(builder.build()), "malformed: data count section required");
}

TEST(ValidateCode, Locals) {
  EXPECT_VALID({i32}, {i64}, {local_get, 2}, {2, 1, f32, 2, i64});
  EXPECT_MISMATCH({i32}, {i64}, {local_get, 1}, {2, 1, f32, 2, i64});
  EXPECT_STARTS(body({i32}, {}, {local_get, 4, drop}, {2, 1, f32, 2, i64}), "invalid: unknown local 4");
  EXPECT_STARTS(body({i32}, {}, {local_get, 1, drop}), "invalid: unknown local 1");
  EXPECT_STARTS(body({}, {}, {i32_const, 0, local_set, 0}), "invalid: unknown local 0");
  EXPECT_MISMATCH({i32}, {}, {i64_const, 0, local_set, 0});
  EXPECT_MISMATCH({i32}, {}, {local_set, 0});
  EXPECT_VALID({i32}, {i32}, {i32_const, 0, local_tee, 0});
  EXPECT_MISMATCH({i32}, {i64}, {i64_const, 0, local_tee, 0});
  EXPECT_VALID({}, {f64}, {local_get, 0}, {3, 0, i32, 0, i64, 1, f64});  // empty declarations
  EXPECT_STARTS(body({}, {}, {}, {1, 1, 0x40}), "malformed: malformed value type");
  EXPECT_STARTS(body({}, {}, {}, {1, 1, 0x7b}), "unsupported: feature simd");
}

// Pitfall 9: the sum of all declarations; and ours: most locals are never written out, however many there are.
TEST(ValidateCode, ManyLocals) {
  const Bytes full = {0xff, 0xff, 0xff, 0xff, 0x0f};
  EXPECT_STARTS(body({}, {}, {}, Bytes{2} + full + Bytes{i32, 1, i64}), "malformed: too many locals");
  EXPECT_STARTS(body({}, {}, {}, Bytes{1} + full + Bytes{i32}), "limit: too many locals");
  EXPECT_STARTS(body({}, {}, {}, Bytes{1} + test::unsigned_leb(50'001) + Bytes{i32}), "limit: too many locals");
  EXPECT_STARTS(body({i32}, {}, {}, Bytes{1} + test::unsigned_leb(50'000) + Bytes{i32}), "limit: too many locals");
  const Bytes locals = Bytes{3} + test::unsigned_leb(20'000) + Bytes{i32} + test::unsigned_leb(9'999) + Bytes{i64} +
                       test::unsigned_leb(20'000) + Bytes{f32};
  const auto typed = [&locals](std::uint32_t local, std::uint8_t type) {
    return body({f64}, {type}, Bytes{local_get} + test::unsigned_leb(local), locals);
  };
  EXPECT_EQ(typed(0, f64), "valid");
  EXPECT_EQ(typed(1, i32), "valid");
  EXPECT_EQ(typed(20'000, i32), "valid");
  EXPECT_EQ(typed(20'001, i64), "valid");
  EXPECT_EQ(typed(29'999, i64), "valid");
  EXPECT_EQ(typed(30'000, f32), "valid");
  EXPECT_EQ(typed(49'999, f32), "valid");
  EXPECT_STARTS(typed(49'999, i32), "invalid: type mismatch");
  EXPECT_STARTS(typed(50'000, f32), "invalid: unknown local 50000");
  EXPECT_STARTS(body({}, {}, {}, Bytes{0xff, 0xff, 0xff, 0xff, 0x0f}), "malformed: length out of bounds");
}

TEST(ValidateCode, Globals) {
  EXPECT_VALID({}, {i32}, {global_get, 0});
  EXPECT_VALID({}, {}, {i64_const, 0, global_set, 1});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, global_set, 1});
  EXPECT_STARTS(body({}, {}, {i32_const, 0, global_set, 0}), "invalid: immutable global 0");
  EXPECT_STARTS(body({}, {}, {global_get, 3, drop}), "invalid: unknown global 3");
  EXPECT_STARTS(body({}, {}, {i32_const, 0, global_set, 3}), "invalid: unknown global 3");
  EXPECT_VALID({}, {}, {ref_null, 0x6f, global_set, 2});
  EXPECT_MISMATCH({}, {}, {ref_null, 0x70, global_set, 2});
  EXPECT_VALID({}, {}, {ref_null, 0x72, global_set, 2});  // noextern
}

TEST(ValidateCode, Calls) {
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, call, 1});
  EXPECT_MISMATCH({}, {i64}, {i64_const, 0, i64_const, 0, call, 1});
  EXPECT_MISMATCH({}, {i64}, {i64_const, 0, call, 1});
  EXPECT_VALID({}, {i32, i32}, {call, 2});
  EXPECT_STARTS(body({}, {}, {call, 4}), "invalid: unknown function 4");
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, i32_const, 0, call_indirect, 2, 0});
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, i64_const, 0, call_indirect, 2, 2});  // i64 table
  EXPECT_MISMATCH({}, {i64}, {i32_const, 0, i64_const, 0, i32_const, 0, call_indirect, 2, 2});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, call_indirect, 1, 1});  // a table of externref
  EXPECT_MISMATCH({}, {}, {i32_const, 0, call_indirect, 4, 0});  // a struct type
  EXPECT_STARTS(body({}, {}, {i32_const, 0, call_indirect, 1, 3}), "invalid: unknown table 3");
  EXPECT_STARTS(body({}, {}, {i32_const, 0, call_indirect, 9, 0}), "invalid: unknown type 9");
}

TEST(ValidateCode, TailCalls) {
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, return_call, 1});
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, return_call, 1, i64_add});
  EXPECT_MISMATCH({}, {i32}, {i32_const, 0, i64_const, 0, return_call, 1});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, i64_const, 0, return_call, 1});
  EXPECT_MISMATCH({}, {i64}, {i64_const, 0, return_call, 1});
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, i32_const, 0, return_call_indirect, 2, 0});
  EXPECT_MISMATCH({}, {i32}, {i32_const, 0, i64_const, 0, i32_const, 0, return_call_indirect, 2, 0});
}

TEST(ValidateCode, Tables) {
  EXPECT_VALID({}, {0x6f}, {i32_const, 0, 0x25, 1});
  EXPECT_VALID({}, {0x70}, {i64_const, 0, 0x25, 2});
  EXPECT_MISMATCH({}, {0x70}, {i32_const, 0, 0x25, 2});
  EXPECT_VALID({}, {}, {i32_const, 0, ref_func, 1, 0x26, 0});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, ref_func, 1, 0x26, 1});
  EXPECT_VALID({}, {i64}, {ref_null, 0x70, i64_const, 1, 0xfc, 0x0f, 2});
  EXPECT_VALID({}, {i64}, {0xfc, 0x10, 2});
  EXPECT_VALID({}, {}, {i32_const, 0, ref_null, 0x6f, i32_const, 0, 0xfc, 0x11, 1});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, ref_null, 0x70, i32_const, 0, 0xfc, 0x11, 1});
  // table.copy 0 <- 2, 2 <- 0: the length has the smaller type.
  EXPECT_VALID({}, {}, {i32_const, 0, i64_const, 0, i32_const, 0, 0xfc, 0x0e, 0, 2});
  EXPECT_VALID({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0e, 2, 0});
  EXPECT_VALID({}, {}, {i64_const, 0, i64_const, 0, i64_const, 0, 0xfc, 0x0e, 2, 2});
  EXPECT_MISMATCH({}, {}, {i64_const, 0, i64_const, 0, i64_const, 0, 0xfc, 0x0e, 2, 0});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0e, 0, 1});  // externref to funcref
  // table.init: element segment, then table.
  EXPECT_VALID({}, {}, {i32_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0c, 1, 1});
  EXPECT_VALID({}, {}, {i64_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0c, 0, 2});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, i32_const, 0, i32_const, 0, 0xfc, 0x0c, 1, 0});
  EXPECT_STARTS(body({}, {}, {unreachable, 0xfc, 0x0c, 2, 0}), "invalid: unknown elem segment 2");
  EXPECT_STARTS(body({}, {}, {unreachable, 0xfc, 0x0c, 0, 3}), "invalid: unknown table 3");
  EXPECT_STARTS(body({}, {}, {0xfc, 0x0d, 2}), "invalid: unknown elem segment 2");
}

// Pitfall 11.
TEST(ValidateCode, References) {
  EXPECT_VALID({}, {0x70}, {ref_func, 1});
  EXPECT_STARTS(body({}, {}, {ref_func, 0, drop}), "invalid: undeclared function reference 0");
  EXPECT_STARTS(body({}, {}, {ref_func, 3, drop}), "invalid: undeclared function reference 3");  // itself
  EXPECT_STARTS(body({}, {}, {ref_func, 4, drop}), "invalid: unknown function 4");
  ModuleBuilder by_start = scene({}, {});
  by_start.start(0);
  by_start.function(0, {ref_func, 0, drop});
  EXPECT_STARTS(agreed_verdict(by_start.build()), "invalid: undeclared function reference 0");
  ModuleBuilder by_export = scene({}, {});
  by_export.export_item("", 0, 0);
  by_export.function(0, {ref_func, 0, drop});
  EXPECT_EQ(agreed_verdict(by_export.build()), "valid");
  for (int heap = 0x69; heap <= 0x74; ++heap)
    EXPECT_VALID({}, {i32}, {ref_null, static_cast<std::uint8_t>(heap), ref_is_null});
  EXPECT_VALID({}, {i32}, {ref_null, 4, ref_is_null});
  EXPECT_STARTS(body({}, {}, {ref_null, 9, drop}), "invalid: unknown type 9");
  EXPECT_STARTS(body({}, {}, {ref_null, 0x40, drop}), "malformed: malformed heap type");
  EXPECT_MISMATCH({}, {i32}, {i32_const, 0, ref_is_null});
}

TEST(ValidateCode, TypedFunctionReferences) {
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, ref_func, 1, 0x14, 2});
  EXPECT_VALID({}, {i64}, {i32_const, 0, i64_const, 0, ref_null, 2, 0x15, 2});
  EXPECT_MISMATCH({}, {i64}, {i32_const, 0, i64_const, 0, ref_func, 1, 0x14, 1});
  EXPECT_MISMATCH({}, {i32}, {i32_const, 0, i64_const, 0, ref_func, 1, 0x15, 2});
  EXPECT_MISMATCH({}, {}, {ref_null, 4, 0x14, 4});  // a struct type
  EXPECT_STARTS(body({}, {}, {unreachable, 0x14, 9}), "invalid: unknown type 9");
  EXPECT_VALID({}, {0x70}, {ref_null, 0x70, 0xd4});
  EXPECT_MISMATCH({}, {}, {i32_const, 0, 0xd4, drop});
  EXPECT_VALID({}, {}, {ref_null, 0x70, 0xd5, 0, drop});
  EXPECT_MISMATCH({}, {i32}, {ref_null, 0x70, 0xd5, 0, drop, i32_const, 0});
  EXPECT_VALID({}, {0x70}, {ref_null, 0x70, 0xd6, 0, unreachable});
  EXPECT_MISMATCH({}, {0x6f}, {ref_null, 0x70, 0xd6, 0, unreachable});
  EXPECT_MISMATCH({}, {}, {ref_null, 0x70, 0xd6, 0});
}

TEST(ValidateCode, Branches) {
  EXPECT_STARTS(body({}, {}, {br, 1}), "invalid: unknown label 1");
  EXPECT_STARTS(body({}, {}, {i32_const, 0, br_if, 1}), "invalid: unknown label 1");
  EXPECT_VALID({i32}, {i32}, {i32_const, 5, local_get, 0, br_if, 0});
  EXPECT_MISMATCH({i32}, {i32}, {local_get, 0, br_if, 0, i32_const, 5});
  EXPECT_MISMATCH({i64}, {}, {local_get, 0, br_if, 0});
  EXPECT_MISMATCH({}, {i32}, {i64_const, 0, return_op});
  EXPECT_MISMATCH({}, {}, {i32_const, 0});
  EXPECT_MISMATCH({}, {i32}, {});
  EXPECT_VALID({}, {}, {i32_const, 0, i32_const, 0, br, 0});  // a branch drops what lies below
  // br_if leaves the types of its label: what was (ref null func) below it is externref's no more than before.
  EXPECT_MISMATCH({}, {0x70}, {block, 0x70, ref_func, 1, i32_const, 0, br_if, 0, 0xd4, 0x15, 2, end});
}

TEST(ValidateCode, ImplementationLimits) {
  const std::size_t depth = limits::block_depth;
  EXPECT_VALID({}, {}, test::repeat({block, empty_block}, depth) + test::repeat({end}, depth));
  EXPECT_STARTS(body({}, {}, test::repeat({block, empty_block}, depth + 1) + test::repeat({end}, depth + 1)),
                "limit: too many nested blocks");
  EXPECT_STARTS(body({}, {}, test::repeat({loop, empty_block}, 100'000)), "limit: too many nested blocks");
  EXPECT_STARTS(body({}, {}, test::repeat({loop, 1}, 100'000)), "limit: too many nested blocks");
  EXPECT_STARTS(body({}, {}, test::repeat({i32_const, 0, if_op, empty_block}, 100'000)),
                "limit: too many nested blocks");
  const std::size_t height = limits::operand_height;
  EXPECT_VALID({}, {}, test::repeat({i32_const, 0}, height) + Bytes{return_op});
  EXPECT_STARTS(body({}, {}, test::repeat({i32_const, 0}, height + 1) + Bytes{return_op}), "limit: too many operands");
  EXPECT_STARTS(body({}, {}, test::repeat({call, 2}, height / 2 + 1) + Bytes{return_op}), "limit: too many operands");
}

}  // namespace
}  // namespace tfvm
