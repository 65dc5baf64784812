// Every load and store of the opcode table at the edges of every kind of memory, through both executors.
#include <gtest/gtest.h>
#include <span>

#include "decoder/opcodes.hpp"
#include "vm/interpreter.hpp"
#include "vm/oracle/oracle.hpp"
#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

/// Where the accessed memory is, and what it is.
struct MemoryCase {
  const char* name;
  bool is_wide;  ///< 64-bit addresses
  bool is_guarded;
  std::uint32_t index;
};
constexpr MemoryCase memory_cases[] = {
    {"guarded", false, true, 0}, {"checked", false, false, 0}, {"wide", true, false, 0}, {"second", false, true, 1}};

bool is_access(const OpInfo& row) { return row.immediate == ImmediateKind::Memarg && row.feature == Feature::Mvp; }
bool is_store(const OpInfo& row) { return row.signature.back() == ':'; }

/// memarg with alignment 1, the memory's index and an offset.
Bytes memarg(std::uint32_t memory, std::uint64_t offset) {
  return memory == 0 ? Bytes{0x00} + unsigned_leb(offset) : Bytes{0x40} + unsigned_leb(memory) + unsigned_leb(offset);
}

/// One exported function "access" (address) -> (): the instruction with a constant operand, its result dropped.
Bytes access_module(const OpInfo& row, const MemoryCase& memory, std::uint64_t offset) {
  ModuleBuilder builder;
  builder.memory({static_cast<std::uint8_t>(memory.is_wide ? 0x04 : 0x00), 1});
  builder.memory({0x00, 1});
  Bytes code = local_get(0);
  if (is_store(row)) {
    code = code + i64_const(-1);
    const char operand = row.signature[1];
    if (operand == 'i' || operand == 'f') code = code + Bytes{0xa7};  // i32.wrap_i64
    if (operand == 'f') code = code + Bytes{0xbe};                    // f32.reinterpret_i32
    if (operand == 'F') code = code + Bytes{0xbf};
  }
  code = code + Bytes{static_cast<std::uint8_t>(row.code)} + memarg(memory.index, offset);
  if (!is_store(row)) code = code + Bytes{0x1a};
  export_function(builder, "access", {memory.is_wide ? i64 : i32}, {}, code);
  return builder.build();
}

class Bounds : public testing::TestWithParam<ExecuteFunction> {
 protected:
  void check(const OpInfo& row, const MemoryCase& memory) {
    const std::uint64_t size = page_size_bytes;
    const std::uint64_t last = memory.is_wide ? UINT64_MAX : UINT32_MAX;
    access(row, memory, 0, {0, size - row.width}, {size - row.width + 1, size, last - row.width + 1, last});
    access(row, memory, size - row.width, {0}, {1, row.width, last});
    access(row, memory, last, {}, {0, 1, size, last - 1, last});
    access(row, memory, last - size + 1, {}, {0, size - 1, size, last});
  }
  void access(const OpInfo& row, const MemoryCase& memory, std::uint64_t offset,
              std::initializer_list<std::uint64_t> inside, std::initializer_list<std::uint64_t> outside) {
    StoreLimits limits;
    limits.allow_guarded_memory = memory.is_guarded;
    World world(limits);
    world.store.set_execute(GetParam());
    ModuleInstance* const instance = world.instantiate(access_module(row, memory, offset));
    ASSERT_NE(instance, nullptr) << row.spelling;
    const auto trap_at = [&](std::uint64_t address) {
      return world.call_trap(instance, "access",
                             {memory.is_wide ? Value::i64(address) : Value::i32(static_cast<std::uint32_t>(address))});
    };
    for (const std::uint64_t address : outside)
      EXPECT_EQ(trap_at(address), TrapKind::OutOfBoundsMemoryAccess)
          << row.spelling << " " << memory.name << " at " << address << " + " << offset;
    const std::uint8_t* const bytes = instance->memories[memory.index]->base;
    for (const std::uint8_t byte : std::span(bytes, page_size_bytes))
      if (byte != 0) return void(ADD_FAILURE() << row.spelling << " " << memory.name << " wrote before it trapped");
    for (const std::uint64_t address : inside) {
      EXPECT_EQ(trap_at(address), TrapKind::None) << row.spelling << " " << memory.name << " at " << address;
      EXPECT_EQ(bytes[address + offset + row.width - 1u], is_store(row) ? 0xff : 0) << row.spelling;
    }
  }
};

TEST_P(Bounds, OfEveryLoadAndStore) {
  int instructions = 0;
  for (const OpInfo& row : op_infos) {
    if (!is_access(row)) continue;
    ++instructions;
    for (const MemoryCase& memory : memory_cases) check(row, memory);
  }
  EXPECT_EQ(instructions, 23);
}

INSTANTIATE_TEST_SUITE_P(Both, Bounds, testing::Values(&interpreter::execute, &oracle::execute),
                         [](const auto& test) { return test.index == 0 ? "tree" : "oracle"; });

}  // namespace
}  // namespace tfvm::test
