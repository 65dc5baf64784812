#include <cstdlib>
#include <gtest/gtest.h>

#include "decoder/const_expr.hpp"
#include "decoder/limits.hpp"
#include "decoder/module.hpp"
#include "decoder/test_module.hpp"

namespace tfvm {
namespace {

using test::Bytes;
using test::ModuleBuilder;
using test::verdict;

std::shared_ptr<const Module> load(const Bytes& bytes, FeatureSet features = {}) {
  auto module = load_module(bytes, std::make_shared<TypeRegistry>(), features);
  EXPECT_TRUE(module.ok()) << (module.ok() ? "" : module.error().to_string());
  return module.ok() ? std::move(module).value() : nullptr;
}

Error error_of(const Bytes& bytes) {
  auto module = load_module(bytes, std::make_shared<TypeRegistry>());
  EXPECT_FALSE(module.ok());
  return module.ok() ? Error{} : module.error();
}

Bytes with_sections(const Bytes& sections) { return ModuleBuilder::preamble() + sections; }
Bytes with_section(std::uint8_t id, const Bytes& contents) {
  return with_sections(ModuleBuilder::section(id, contents));
}

bool starts_with(const std::string& text, std::string_view start) { return text.rfind(start, 0) == 0; }
#define EXPECT_STARTS(text, start) EXPECT_PRED2(starts_with, text, start)

const Bytes zero = {0x41, 0x00, 0x0b};  // i32.const 0, end

// A module with something in every section.
Bytes rich_module() {
  ModuleBuilder builder;
  builder.type({}, {});
  builder.type({test::i32, test::i64}, {test::f32, test::f64});
  builder.raw_type({0x4e, 2, 0x50, 0, 0x5f, 1, 0x63, 3, 1, 0x4f, 1, 2, 0x5f, 2, 0x63, 3, 1, 0x78, 0});
  builder.import("env", "f", {0x00, 0x00});
  builder.import("env", "t", {0x01, 0x70, 0x01, 1, 9});
  builder.import("env", "m", {0x02, 0x00, 1});
  builder.import("env", "g", {0x03, test::i32, 0x00});
  builder.function(0, {0x41, 0, 0x10, 0, 0x1a});
  builder.function(0, {0x02, 0x40, 0x0c, 0, 0x0b, 0xfc, 0x09, 0});
  builder.table({0x40, 0x00, 0x70, 0x00, 2, 0xd2, 0, 0x0b});
  builder.memory({0x05, 1, 0x80, 0x80, 4});
  builder.global(test::i32, true, {0x23, 0, 0x41, 1, 0x6a, 0x0b});
  builder.export_item("run", 0, 1);
  builder.start(1);
  builder.element(Bytes{0x00} + zero + Bytes{2, 0, 1});
  builder.element({0x05, 0x70, 2, 0xd0, 0x70, 0x0b, 0xd2, 1, 0x0b});
  builder.data_count(2);
  builder.data(Bytes{0x00} + zero + test::sized({'a', 'b'}));
  builder.data(Bytes{0x01} + test::sized({'c'}));
  builder.custom("name", {0, 2, 1, 'm', 1, 4, 1, 1, 1, 'f'});
  return builder.build();
}

TEST(DecodeModule, HoldsWhatTheSectionsSay) {
  const auto module = load(rich_module());
  ASSERT_TRUE(module);
  ASSERT_EQ(module->types.size(), 4u);
  EXPECT_EQ(to_string(module->types[1]->function()), "(i32, i64) -> (f32, f64)");
  EXPECT_FALSE(module->types[2]->is_final);
  EXPECT_EQ(module->types[3]->supertype, module->types[2]);
  EXPECT_TRUE(is_subtype(*module->types[3], *module->types[2]));
  EXPECT_EQ(module->types[3]->composite.fields[1].type, ValueType(ValueKind::I8));
  ASSERT_EQ(module->imports.size(), 4u);
  EXPECT_EQ(module->imports[2].module, "env");
  EXPECT_EQ(module->imports[2].name, "m");
  EXPECT_EQ(module->imports[2].kind, ExternKind::Memory);
  ASSERT_EQ(module->functions.size(), 3u);
  EXPECT_EQ(module->imported_functions, 1u);
  EXPECT_EQ(module->functions[0].body.size, 0u);
  EXPECT_EQ(module->bytes(module->functions[1].body)[1], 0x41);
  ASSERT_EQ(module->tables.size(), 2u);
  EXPECT_EQ(module->tables[0].type.limits, (Limits{1, 9, true}));
  EXPECT_EQ(module->tables[1].initializer.size, 3u);
  ASSERT_EQ(module->memories.size(), 2u);
  EXPECT_EQ(module->memories[1].address_type, AddressType::I64);
  EXPECT_EQ(module->memories[1].limits, (Limits{1, 65536, true}));
  ASSERT_EQ(module->globals.size(), 2u);
  EXPECT_TRUE(module->globals[1].type.is_mutable);
  EXPECT_EQ(module->exports.at(0).name, "run");
  EXPECT_EQ(module->start, 1u);
  EXPECT_EQ(module->data_count, 2u);
  EXPECT_EQ(module->data.at(0).bytes.size, 2u);
  EXPECT_EQ(module->data.at(1).mode, SegmentMode::Passive);
  EXPECT_EQ(module->custom_sections.at(0).name, "name");
  EXPECT_EQ(module->sections.size(), 13u);
}

TEST(DecodeModule, ConstantExpressionsCanBeWalked) {
  const auto module = load(rich_module());
  ASSERT_TRUE(module);
  std::vector<Op> ops;
  const auto collect = [&ops](const Instruction& instruction) { ops.push_back(instruction.op); };
  for_each_instruction(*module, module->globals[1].initializer, collect);
  EXPECT_EQ(ops, (std::vector{Op::GlobalGet, Op::I32Const, Op::I32Add}));
  std::vector<std::uint32_t> functions;
  for_each_function_index(*module, module->elements[0], [&](std::uint32_t index) { functions.push_back(index); });
  EXPECT_EQ(functions, (std::vector<std::uint32_t>{0, 1}));
  const ElementSegment& passive = module->elements[1];
  ASSERT_TRUE(passive.holds_expressions);
  ops.clear();
  Reader reader(module->bytes(), passive.items.offset, passive.items.offset + passive.items.size);
  for (std::uint32_t i = 0; i < passive.count; ++i) for_each_instruction(reader, *module, collect);
  EXPECT_EQ(ops, (std::vector{Op::RefNull, Op::RefFunc}));
  EXPECT_TRUE(reader.at_end());
}

TEST(DecodeModule, NotesTheFeaturesThatAreUsed) {
  const auto module = load(rich_module());
  ASSERT_TRUE(module);
  for (const Feature feature :
       {Feature::Mvp, Feature::MutableGlobals, Feature::MultiValue, Feature::BulkMemory, Feature::ReferenceTypes,
        Feature::ExtendedConst, Feature::MultiMemory, Feature::Memory64, Feature::Gc, Feature::FunctionReferences})
    EXPECT_EQ(module->features_used.has(feature), feature != Feature::MutableGlobals) << info(feature).name;
  ModuleBuilder plain;
  plain.function(plain.type({}, {}), {});
  FeatureSet mvp = FeatureSet::none();
  mvp.add(Feature::Mvp);
  EXPECT_EQ(load(plain.build())->features_used, mvp);
}

TEST(DecodeModule, Preamble) {
  EXPECT_EQ(verdict(with_sections({})), "valid");
  EXPECT_STARTS(verdict({}), "malformed: unexpected end");
  EXPECT_STARTS(verdict({0x00, 0x61, 0x73}), "malformed: unexpected end");
  EXPECT_STARTS(verdict({0x01, 0x61, 0x73, 0x6d, 1, 0, 0, 0}), "malformed: magic header not detected");
  EXPECT_STARTS(verdict({0x00, 0x61, 0x73, 0x6d, 2, 0, 0, 0}), "malformed: unknown binary version");
  EXPECT_STARTS(verdict({0x00, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0}), "malformed: unknown binary version");  // a component
}

TEST(DecodeModule, OrderAndSizeOfSections) {
  EXPECT_STARTS(verdict(with_sections({14, 0})), "malformed: malformed section id 14");
  EXPECT_STARTS(verdict(with_sections({1, 1, 0, 1, 1, 0})), "malformed: unexpected content after last section");
  EXPECT_STARTS(verdict(with_sections({3, 1, 0, 1, 1, 0})), "malformed: unexpected content after last section");
  EXPECT_STARTS(verdict(with_sections({1, 2, 0, 0})), "malformed: section size mismatch");
  EXPECT_STARTS(verdict(with_sections({1, 9, 0})), "malformed: length out of bounds");
  EXPECT_STARTS(verdict(with_sections({1, 0})), "malformed: unexpected end");
  EXPECT_STARTS(verdict(with_sections({1})), "malformed: unexpected end");
  // Data count stands between elements and code, whatever its id says.
  EXPECT_EQ(verdict(with_sections({9, 1, 0, 12, 1, 0, 10, 1, 0})), "valid");
  EXPECT_STARTS(verdict(with_sections({10, 1, 0, 12, 1, 0})), "malformed: unexpected content after last section");
}

TEST(DecodeModule, CountsOfFunctionsAndBodies) {
  const char* const message = "malformed: function and code section have inconsistent lengths";
  const Bytes types = ModuleBuilder::section(1, Bytes{1} + test::function_type_bytes({}, {}));
  EXPECT_STARTS(verdict(with_sections(types + Bytes{3, 2, 1, 0})), message);
  EXPECT_STARTS(verdict(with_sections({10, 4, 1, 2, 0, 0x0b})), message);
  EXPECT_STARTS(verdict(with_sections(types + Bytes{3, 2, 1, 0, 10, 7, 2, 2, 0, 0x0b, 2, 0, 0x0b})), message);
  EXPECT_EQ(verdict(with_sections({3, 1, 0})), "valid");
  EXPECT_EQ(verdict(with_sections({10, 1, 0})), "valid");
  const char* const data_message = "malformed: data count and data section have inconsistent lengths";
  EXPECT_STARTS(verdict(with_sections({12, 1, 1})), data_message);
  EXPECT_STARTS(verdict(with_sections({12, 1, 1, 11, 1, 0})), data_message);
  EXPECT_EQ(verdict(with_sections({12, 1, 0})), "valid");
}

TEST(DecodeModule, CustomSections) {
  EXPECT_EQ(verdict(with_section(0, {1, 'x', 1, 2, 3})), "valid");
  EXPECT_STARTS(verdict(with_section(0, {})), "malformed: unexpected end");
  EXPECT_STARTS(verdict(with_section(0, {2, 'x'})), "malformed: unexpected end");
  EXPECT_STARTS(verdict(with_section(0, {2, 0xed, 0xa0})), "malformed: malformed UTF-8 encoding");
}

TEST(DecodeModule, NamesAreUtf8) {
  for (const bool first : {false, true}) {
    ModuleBuilder builder;
    builder.type({}, {});
    builder.import(first ? "\xff" : "", first ? "" : "\xe2\x82", {0x00, 0x00});
    EXPECT_STARTS(verdict(builder.build()), "malformed: malformed UTF-8 encoding");
  }
  ModuleBuilder builder;
  builder.function(builder.type({}, {}), {});
  builder.export_item("\xf8", 0, 0);
  EXPECT_STARTS(verdict(builder.build()), "malformed: malformed UTF-8 encoding");
}

TEST(DecodeModule, Types) {
  EXPECT_STARTS(verdict(with_section(1, {1, 0x61})), "malformed: malformed type");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x60, 1, 0x40, 0})), "malformed: malformed value type");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x60, 1, 0x63, 0x40, 0})), "malformed: malformed heap type");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x5e, 0x7f, 2})), "malformed: malformed mutability");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x60, 1, 0x78, 0})), "malformed: malformed value type");  // packed
  EXPECT_STARTS(verdict(with_section(1, {1, 0x60, 1, 0x63, 1, 0})), "invalid: unknown type 1");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x50, 1, 0, 0x5f, 0})), "invalid: unknown type 0");  // its own supertype
  EXPECT_STARTS(verdict(with_section(1, {2, 0x5f, 0, 0x50, 1, 0, 0x5f, 0})), "invalid: sub type 1");  // final
  EXPECT_STARTS(verdict(with_section(1, {2, 0x50, 0, 0x5f, 0, 0x50, 1, 0, 0x60, 0, 0})), "invalid: sub type 1");
  EXPECT_EQ(verdict(with_section(1, {2, 0x50, 0, 0x5f, 0, 0x50, 1, 0, 0x5f, 0})), "valid");
  EXPECT_EQ(verdict(with_section(1, {1, 0x4e, 0})), "valid");  // an empty group defines nothing
  EXPECT_EQ(verdict(with_section(1, {1, 0x4e, 2, 0x60, 1, 0x64, 1, 0, 0x60, 1, 0x63, 0, 0})), "valid");
  EXPECT_STARTS(verdict(with_section(1, {1, 0x4e, 2, 0x60, 1, 0x64, 2, 0, 0x60, 0, 0})), "invalid: unknown type 2");
}

TEST(DecodeModule, StructurallyEqualTypesOfTwoModulesAreOne) {
  const auto registry = std::make_shared<TypeRegistry>();
  ModuleBuilder a;
  a.type({test::i32}, {});
  ModuleBuilder b;
  b.type({}, {});
  b.type({test::i32}, {});
  {
    const auto first = load_module(a.build(), registry);
    const auto second = load_module(b.build(), registry);
    EXPECT_EQ((*first)->types[0], (*second)->types[1]);
    EXPECT_EQ(registry->live_types(), 2u);
  }
  EXPECT_EQ(registry->live_types(), 0u);
  EXPECT_FALSE(load_module(with_section(1, {2, 0x60, 0, 0, 0x61}), registry).ok());
  EXPECT_EQ(registry->live_types(), 0u);
}

TEST(DecodeModule, LimitsOfMemoriesAndTables) {
  const auto memory = [](const Bytes& limits) { return verdict(with_section(5, Bytes{1} + limits)); };
  const auto table = [](const Bytes& limits) { return verdict(with_section(4, Bytes{1, 0x70} + limits)); };
  EXPECT_STARTS(memory({0x08, 0}), "malformed: malformed limits flags");
  EXPECT_STARTS(memory({0x81, 0x00, 0}), "malformed: malformed limits flags");
  EXPECT_STARTS(table({0x02, 0}), "malformed: malformed limits flags");
  EXPECT_EQ(memory({0x01, 0, 0x80, 0x80, 4}), "valid");
  EXPECT_STARTS(memory({0x00, 0x81, 0x80, 4}), "invalid: memory size must be at most 65536 pages (4GiB)");
  EXPECT_STARTS(memory({0x01, 0, 0x81, 0x80, 4}), "invalid: memory size must be at most 65536 pages (4GiB)");
  EXPECT_STARTS(memory({0x01, 2, 1}), "invalid: size minimum must not be greater than maximum");
  const Bytes two_to_48 = test::unsigned_leb(std::uint64_t{1} << 48);
  EXPECT_EQ(memory(Bytes{0x04} + two_to_48), "valid");
  EXPECT_STARTS(memory(Bytes{0x04} + test::unsigned_leb((std::uint64_t{1} << 48) + 1)), "invalid: memory size must be");
  EXPECT_EQ(table(Bytes{0x00} + test::unsigned_leb(UINT32_MAX)), "valid");
  EXPECT_STARTS(table(Bytes{0x00} + test::unsigned_leb(std::uint64_t{1} << 32)), "invalid: table size must be at most");
  EXPECT_EQ(table(Bytes{0x05, 0} + test::unsigned_leb(UINT64_MAX)), "valid");
  EXPECT_STARTS(table({0x01, 2, 1}), "invalid: size minimum must not be greater than maximum");
  EXPECT_STARTS(memory(Bytes{0x00} + test::repeat({0x80}, 10) + Bytes{0}),
                "malformed: integer representation too long");
}

TEST(DecodeModule, TableInitializers) {
  const auto table = [](const Bytes& type) {
    ModuleBuilder builder;
    builder.type({}, {});
    builder.function(0, {});
    builder.global(test::i32, false, zero);
    builder.table(type);
    return verdict(builder.build());
  };
  EXPECT_EQ(table({0x40, 0x00, 0x70, 0x00, 1, 0xd2, 0, 0x0b}), "valid");
  EXPECT_EQ(table({0x40, 0x00, 0x64, 0x70, 0x00, 1, 0xd2, 0, 0x0b}), "valid");
  EXPECT_STARTS(table({0x64, 0x70, 0x00, 1}), "invalid: type mismatch");
  EXPECT_STARTS(table({0x40, 0x00, 0x64, 0x70, 0x00, 1, 0xd0, 0x70, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(table({0x40, 0x00, 0x70, 0x00, 1, 0x41, 0, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(table({0x40, 0x01, 0x70, 0x00, 1, 0xd2, 0, 0x0b}), "malformed: malformed table");
  EXPECT_STARTS(table({0x40, 0x00, 0x70, 0x00, 1, 0x23, 0, 0x0b}), "invalid: unknown global 0");  // only imported ones
  EXPECT_STARTS(table({0x7f, 0x00, 1}), "malformed: malformed reference type");
}

TEST(DecodeModule, ImportsAndExports) {
  EXPECT_STARTS(verdict(with_section(2, {1, 0, 0, 5})), "malformed: malformed import kind");
  EXPECT_STARTS(verdict(with_section(2, {1, 0, 0, 0, 0})), "invalid: unknown type 0");
  EXPECT_STARTS(verdict(with_section(2, {1, 0, 0, 3, 0x7f, 4})), "malformed: malformed mutability");
  EXPECT_STARTS(verdict(with_section(7, {1, 0, 5, 0})), "malformed: malformed export kind");
  EXPECT_STARTS(verdict(with_section(7, {1, 0, 0, 0})), "invalid: unknown function 0");
  EXPECT_STARTS(verdict(with_section(7, {1, 0, 1, 7})), "invalid: unknown table 7");
  EXPECT_STARTS(verdict(with_section(7, {1, 0, 2, 0})), "invalid: unknown memory 0");
  EXPECT_STARTS(verdict(with_section(7, {1, 0, 3, 0})), "invalid: unknown global 0");
  ModuleBuilder builder;
  builder.memory({0x00, 1});
  builder.export_item("a", 2, 0);
  builder.export_item("b", 2, 0);
  EXPECT_EQ(verdict(builder.build()), "valid");
  builder.export_item("a", 2, 0);
  EXPECT_STARTS(verdict(builder.build()), "invalid: duplicate export name");
  ModuleBuilder no_function;
  no_function.raw_type({0x5f, 0});
  no_function.import("", "", {0x00, 0x00});
  EXPECT_STARTS(verdict(no_function.build()), "invalid: type mismatch: type 0 is no function type");
}

TEST(DecodeModule, Start) {
  EXPECT_STARTS(verdict(with_section(8, {0})), "invalid: unknown function 0");
  for (const bool has_param : {false, true}) {
    ModuleBuilder builder;
    builder.function(builder.type(has_param ? Bytes{test::i32} : Bytes{}, has_param ? Bytes{} : Bytes{test::i32}),
                     {0x00});
    builder.start(0);
    EXPECT_STARTS(verdict(builder.build()), "invalid: start function");
  }
}

TEST(DecodeModule, Globals) {
  const auto global = [](std::uint8_t type, bool is_mutable, const Bytes& initializer) {
    ModuleBuilder builder;
    builder.import("", "immutable", {0x03, test::i32, 0});
    builder.import("", "mutable", {0x03, test::i32, 1});
    builder.global(type, is_mutable, initializer);
    return verdict(builder.build());
  };
  EXPECT_EQ(global(test::i32, true, {0x23, 0, 0x0b}), "valid");
  EXPECT_EQ(global(test::i64, true, {0x42, 3, 0x42, 4, 0x7e, 0x42, 1, 0x7d, 0x0b}), "valid");
  EXPECT_STARTS(global(test::i32, false, {0x23, 1, 0x0b}), "invalid: constant expression required");
  EXPECT_STARTS(global(test::i32, false, {0x23, 2, 0x0b}), "invalid: unknown global 2");  // itself
  EXPECT_STARTS(global(test::i32, false, {0x42, 0, 0x0b}), "invalid: type mismatch: expected i32, found i64");
  EXPECT_STARTS(global(test::i32, false, {0x0b}), "invalid: type mismatch: expected i32, found nothing");
  EXPECT_STARTS(global(test::i32, false, {0x41, 0, 0x41, 0, 0x0b}), "invalid: type mismatch: expected i32, found 2");
  EXPECT_STARTS(global(test::i32, false, {0x41, 0, 0x6a, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(global(test::i32, false, {0x41, 0, 0x42, 0, 0x6a, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(global(test::i32, false, {0x41, 0, 0x45, 0x0b}), "invalid: constant expression required");
  EXPECT_STARTS(global(test::i32, false, {0x02, 0x40, 0x0b, 0x0b}), "invalid: constant expression required");
  EXPECT_STARTS(global(test::i32, false, {0x41, 0}), "malformed: unexpected end");
  EXPECT_STARTS(global(test::i32, false, {0xd2, 0, 0x0b}), "invalid: unknown function 0");
}

TEST(DecodeModule, ElementSegments) {
  const auto element = [](const Bytes& segment) {
    ModuleBuilder builder;
    builder.function(builder.type({}, {}), {});
    builder.table({0x70, 0x00, 1});
    builder.table({0x6f, 0x00, 1});
    builder.element(segment);
    return verdict(builder.build());
  };
  EXPECT_EQ(element(Bytes{0} + zero + Bytes{1, 0}), "valid");
  EXPECT_EQ(element({1, 0x00, 1, 0}), "valid");
  EXPECT_EQ(element(Bytes{2, 0} + zero + Bytes{0x00, 1, 0}), "valid");
  EXPECT_EQ(element({3, 0x00, 1, 0}), "valid");
  EXPECT_EQ(element(Bytes{4} + zero + Bytes{1, 0xd2, 0, 0x0b}), "valid");
  EXPECT_EQ(element({5, 0x6f, 1, 0xd0, 0x6f, 0x0b}), "valid");
  EXPECT_EQ(element(Bytes{6, 1} + zero + Bytes{0x6f, 1, 0xd0, 0x6f, 0x0b}), "valid");
  EXPECT_EQ(element({7, 0x70, 1, 0xd2, 0, 0x0b}), "valid");
  EXPECT_STARTS(element({8, 0}), "malformed: malformed elements segment kind");
  EXPECT_STARTS(element({1, 0x01, 1, 0}), "malformed: malformed element kind");
  EXPECT_STARTS(element({5, 0x7f, 1, 0xd2, 0, 0x0b}), "malformed: malformed reference type");
  EXPECT_STARTS(element({1, 0x00, 1, 1}), "invalid: unknown function 1");
  EXPECT_STARTS(element(Bytes{2, 9} + zero + Bytes{0x00, 1, 0}), "invalid: unknown table 9");
  EXPECT_STARTS(element(Bytes{2, 1} + zero + Bytes{0x00, 1, 0}), "invalid: type mismatch");  // functions into externref
  EXPECT_STARTS(element({0, 0x42, 0, 0x0b, 1, 0}), "invalid: type mismatch: expected i32, found i64");
  EXPECT_STARTS(element({5, 0x70, 1, 0xd0, 0x6f, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(element({5, 0x70, 1, 0x41, 0, 0x0b}), "invalid: type mismatch");
  EXPECT_STARTS(element({1, 0x00, 2, 0}), "malformed: length out of bounds");
}

TEST(DecodeModule, DataSegments) {
  const auto data = [](const Bytes& segment) {
    ModuleBuilder builder;
    builder.memory({0x00, 1});
    builder.memory({0x04, 1});
    builder.data(segment);
    return verdict(builder.build());
  };
  EXPECT_EQ(data(Bytes{0} + zero + Bytes{1, 'x'}), "valid");
  EXPECT_EQ(data({1, 1, 'x'}), "valid");
  EXPECT_EQ(data({2, 1, 0x42, 0, 0x0b, 0}), "valid");
  EXPECT_STARTS(data({3, 0}), "malformed: malformed data segment kind");
  EXPECT_STARTS(data(Bytes{2, 1} + zero + Bytes{0}), "invalid: type mismatch: expected i64, found i32");
  EXPECT_STARTS(data(Bytes{2, 7} + zero + Bytes{0}), "invalid: unknown memory 7");
  EXPECT_STARTS(data({1, 2, 'x'}), "malformed: length out of bounds");
}

TEST(DecodeModule, NamesFeaturesThatAreNotThere) {
  const auto code = [](const Bytes& body) {
    ModuleBuilder builder;
    builder.function(builder.type({}, {}), body);
    return verdict(builder.build());
  };
  EXPECT_STARTS(verdict(with_section(1, {1, 0x60, 1, 0x7b, 0})), "unsupported: feature simd is not supported yet");
  EXPECT_STARTS(verdict(with_section(5, {1, 0x03, 0, 1})), "unsupported: feature threads is not supported yet");
  EXPECT_STARTS(verdict(with_section(13, {0})), "unsupported: feature exceptions is not supported yet");
  EXPECT_STARTS(verdict(with_sections({1, 4, 1, 0x60, 0, 0, 2, 6, 1, 0, 0, 4, 0, 0})),
                "unsupported: feature exceptions");
  EXPECT_STARTS(code({0xfd, 0x0c}), "unsupported: feature simd is not supported yet: instruction fd 0c");
  EXPECT_STARTS(code({0xfd, 0x80, 0x02}), "unsupported: feature relaxed-simd");
  EXPECT_STARTS(code({0xfb, 0x00, 0x00}), "unsupported: feature gc");
  EXPECT_STARTS(code({0xd3}), "unsupported: feature gc is not supported yet: instruction ref.eq");
  EXPECT_STARTS(code({0xfe, 0x03, 0x00}), "unsupported: feature threads");
  for (const std::uint8_t opcode : Bytes{0x06, 0x07, 0x09, 0x18, 0x19})
    EXPECT_STARTS(code({opcode}), "unsupported: feature legacy-exceptions");
  for (const std::uint8_t opcode : Bytes{0x08, 0x0a, 0x1f})
    EXPECT_STARTS(code({opcode}), "unsupported: feature exceptions");
  EXPECT_STARTS(code({0x14, 0x00}), "unsupported: feature function-references");
  EXPECT_STARTS(code({0xff}), "malformed: illegal opcode ff");
  EXPECT_STARTS(code({0xfc, 0x12}), "malformed: illegal opcode fc 12");
  EXPECT_STARTS(code({0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f}), "malformed: illegal opcode fc ffffffff");
}

TEST(DecodeModule, FeaturesCanBeTurnedOff) {
  const auto without = [](Feature feature, const Bytes& bytes) {
    EXPECT_EQ(verdict(bytes), "valid");
    FeatureSet features;
    features.remove(feature);
    const std::string expected = "unsupported: feature " + std::string(info(feature).name) + " is turned off";
    EXPECT_STARTS(verdict(bytes, features), expected);
  };
  without(Feature::Memory64, with_section(5, {1, 0x04, 1}));
  without(Feature::MultiMemory, with_section(5, {2, 0x00, 1, 0x00, 1}));
  without(Feature::MultiValue, with_section(1, {1, 0x60, 0, 2, 0x7f, 0x7f}));
  without(Feature::ReferenceTypes, with_section(1, {1, 0x60, 1, 0x6f, 0}));
  without(Feature::MutableGlobals, with_section(2, {1, 0, 0, 3, 0x7f, 1}));
  without(Feature::ExtendedConst, with_section(6, {1, 0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b}));
  without(Feature::BulkMemory, with_section(12, {0}));
  ModuleBuilder extend;
  extend.function(extend.type({}, {}), {0x41, 0, 0xc0, 0x1a});
  without(Feature::SignExtension, extend.build());
}

TEST(DecodeModule, ErrorsSayWhere) {
  ModuleBuilder builder;
  builder.type({}, {});
  builder.import("", "", {0x00, 0x00});
  builder.function(0, {});
  builder.function(0, {0x01, 0x6a});
  builder.custom("name", {1, 7, 1, 2, 4, 'b', 'a', 'd', '\n'});
  const Bytes bytes = builder.build();
  const Error error = error_of(bytes);
  EXPECT_EQ(error.kind, ErrorKind::Invalid);
  EXPECT_EQ(error.section, "code");
  EXPECT_EQ(error.function_index, 2u);
  EXPECT_EQ(error.function_name, "bad\n");
  ASSERT_LT(error.offset, bytes.size());
  EXPECT_EQ(bytes[static_cast<std::size_t>(error.offset)], 0x6a);
  EXPECT_EQ(error.to_string(),
            "invalid: type mismatch: expected i32, found nothing (offset 0x23, section code, function 2 'bad\\0a')");
  EXPECT_EQ(error_of({0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 2, 1, 0x08}).to_string(),
            "malformed: malformed limits flags (offset 0xb, section memory)");
  EXPECT_EQ(printable("a\tb\x7f\xc2\x9b\xc3\xa4"), "a\\09b\\7f\\c2\x9b\xc3\xa4");
}

// security.md-style inputs: counts that promise more than the bytes hold must cost nothing.
TEST(DecodeModule, HugeCountsAreRefusedBeforeAnythingIsAllocated) {
  const Bytes huge = {0xff, 0xff, 0xff, 0xff, 0x0f};
  for (const std::uint8_t id : Bytes{1, 2, 3, 4, 5, 6, 7, 9, 11})
    EXPECT_STARTS(verdict(with_section(id, huge)), "malformed: length out of bounds") << int{id};
  EXPECT_STARTS(verdict(with_section(10, huge)), "malformed: function and code section");
  EXPECT_STARTS(verdict(with_section(1, Bytes{1, 0x60} + huge)), "malformed: length out of bounds");
  EXPECT_STARTS(verdict(with_section(1, Bytes{1, 0x4e} + huge)), "malformed: length out of bounds");
  EXPECT_STARTS(verdict(with_section(1, Bytes{1, 0x5f} + huge)), "malformed: length out of bounds");
  EXPECT_STARTS(verdict(with_section(9, Bytes{1, 1, 0} + huge)), "malformed: length out of bounds");
  EXPECT_STARTS(verdict(with_section(11, Bytes{1, 1} + huge)), "malformed: length out of bounds");
}

TEST(DecodeModule, ImplementationLimits) {
  const auto too_many = [](const Bytes& bytes) { return starts_with(verdict(bytes), "limit: too many"); };
  const auto count = [](std::uint64_t number) { return test::unsigned_leb(number); };
  const Bytes function_type = test::function_type_bytes({}, {});
  EXPECT_TRUE(too_many(with_section(1, Bytes{1} + test::function_type_bytes(test::repeat({test::i32}, 1001), {}))));
  EXPECT_TRUE(too_many(with_section(1, Bytes{1} + test::function_type_bytes({}, test::repeat({test::i32}, 1001)))));
  EXPECT_EQ(verdict(with_section(1, Bytes{1} + test::function_type_bytes(test::repeat({test::i32}, 1000), {}))),
            "valid");
  EXPECT_TRUE(too_many(with_section(1, Bytes{1, 0x5f} + count(10'001) + test::repeat({test::i32, 0}, 10'001))));
  EXPECT_TRUE(too_many(with_section(1, count(100'001) + test::repeat(function_type, 100'001))));
  EXPECT_TRUE(too_many(with_section(1, Bytes{1, 0x4e} + count(100'001) + test::repeat(function_type, 100'001))));
  EXPECT_TRUE(too_many(with_section(2, count(1'000'001) + test::repeat({0, 0, 3, 0x7f, 0}, 1'000'001))));
  EXPECT_TRUE(too_many(with_section(3, count(1'000'001) + test::repeat({0}, 1'000'001))));
  EXPECT_TRUE(too_many(with_section(4, count(101) + test::repeat({0x70, 0, 0}, 101))));
  EXPECT_TRUE(too_many(with_section(5, count(101) + test::repeat({0, 0}, 101))));
  EXPECT_TRUE(too_many(with_section(2, count(101) + test::repeat({0, 0, 2, 0, 0}, 101))));
  EXPECT_TRUE(too_many(with_section(6, count(1'000'001) + test::repeat({0x7f, 0, 0x41, 0, 0x0b}, 1'000'001))));
  EXPECT_TRUE(too_many(with_section(7, count(1'000'001) + test::repeat({0, 0, 0}, 1'000'001))));
  EXPECT_TRUE(too_many(with_section(9, count(100'001) + test::repeat({1, 0, 0}, 100'001))));
  EXPECT_TRUE(too_many(with_section(9, Bytes{1, 1, 0} + count(10'000'001) + test::repeat({0}, 10'000'001))));
  EXPECT_TRUE(too_many(with_section(11, count(100'001) + test::repeat({1, 0}, 100'001))));
  EXPECT_TRUE(too_many(with_sections(test::repeat({0, 1, 0}, 100'001))));
  ModuleBuilder large;
  large.function(large.type({}, {}), test::repeat({0x01}, limits::body_size_bytes));
  EXPECT_STARTS(verdict(large.build()), "limit: function body too large");
}

TEST(DecodeModule, ManyTypesInChainsAndGroups) {
  // 100,000 types, each mentioning the one before: nothing recurses along the chain, neither made nor freed.
  Bytes types = test::function_type_bytes({}, {});
  for (std::uint32_t i = 1; i < 100'000; ++i)
    types = std::move(types) + (Bytes{0x60, 1, 0x63} + test::signed_leb(i - 1) + Bytes{0});
  EXPECT_EQ(verdict(with_section(1, test::unsigned_leb(100'000) + types)), "valid");
  EXPECT_EQ(verdict(with_section(1, Bytes{1, 0x4e} + test::unsigned_leb(100'000) + types)), "valid");
}

// Every truncation and every flipped bit of a module with something in every section: an error or not, never a crash.
TEST(DecodeModule, TruncationsAndFlips) {
  const Bytes bytes = rich_module();
  const auto registry = std::make_shared<TypeRegistry>();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto module = load_module({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, registry);
    EXPECT_TRUE(module.ok() || !module.error().message.empty());
  }
  std::size_t refused = 0;
  for (std::size_t position = 0; position < bytes.size(); ++position)
    for (int value = 0; value < 256; ++value) {
      Bytes changed = bytes;
      changed[position] = static_cast<std::uint8_t>(value);
      if (!load_module(std::move(changed), registry)) ++refused;
    }
  EXPECT_GT(refused, bytes.size() * 128);
  EXPECT_EQ(registry->live_types(), 0u);
}

}  // namespace
}  // namespace tfvm
