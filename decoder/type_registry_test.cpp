#include "decoder/type_registry.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "decoder/limits.hpp"

namespace tfvm {
namespace {

using Group = std::shared_ptr<const RecursionGroup>;

SubType function_type(std::vector<ValueType> params, std::vector<ValueType> results = {}) {
  SubType type;
  type.composite.function = {std::move(params), std::move(results)};
  return type;
}

SubType struct_type(std::vector<FieldType> fields) {
  SubType type;
  type.is_final = false;
  type.composite.kind = CompositeKind::Struct;
  type.composite.fields = std::move(fields);
  return type;
}

SubType below(SubType type, const DefinedType& supertype) {
  type.supertype = &supertype;
  return type;
}

Group intern(TypeRegistry& registry, std::vector<SubType> types) {
  auto group = registry.intern(std::move(types));
  EXPECT_TRUE(group.ok());
  return std::move(group).value();
}

ValueType ref_to(const DefinedType& type, bool nullable = true) {
  return ValueType::ref(nullable, HeapKind::Defined, type.id);
}

constexpr ValueType i32 = ValueKind::I32;
constexpr ValueType i64 = ValueKind::I64;

ValueType abstract(HeapKind heap, bool nullable = true) { return ValueType::ref(nullable, heap); }

TEST(TypeRegistry, EqualGroupsAreOne) {
  TypeRegistry registry;
  const Group first = intern(registry, {function_type({i32}, {i64})});
  const Group second = intern(registry, {function_type({i32}, {i64})});
  EXPECT_EQ(first, second);
  EXPECT_EQ(registry.intern_function({{i32}, {i64}}), first);
  EXPECT_NE(intern(registry, {function_type({i32, i64})}), first);
  EXPECT_NE(intern(registry, {function_type({}, {i32, i64})}), first);
  EXPECT_EQ(&registry.get(first->type(0).id), &first->type(0));
}

TEST(TypeRegistry, FinalityFieldsAndPositionInTheGroupCount) {
  TypeRegistry registry;
  SubType open = function_type({i32});
  open.is_final = false;
  EXPECT_NE(intern(registry, {open}), intern(registry, {function_type({i32})}));
  EXPECT_NE(intern(registry, {struct_type({{i32, false}})}), intern(registry, {struct_type({{i32, true}})}));
  const Group pair = intern(registry, {function_type({i32}), function_type({i32})});
  EXPECT_NE(pair->type(0).id, pair->type(1).id);
  EXPECT_NE(pair, intern(registry, {function_type({i32})}));
}

TEST(TypeRegistry, RecursionIsByPositionInside) {
  TypeRegistry registry;
  const auto list = [](std::uint32_t self) {
    return struct_type({{i32, false}, {ValueType::ref(true, HeapKind::Recursive, self), true}});
  };
  const Group first = intern(registry, {list(0)});
  EXPECT_EQ(intern(registry, {list(0)}), first);
  const ValueType link = first->type(0).composite.fields[1].type;
  EXPECT_EQ(link, ref_to(first->type(0)));
  // One unrolling is another type: equality is iso-recursive (section 3.1.5 of 3.0).
  EXPECT_NE(intern(registry, {struct_type({{i32, false}, {ref_to(first->type(0)), true}})}), first);
}

TEST(TypeRegistry, FreesTypesWithTheirLastHolderAndReusesTheirIds) {
  TypeRegistry registry;
  TypeId id = no_type;
  {
    const Group group = intern(registry, {function_type({i32})});
    id = group->type(0).id;
    EXPECT_EQ(registry.live_types(), 1u);
  }
  EXPECT_EQ(registry.live_types(), 0u);
  EXPECT_EQ(intern(registry, {function_type({i64})})->type(0).id, id);
}

TEST(TypeRegistry, AGroupKeepsTheGroupsThatItMentions) {
  TypeRegistry registry;
  Group base = intern(registry, {struct_type({})});
  const TypeId id = base->type(0).id;
  Group user = intern(registry, {function_type({ref_to(base->type(0))})});
  Group heir = intern(registry, {below(struct_type({{i32, false}}), base->type(0))});
  base.reset();
  EXPECT_EQ(registry.live_types(), 3u);
  EXPECT_EQ(registry.get(id).composite.kind, CompositeKind::Struct);
  user.reset();
  EXPECT_EQ(registry.live_types(), 2u);
  EXPECT_EQ(heir->type(0).supertype->id, id);
  heir.reset();
  EXPECT_EQ(registry.live_types(), 0u);
}

TEST(TypeRegistry, AGroupOutlivesItsRegistry) {
  Group group;
  {
    TypeRegistry registry;
    group = intern(registry, {function_type({i32})});
  }
  EXPECT_EQ(group->type(0).function().params.size(), 1u);
}

TEST(TypeRegistry, LongChainsOfUseDieWithoutRecursion) {
  TypeRegistry registry;
  Group last = intern(registry, {struct_type({})});
  for (int i = 0; i < 200'000; ++i) last = intern(registry, {function_type({ref_to(last->type(0))})});
  EXPECT_EQ(registry.live_types(), 200'001u);
  last.reset();
  EXPECT_EQ(registry.live_types(), 0u);
}

TEST(TypeRegistry, LimitsTheDepthOfSupertypes) {
  TypeRegistry registry;
  std::vector<Group> groups = {intern(registry, {struct_type({})})};
  for (std::uint32_t depth = 1; depth <= limits::subtyping_depth; ++depth)
    groups.push_back(intern(registry, {below(struct_type({}), groups.back()->type(0))}));
  EXPECT_TRUE(is_subtype(groups.back()->type(0), groups.front()->type(0)));
  const auto beyond = registry.intern({below(struct_type({}), groups.back()->type(0))});
  ASSERT_FALSE(beyond.ok());
  EXPECT_EQ(beyond.error().kind, ErrorKind::Limit);
}

TEST(TypeRegistry, ManyThreads) {
  const auto registry = std::make_shared<TypeRegistry>();
  std::atomic<int> mistakes = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&registry, &mistakes] {
      for (int round = 0; round < 3000; ++round) {
        std::vector<ValueType> params(static_cast<std::size_t>(round % 7), i32);
        const Group group = registry->intern_function({params, {}});
        const Group user = intern(*registry, {function_type({ref_to(group->type(0))})});
        if (registry->get(group->type(0).id).function().params != params) ++mistakes;
        if (registry->intern_function({params, {}}) != group) ++mistakes;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mistakes, 0);
  EXPECT_EQ(registry->live_types(), 0u);
}

TEST(Subtyping, NumbersAndNullability) {
  const TypeRegistry registry;
  EXPECT_TRUE(is_subtype(registry, i32, i32));
  EXPECT_FALSE(is_subtype(registry, i32, i64));
  EXPECT_FALSE(is_subtype(registry, i32, funcref));
  EXPECT_FALSE(is_subtype(registry, funcref, i32));
  EXPECT_TRUE(is_subtype(registry, abstract(HeapKind::Func, false), funcref));
  EXPECT_FALSE(is_subtype(registry, funcref, abstract(HeapKind::Func, false)));
  EXPECT_TRUE(is_subtype(registry, ValueKind::Bottom, i32));
  EXPECT_TRUE(is_subtype(registry, ValueKind::Bottom, funcref));
  EXPECT_TRUE(is_subtype(registry, abstract(HeapKind::Bottom, false), externref));
  EXPECT_FALSE(is_subtype(registry, abstract(HeapKind::Bottom, false), i32));
}

// Section 3.3.3: the whole relation among abstract heap types.
TEST(Subtyping, AbstractHeapTypes) {
  const TypeRegistry registry;
  using enum HeapKind;
  const HeapKind kinds[] = {Func, NoFunc, Extern, NoExtern, Any, Eq, I31, Struct, Array, None, Exn, NoExn};
  const std::pair<HeapKind, HeapKind> strict[] = {{NoFunc, Func}, {NoExtern, Extern}, {NoExn, Exn}, {Eq, Any},
                                                  {I31, Any},     {Struct, Any},      {Array, Any}, {None, Any},
                                                  {I31, Eq},      {Struct, Eq},       {Array, Eq},  {None, Eq},
                                                  {None, I31},    {None, Struct},     {None, Array}};
  for (const HeapKind sub : kinds)
    for (const HeapKind super : kinds) {
      bool expected = sub == super;
      for (const auto& pair : strict) expected = expected || pair == std::pair(sub, super);
      EXPECT_EQ(is_subtype(registry, abstract(sub), abstract(super)), expected)
          << to_string(abstract(sub)) << " <: " << to_string(abstract(super));
    }
}

TEST(Subtyping, DefinedTypes) {
  TypeRegistry registry;
  const Group function = intern(registry, {function_type({i32})});
  const Group base = intern(registry, {struct_type({{i32, false}})});
  const Group heir = intern(registry, {below(struct_type({{i32, false}, {i64, false}}), base->type(0))});
  SubType array_of = struct_type({{i32, false}});
  array_of.composite.kind = CompositeKind::Array;
  const Group array = intern(registry, {array_of});
  const auto is = [&registry](const Group& sub, HeapKind super) {
    return is_subtype(registry, ref_to(sub->type(0)), abstract(super));
  };
  EXPECT_TRUE(is(function, HeapKind::Func));
  EXPECT_FALSE(is(function, HeapKind::Any));
  EXPECT_FALSE(is(function, HeapKind::Extern));
  EXPECT_TRUE(is(base, HeapKind::Struct));
  EXPECT_TRUE(is(base, HeapKind::Eq));
  EXPECT_TRUE(is(base, HeapKind::Any));
  EXPECT_FALSE(is(base, HeapKind::Array));
  EXPECT_FALSE(is(base, HeapKind::I31));
  EXPECT_TRUE(is(array, HeapKind::Array));
  EXPECT_FALSE(is(array, HeapKind::Struct));
  EXPECT_TRUE(is_subtype(registry, ref_to(heir->type(0)), ref_to(base->type(0))));
  EXPECT_FALSE(is_subtype(registry, ref_to(base->type(0)), ref_to(heir->type(0))));
  EXPECT_TRUE(is_subtype(registry, abstract(HeapKind::None), ref_to(base->type(0))));
  EXPECT_FALSE(is_subtype(registry, abstract(HeapKind::None), ref_to(function->type(0))));
  EXPECT_TRUE(is_subtype(registry, abstract(HeapKind::NoFunc), ref_to(function->type(0))));
  EXPECT_FALSE(is_subtype(registry, funcref, ref_to(function->type(0))));
}

TEST(Subtyping, SupertypesMustMatch) {
  TypeRegistry registry;
  const auto matches = [&registry](SubType sub, SubType super) {
    const Group above = intern(registry, {std::move(super)});
    const Group under = intern(registry, {below(std::move(sub), above->type(0))});
    return is_valid_supertype(registry, under->type(0), above->type(0));
  };
  const auto open = [](SubType type) {
    type.is_final = false;
    return type;
  };
  EXPECT_FALSE(matches(function_type({i32}), function_type({i32})));  // final
  EXPECT_TRUE(matches(function_type({i32}), open(function_type({i32}))));
  EXPECT_FALSE(matches(function_type({i64}), open(function_type({i32}))));
  EXPECT_FALSE(matches(function_type({}), open(function_type({i32}))));
  EXPECT_FALSE(matches(function_type({}), struct_type({})));
  const ValueType non_null = abstract(HeapKind::Func, false);
  EXPECT_TRUE(matches(function_type({funcref}, {non_null}), open(function_type({non_null}, {funcref}))));
  EXPECT_FALSE(matches(function_type({non_null}, {non_null}), open(function_type({funcref}, {funcref}))));
  EXPECT_TRUE(matches(struct_type({{non_null, false}, {i32, false}}), struct_type({{funcref, false}})));
  EXPECT_FALSE(matches(struct_type({}), struct_type({{funcref, false}})));
  EXPECT_FALSE(matches(struct_type({{non_null, true}}), struct_type({{funcref, true}})));
  EXPECT_TRUE(matches(struct_type({{funcref, true}}), struct_type({{funcref, true}})));
  EXPECT_FALSE(matches(struct_type({{funcref, true}}), struct_type({{funcref, false}})));
  EXPECT_FALSE(matches(struct_type({{ValueKind::I8, false}}), struct_type({{ValueKind::I16, false}})));
}

TEST(Types, Texts) {
  EXPECT_EQ(to_string(ValueType(ValueKind::F64)), "f64");
  EXPECT_EQ(to_string(funcref), "funcref");
  EXPECT_EQ(to_string(externref), "externref");
  EXPECT_EQ(to_string(abstract(HeapKind::NoFunc)), "(ref null nofunc)");
  EXPECT_EQ(to_string(ValueType::ref(false, HeapKind::Defined, 7)), "(ref 7)");
  EXPECT_EQ(to_string(FunctionType{{i32, i64}, {ValueKind::F32}}), "(i32, i64) -> (f32)");
  EXPECT_STREQ(to_string(ExternKind::Memory), "memory");
}

}  // namespace
}  // namespace tfvm
