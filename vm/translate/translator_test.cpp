// What the translator makes of functions: the same results as the oracle where values are pending, pinned or many, and
// code that is linear in the body, the same each time.
#include "vm/translate/translator.hpp"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

#include "vm/test_executors.hpp"

namespace tfvm::test {
namespace {

using interpreter::Byte;
using interpreter::SourcePosition;
using interpreter::Translator;

const Bytes loop = {0x03, empty_block}, block = {0x02, empty_block}, br_if_0 = {0x0d, 0x00}, br_0 = {0x0c, 0x00};

Bytes locals_of(std::uint32_t count, std::uint8_t type) { return Bytes{1} + unsigned_leb(count) + Bytes{type}; }

// ---- pinned locals

/// Constant, addition and multiplication of a value type.
struct Arithmetic {
  std::uint8_t type;
  Bytes constant, add, multiply;
};
const Arithmetic arithmetics[] = {{i32, i32_const(3), {0x6a}, {0x6c}},
                                  {i64, i64_const(-5), {0x7c}, {0x7e}},
                                  {f32, {0x43, 0x00, 0x00, 0xc0, 0x3f}, {0x92}, {0x94}},
                                  {f64, {0x44, 0, 0, 0, 0, 0, 0, 0xf4, 0x3f}, {0xa0}, {0xa2}}};

/// Function 0: uses all registers that pins could have, in a loop, and calls itself once more.
void add_disturber(ModuleBuilder& builder) {
  const std::uint32_t type = builder.type({i32}, {i32});
  Bytes body = loop;
  for (std::uint32_t local = 1; local <= 4; ++local)
    body = body + local_get(local) + Bytes{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0xa0} + local_set(local);
  for (std::uint32_t local = 5; local <= 8; ++local)
    body = body + local_get(local) + i32_const(0x5555) + i32_add + local_set(local);
  body = body + local_get(8) + i32_const(0x5555 * 3) + Bytes{0x49} + br_if_0 + end;
  body = body + local_get(0) + Bytes{0x04, empty_block} + i32_const(0) + call_function(0) + drop + end + local_get(8) +
         local_get(0) + i32_mul;
  builder.function(type, body, {2, 4, f64, 4, i32});
}

/// `count` locals of one type that a loop computes with, with calls in front, in between, or in one arm only.
Bytes pinning_module(const Arithmetic& arithmetic, std::uint32_t count, bool calls_in_arm) {
  ModuleBuilder builder;
  add_disturber(builder);
  const Bytes call = local_get(0) + call_function(0) + drop;
  Bytes body = loop;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t next = 1 + (i + 1) % count;
    body = body + local_get(1 + i) + local_get(next) + arithmetic.add + arithmetic.constant + arithmetic.multiply +
           local_set(1 + i);
    if (!calls_in_arm && i % 2 == 0) body = body + call;
  }
  if (calls_in_arm)
    body = body + local_get(0) + i32_const(1) + Bytes{0x71, 0x04, empty_block} + call + Bytes{0x05} + local_get(1) +
           arithmetic.constant + arithmetic.add + local_set(1) + end;
  body = body + local_get(0) + i32_const(1) + i32_sub + local_tee(0) + br_if_0 + end;
  Bytes code;
  for (std::uint32_t i = 0; i < count; ++i) code = code + arithmetic.constant + local_set(1 + i);
  code = code + body;
  for (std::uint32_t i = 0; i < count; ++i) code = code + local_get(1 + i);
  const std::uint32_t type = builder.type({i32}, Bytes(count, arithmetic.type));
  builder.export_item("run", 0, builder.function(type, code, locals_of(count, arithmetic.type)));
  return builder.build();
}

TEST(PinnedLocals, SurviveCallsInLoops) {
  for (const Arithmetic& arithmetic : arithmetics) {
    for (const std::uint32_t count : {1u, 2u, 3u, 5u}) {
      for (const bool calls_in_arm : {false, true}) {
        const Outcome outcome = run_on_both(pinning_module(arithmetic, count, calls_in_arm), {Value::i32(7)});
        EXPECT_EQ(outcome.trap, TrapKind::None);
        ASSERT_EQ(outcome.values.size(), count);
        EXPECT_NE(outcome.values[0], 0u);
      }
    }
  }
}

TEST(PinnedLocals, ParametersAndZeroesAreThereAtTheStart) {
  // Hot parameters of all types and hot locals that nothing sets first.
  const Bytes code = loop + local_get(1) + local_get(4) + Bytes{0x7c} + local_set(4) + local_get(2) + local_get(5) +
                     Bytes{0x92} + local_set(5) + local_get(0) + i32_const(1) + i32_sub + local_tee(0) + br_if_0 + end +
                     local_get(0) + local_get(4) + local_get(5) + local_get(3) + local_get(3) + Bytes{0xa0};
  const Outcome outcome =
      run_code({i32, i64, f32, f64}, {i32, i64, f32, f64}, code,
               {Value::i32(4), Value::i64(1000), Value::f32(0.5F), Value::f64(1.25)}, {2, 1, i64, 1, f32});
  ASSERT_EQ(outcome.values.size(), 4u);
  EXPECT_EQ(outcome.values[0], 0u);
  EXPECT_EQ(outcome.values[1], 4000u);
  EXPECT_EQ(outcome.values[2], Slot::f32(2).bits);
  EXPECT_EQ(outcome.values[3], Slot::f64(2.5).bits);
}

TEST(PinnedLocals, ConversionsBetweenPinnedIntegersAndFloats) {
  const Bytes code = loop + local_get(1) + local_get(0) + Bytes{0xb7, 0xa0} + local_set(1) + local_get(2) +
                     local_get(1) + Bytes{0xb6, 0x92} + local_set(2) + local_get(3) + local_get(2) +
                     Bytes{0xfc, 0x04, 0x7c} + local_set(3) + local_get(0) + i32_const(1) + i32_sub + local_tee(0) +
                     br_if_0 + end + local_get(3) + local_get(2) + local_get(1);
  const Outcome outcome = run_code({i32}, {i64, f32, f64}, code, {Value::i32(10)}, {3, 1, f64, 1, f32, 1, i64});
  ASSERT_EQ(outcome.values.size(), 3u);
  EXPECT_EQ(outcome.values[2], Slot::f64(55).bits);
}

// ---- pending values

TEST(PendingValues, KeepWhatALocalWasBeforeItIsSet) {
  // x, x := 5, x: 100 * old + new, by set and by tee
  for (const Bytes& assign : {i32_const(5) + local_set(0), i32_const(5) + local_tee(0) + drop}) {
    const Bytes code = local_get(0) + i32_const(100) + i32_mul + assign + local_get(0) + i32_add;
    EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(7)}).i32(), 705u);
    EXPECT_EQ(
        run_code({i32}, {i32}, local_get(0) + local_get(0) + assign + local_get(0) + i32_mul + i32_add, {Value::i32(7)})
            .i32(),
        42u);
  }
}

TEST(PendingValues, AreOldWhereACallChangesTheirSource) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.global(i32, true, i32_const(1) + end);
  const std::uint32_t change =
      builder.function(builder.type({i32}, {i32}),
                       i32_const(50) + Bytes{0x24, 0x00} + i32_const(0) + i32_const(60) + i32_store + local_get(0));
  // global, memory, local and a constant pending; the callee's result in between; all summed with weights
  const Bytes pending = Bytes{0x23, 0x00} + i32_const(0) + i32_load + local_get(0) + i32_const(9) + i32_mul +
                        i32_const(4) + call_function(change);
  const Bytes weighted = repeat(i32_const(10) + i32_mul + i32_add, 3);
  export_function(builder, "run", {i32}, {i32}, pending + weighted + Bytes{0x23, 0x00} + i32_add);
  // global 1, memory 0, local 2 * 9 = 18, call 4: 1 + 10 * (0 + 10 * (18 + 10 * 4)), and the global as it is then
  EXPECT_EQ(run_on_both(builder.build(), {Value::i32(2)}).i32(), 1u + 10 * (0 + 10 * (18 + 10 * 4)) + 50);
}

TEST(PendingValues, OfAGlobalAloneIsOldWhereACallSetsIt) {
  ModuleBuilder builder;
  builder.global(i32, true, i32_const(1) + end);
  const std::uint32_t change = builder.function(builder.type({}, {}), i32_const(50) + Bytes{0x24, 0x00});
  export_function(builder, "run", {}, {i32}, Bytes{0x23, 0x00} + call_function(change) + Bytes{0x23, 0x00, 0x6b});
  EXPECT_EQ(run_on_both(builder.build(), {}).i32(), static_cast<std::uint32_t>(1 - 50));
}

TEST(PendingValues, OfGlobalsAreOldWhereTheGlobalIsSet) {
  // Own global: 17 pending, set to 5, read again.
  const Bytes own = Bytes{0x23, 0x00} + i32_const(100) + i32_mul + i32_const(5) + Bytes{0x24, 0x00, 0x23, 0x00};
  EXPECT_EQ(run_code({}, {i32}, own + i32_add).i32(), 1705u);
  // One global imported under two indices.
  ModuleBuilder owner;
  owner.global(i32, true, i32_const(3) + end);
  owner.export_item("g", 3, 0);
  ModuleBuilder builder;
  builder.import("owner", "g", {0x03, i32, 0x01});
  builder.import("owner", "g", {0x03, i32, 0x01});
  export_function(builder, "run", {}, {i32},
                  Bytes{0x23, 0x00} + i32_const(5) + Bytes{0x24, 0x01, 0x23, 0x00} + i32_const(10) + i32_mul + i32_add);
  const Outcome outcome = run_on_both(builder.build(), {}, {}, [&](World& world) {
    world.linker.define_instance("owner", *world.instantiate(owner.build()));
  });
  EXPECT_EQ(outcome.i32(), 53u);
}

TEST(PendingValues, CrossConditionalBranches) {
  // block (result i32): load(0) pending, br_if with the value of a local; else their sum
  const Bytes code = i32_const(0) + i32_const(30) + i32_store + Bytes{0x02, i32} + i32_const(0) + i32_load +
                     local_get(0) + i32_const(2) + i32_mul + local_get(1) + br_if_0 + i32_add + end + i32_const(1) +
                     i32_add;
  EXPECT_EQ(run_code({i32, i32}, {i32}, code, {Value::i32(4), Value::i32(0)}).i32(), 39u);
  EXPECT_EQ(run_code({i32, i32}, {i32}, code, {Value::i32(4), Value::i32(1)}).i32(), 9u);
}

TEST(PendingValues, TrapBeforeTheEffectBehindThem) {
  const Bytes division = i32_const(1) + local_get(0) + i32_div_s;
  const Bytes effects[] = {i32_const(5) + Bytes{0x24, 0x00},
                           i32_const(0) + i32_const(1) + i32_store,
                           i32_const(0) + i32_const(1) + i32_const(9) + Bytes{0xfc, 0x0b, 0x00},
                           i32_const(-4) + i32_load + drop,
                           {0x00}};
  for (const Bytes& effect : effects) {
    const Outcome outcome = run_code({i32}, {i32}, division + effect, {Value::i32(0)});
    EXPECT_EQ(outcome.trap, TrapKind::IntegerDivideByZero);
    EXPECT_EQ(outcome.memory_hash, run_code({}, {}, {}).memory_hash);
  }
}

TEST(PendingValues, MayBeMoreThanFitAnyTree) {
  for (const std::uint32_t count : {31u, 32u, 33u, 40u, 100u}) {
    Bytes code;
    for (std::uint32_t i = 0; i < count; ++i) code = code + local_get(0) + i32_const(i) + i32_add;
    code = code + i32_const(1) + local_set(0);
    for (std::uint32_t i = 1; i < count; ++i) code = code + (i % 3 == 0 ? i32_sub : i32_mul);
    EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(3)}).trap, TrapKind::None);
  }
}

TEST(PendingValues, OfAllTypesSurviveALoop) {
  const Bytes code = local_get(0) + i64_const(1) + Bytes{0x7c} + local_get(1) + local_get(1) + Bytes{0xa2} +
                     Bytes{0x03, empty_block} + local_get(0) + i64_const(1) + Bytes{0x7d} + Bytes{0x22, 0x00} +
                     local_get(1) + local_get(1) + Bytes{0xa0} + local_set(1) + Bytes{0x50, 0x45} + br_if_0 + end +
                     local_get(1);
  const Outcome outcome = run_code({i64, f64}, {i64, f64, f64}, code, {Value::i64(3), Value::f64(1.5)});
  ASSERT_EQ(outcome.values.size(), 3u);
  EXPECT_EQ(outcome.values[0], 4u);
  EXPECT_EQ(outcome.values[1], Slot::f64(2.25).bits);
  EXPECT_EQ(outcome.values[2], Slot::f64(12).bits);
}

// ---- blocks and branches

TEST(Blocks, LoopsWithManyParametersRotateThem) {
  ModuleBuilder builder;  // (a, b, n) -> fibonacci by a loop with three parameters
  const std::uint32_t three = builder.type({i32, i32, i32}, {i32, i32, i32});
  const Bytes body = local_set(2) + local_set(1) + local_set(0) + local_get(1) + local_get(0) + local_get(1) + i32_add +
                     local_get(2) + i32_const(1) + i32_sub + local_tee(2) + local_get(2) + br_if_0;
  const Bytes code = local_get(0) + local_get(1) + local_get(2) + Bytes{0x03} + unsigned_leb(three) + body + end;
  builder.export_item("run", 0, builder.function(three, code));
  const Outcome outcome = run_on_both(builder.build(), {Value::i32(0), Value::i32(1), Value::i32(10)});
  ASSERT_EQ(outcome.values.size(), 3u);
  EXPECT_EQ(outcome.values[0], 55u);
  EXPECT_EQ(outcome.values[1], 89u);
}

TEST(Blocks, BranchesTakeSeveralValuesPastOthers) {
  ModuleBuilder builder;
  const std::uint32_t pair = builder.type({}, {i32, i32});
  // block (result i32 i32): junk, junk, a, b, branch if x; else drop all and give 1, 2
  const Bytes inner = i32_const(70) + i32_const(71) + local_get(0) + i32_const(5) + i32_add + local_get(0) +
                      local_get(1) + br_if_0 + repeat(drop, 4) + i32_const(1) + i32_const(2);
  const Bytes code = i32_const(1000) + Bytes{0x02} + unsigned_leb(pair) + inner + end + i32_mul + i32_add;
  export_function(builder, "run", {i32, i32}, {i32}, code);
  EXPECT_EQ(run_on_both(builder.build(), {Value::i32(3), Value::i32(1)}).i32(), 1024u);
  EXPECT_EQ(run_on_both(builder.build(), {Value::i32(3), Value::i32(0)}).i32(), 1002u);
}

TEST(Blocks, ATableOfTenThousandLabels) {
  constexpr std::uint32_t count = 10'000;
  Bytes labels;
  for (std::uint32_t i = 0; i <= count; ++i) labels = std::move(labels) + unsigned_leb(i);
  // Every block's end counts: label n passes count + 1 - n of them.
  const Bytes code = repeat(block, count + 1) + local_get(0) + Bytes{0x0e} + unsigned_leb(count) + labels +
                     repeat(end + local_get(1) + i32_const(1) + i32_add + local_set(1), count + 1) + local_get(1);
  ModuleBuilder builder;
  builder.export_item("run", 0, builder.function(builder.type({i32}, {i32}), code, {1, 1, i32}));
  World world;
  ModuleInstance* const instance = world.instantiate(builder.build());
  ASSERT_NE(instance, nullptr);
  for (const std::uint32_t index : {0u, 1u, 4999u, 9998u, 9999u, 10'000u, 10'001u, UINT32_MAX})
    EXPECT_EQ(world.call_i32(instance, "run", {Value::i32(index)}), count + 1 - std::min(index, count)) << index;
}

TEST(Blocks, TablesTakeValuesToLabelsOfAnyHeight) {
  // Three blocks with a result, each above one more operand; the index chooses how many are dropped.
  const Bytes code = Bytes{0x02, i32} + i32_const(100) + Bytes{0x02, i32} + i32_const(200) + Bytes{0x02, i32} +
                     i32_const(300) + local_get(0) + i32_const(7) + i32_mul + local_get(0) +
                     Bytes{0x0e, 3, 0, 1, 2, 3} + end + i32_add + end + i32_add + end;
  EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(0)}).i32(), 300u);
  EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(1)}).i32(), 107u);
  EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(2)}).i32(), 14u);
  EXPECT_EQ(run_code({i32}, {i32}, code, {Value::i32(3)}).i32(), 21u);
}

// ---- many

TEST(ManyValues, AThousandParametersAndResults) {
  constexpr std::uint32_t count = 1000;
  ModuleBuilder builder;
  const Bytes types(count, i64);
  const std::uint32_t type = builder.type(types, types);
  builder.table({funcref_byte, 0x00, 1});
  builder.element(Bytes{0x00} + i32_const(0) + end + sized({0}));
  Bytes forward, reversed;
  for (std::uint32_t i = 0; i < count; ++i) {
    forward = forward + local_get(i);
    reversed = reversed + local_get(count - 1 - i);
  }
  builder.function(type, reversed);
  const Bytes calls[] = {call_function(0), i32_const(0) + Bytes{0x11} + unsigned_leb(type) + Bytes{0},
                         Bytes{0x12, 0x00}, i32_const(0) + Bytes{0x13} + unsigned_leb(type) + Bytes{0}};
  for (const Bytes& call : calls) {
    ModuleBuilder with_call = builder;
    with_call.export_item("run", 0, with_call.function(type, forward + call));
    std::vector<Value> arguments;
    for (std::uint64_t i = 0; i < count; ++i) arguments.push_back(Value::i64(i << 33));
    const Outcome outcome = run_on_both(with_call.build(), arguments);
    ASSERT_EQ(outcome.values.size(), count);
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(outcome.values[i], (count - 1 - i) << 33);
  }
}

TEST(ManyValues, FiftyThousandLocals) {
  constexpr std::uint32_t count = 50'000;
  const Bytes code = i64_const(5) + local_set(count - 1) + local_get(count / 2) + local_get(count - 1) + Bytes{0x7c} +
                     local_set(64) + local_get(0) + local_get(64) + Bytes{0x7c} + local_get(128) + Bytes{0x7c};
  const Outcome outcome = run_code({}, {i64}, code, {}, locals_of(count, i64));
  ASSERT_EQ(outcome.values.size(), 1u);
  EXPECT_EQ(outcome.values[0], 5u);
}

TEST(ManyValues, TenThousandOperandsPending) {
  for (const std::uint32_t count : {10'000u, 60'000u}) {
    const Bytes sum = repeat(local_get(0) + i32_const(2) + i32_mul, count) + repeat(i32_add, count - 1);
    EXPECT_EQ(run_code({i32}, {i32}, sum, {Value::i32(3)}).i32(), 6 * count);
    // Each operand could trap.
    const Bytes loads = repeat(local_get(0) + i32_load, count) + repeat(i32_add, count - 1);
    EXPECT_EQ(run_code({i32}, {i32}, loads, {Value::i32(0)}).i32(), 0u);
    EXPECT_EQ(run_code({i32}, {i32}, loads, {Value::i32(UINT32_MAX)}).trap, TrapKind::OutOfBoundsMemoryAccess);
  }
}

// ---- the code itself

struct Translation {
  std::vector<Byte> code;
  std::vector<SourcePosition> positions;
  std::uint32_t frame_bytes = 0;
};

/// The last function of the module, placed at `where` if given: code holds addresses.
Translation translate(const LoadedModule& module, CodeKey key = {false, true}, std::vector<Byte>* where = nullptr) {
  Translator translator(module.code().variant(key));
  translator.translate(static_cast<std::uint32_t>(module.module().functions.size() - 1));
  Translation result;
  std::vector<Byte> own;
  std::vector<Byte>& place = where != nullptr ? *where : own;
  place.resize(std::max<std::size_t>(place.size(), translator.emitter().size()));
  translator.emitter().place(place.data());
  result.code.assign(place.begin(), place.begin() + translator.emitter().size());
  result.positions = translator.emitter().positions();
  result.frame_bytes = translator.frame_bytes();
  return result;
}

Translation translate_code(const Bytes& params, const Bytes& results, const Bytes& code, const Bytes& locals = {0}) {
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.function(builder.type(params, results), code, locals);
  World world;
  const auto module = world.load(builder.build());
  return module == nullptr ? Translation{} : translate(*module);
}

TEST(TranslatedCode, IsTheSameEachTimeInEveryVariant) {
  World world;
  const auto module = world.load(pinning_module(arithmetics[3], 5, true));
  ASSERT_NE(module, nullptr);
  std::vector<Byte> place;
  for (const CodeKey key : {CodeKey{false, false}, {false, true}, {true, false}, {true, true}}) {
    const Translation first = translate(*module, key, &place);
    const Translation second = translate(*module, key, &place);
    EXPECT_EQ(first.code, second.code);
    EXPECT_EQ(first.frame_bytes, second.frame_bytes);
    ASSERT_EQ(first.positions.size(), second.positions.size());
    EXPECT_EQ(
        std::memcmp(first.positions.data(), second.positions.data(), first.positions.size() * sizeof(SourcePosition)),
        0);
    const ByteRange body = module->module().functions[1].body;
    for (std::size_t i = 0; i < first.positions.size(); ++i) {
      EXPECT_EQ(first.positions[i].code_offset % 8, 0u);
      if (i != 0) {
        EXPECT_GT(first.positions[i].code_offset, first.positions[i - 1].code_offset);
      }
      EXPECT_GE(first.positions[i].module_offset, body.offset);
      EXPECT_LT(first.positions[i].module_offset, body.offset + body.size);
    }
  }
}

TEST(TranslatedCode, HasNothingOfDeadCodeAndNops) {
  const std::size_t plain = translate_code({i32}, {i32}, local_get(0) + Bytes{0x0f}).code.size();
  const Bytes dead = repeat(block + i32_const(7) + drop + end + i32_const(1) + i32_load + drop, 100);
  EXPECT_EQ(translate_code({i32}, {i32}, local_get(0) + Bytes{0x0f} + dead).code.size(), plain);
  EXPECT_EQ(translate_code({i32}, {i32}, repeat({0x01}, 100) + local_get(0) + Bytes{0x0f}).code.size(), plain);
  EXPECT_EQ(translate_code({i32}, {i32}, repeat(i32_const(1) + drop, 100) + local_get(0) + Bytes{0x0f}).code.size(),
            plain);
}

TEST(TranslatedCode, PutsAnOperatorOverLeavesInOneInstruction) {
  const std::size_t nothing = translate_code({}, {}, {}).positions.size();
  const Bytes ten_locals = locals_of(10, i32);
  // local 3 := local 4 + local 5: each local once, so that none is pinned
  const Bytes add = local_get(4) + local_get(5) + i32_add + local_set(3);
  EXPECT_LE(translate_code({}, {}, add, ten_locals).positions.size(), nothing + 2);  // and zeroing the locals
  const Bytes load = local_get(4) + i32_load + local_set(3);
  EXPECT_LE(translate_code({}, {}, load, ten_locals).positions.size(), nothing + 2);
  const Bytes compare = block + local_get(4) + local_get(5) + Bytes{0x48, 0x0d, 0x00, 0x0b};
  EXPECT_LE(translate_code({}, {}, compare, ten_locals).positions.size(), nothing + 2);
}

/// Code that is repeated, and what comes behind.
struct Shape {
  const char* name;
  Bytes repeated, behind;
};

TEST(TranslatedCode, GrowsAsTheBodyGrows) {
  const Bytes mixed = local_get(0) + local_get(1) + i32_mul + local_get(1) + i32_load + i32_add + local_set(0) +
                      local_get(0) + i32_const(4) + Bytes{0x71} + local_get(1) + i32_store;
  const Shape shapes[] = {
      {"mixed", mixed, {}},
      {"pending, never used", local_get(0) + local_get(1) + i32_add, Bytes{0x00}},
      {"operators on one tree", local_get(0) + i32_load, Bytes{0x00}},
      {"blocks that open", block, Bytes{0x00}},
      {"loops that open", loop + local_get(0) + local_get(1) + i32_add + local_set(0), Bytes{0x00}},
      {"branches", block + local_get(0) + local_get(1) + Bytes{0x48} + br_if_0 + end, {}},
      {"conditional returns", local_get(0) + Bytes{0x0d, 0x00}, {}},
      {"calls", local_get(0) + local_get(1) + call_function(0), {}},
      {"tables", block + local_get(0) + Bytes{0x0e, 3, 0, 1, 0, 1} + end, {}},
  };
  for (const Shape& shape : shapes) {
    std::size_t sizes[2];
    for (const std::size_t twice : {0u, 1u}) {
      const std::size_t count = std::size_t{10'000} << twice;
      Bytes code = repeat(shape.repeated, count) + shape.behind;
      const std::size_t opened = shape.repeated[0] == 0x02 || shape.repeated[0] == 0x03 ? count : 0;
      if (shape.repeated.back() != 0x0b) code = std::move(code) + repeat(end, opened);
      sizes[twice] = translate_code({i32, i32}, {}, code).code.size();
    }
    EXPECT_GE(sizes[1], sizes[0]) << shape.name;
    EXPECT_LE(sizes[1], sizes[0] * 21 / 10 + 256) << shape.name;
  }
}

TEST(TranslatedCode, OfTwoHundredThousandInstructionsRuns) {
  // x := x * 5 + y; y := y ^ x: nine instructions a round
  const Bytes round = local_get(0) + i32_const(5) + i32_mul + local_get(1) + i32_add + local_tee(0) + local_get(1) +
                      Bytes{0x73} + local_set(1);
  constexpr std::uint32_t rounds = 200'000 / 9 + 1;
  std::uint32_t x = 3, y = 4;
  for (std::uint32_t i = 0; i < rounds; ++i) {
    x = x * 5 + y;
    y ^= x;
  }
  const Outcome outcome = run_code({i32, i32}, {i32, i32}, repeat(round, rounds) + local_get(0) + local_get(1),
                                   {Value::i32(3), Value::i32(4)});
  ASSERT_EQ(outcome.values.size(), 2u);
  EXPECT_EQ(outcome.values[0], x);
  EXPECT_EQ(outcome.values[1], y);
}

TEST(TranslatedCode, NeedsAFrameOfItsLocalsAndOperands) {
  const std::uint32_t small = translate_code({}, {}, {}).frame_bytes;
  EXPECT_LT(small, 512u);
  EXPECT_GE(translate_code({}, {}, {}, locals_of(1000, i64)).frame_bytes, 1000u * 8);
  EXPECT_LT(translate_code({}, {}, {}, locals_of(1000, i64)).frame_bytes, 1000u * 8 + 512);
  const Bytes deep = repeat(local_get(0) + i32_load, 1000) + repeat(drop, 1000);
  EXPECT_GE(translate_code({i32}, {}, deep).frame_bytes, 1000u * 8);
}

}  // namespace
}  // namespace tfvm::test
