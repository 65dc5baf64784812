// From one validated function body to internal code: control structure and instructions become statements for Lowering.
// Linear in the body in time and memory; nothing recurses over the nesting of blocks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "decoder/instruction_reader.hpp"
#include "decoder/module.hpp"
#include "vm/code_cache.hpp"
#include "vm/fuel.hpp"
#include "vm/translate/lowering.hpp"
#include "vm/translate/pins.hpp"

namespace tfvm::interpreter {

/// Translates functions of one variant. Reusable; keeps its buffers.
class Translator {
 public:
  explicit Translator(CodeVariant& variant)
      : variant_(variant), module_(variant.cache->module()), lowering_(emitter_) {}

  /// Translates a function that has a body. The result is in emitter() and frame_bytes() until the next call; the same
  /// function gives the same code each time.
  void translate(std::uint32_t function_index);
  const Emitter& emitter() const { return emitter_; }
  std::uint32_t frame_bytes() const { return lowering_.frame_slots() * 8; }

 private:
  /// A block, loop or if that is open, or the body itself (the outermost).
  struct Block {
    enum class Kind : std::uint8_t { Body, Block, Loop, If } kind = Kind::Block;
    Label label = no_label;       ///< where branches go
    Label else_label = no_label;  ///< of an If without else so far
    std::uint32_t base = 0;       ///< height below its parameters
    std::span<const ValueType> params;
    std::span<const ValueType> results;  ///< unless has_own_result
    ValueType own_result;                ///< the one result of a block type without an index
    bool has_own_result = false;
    std::span<const ValueType> result_types() const {
      return has_own_result ? std::span<const ValueType>(&own_result, 1) : results;
    }
    std::uint32_t branch_arity() const {
      return static_cast<std::uint32_t>(kind == Kind::Loop ? params.size() : result_types().size());
    }
  };

  void translate_body(std::uint32_t function_index, std::uint32_t temporaries);
  std::uint32_t read_locals(std::uint32_t function_index);
  void emit_enter(std::uint32_t params, std::uint32_t body);
  void instruction(const Instruction& instruction);
  void charge(std::uint32_t offset);

  // control.cpp
  bool control(const Instruction& instruction);
  void open_block(const Instruction& instruction, Block::Kind kind);
  void else_block();
  void end_block();
  void branch(std::uint32_t depth);
  void branch_if(std::uint32_t depth);
  void branch_on_null(const Instruction& instruction);
  void branch_table(const Instruction& instruction);
  void leave_function();
  void leave_function_keeping_stack();
  void to_label(const Block& block);
  bool lies_at_label(const Block& block) const;
  void dead_from_here();
  void push_all(std::span<const ValueType> types);
  void skip_dead(const Instruction& instruction);
  void call(const Instruction& instruction);
  void return_call(const Instruction& instruction);
  void push_results(const FunctionType& type);
  void spill_pins();
  void reload_pins();
  void bind(Label label);

  // instructions.cpp
  void variable(const Instruction& instruction);
  void memory_access(const Instruction& instruction);
  void memory(const Instruction& instruction);
  void table(const Instruction& instruction);
  void reference(const Instruction& instruction);
  void numeric(const Instruction& instruction);
  void select();
  void range_operation(Handler handler, std::uint32_t operands, std::uint32_t first, std::uint32_t second,
                       bool has_second);
  void produce_in_slot(Handler handler, std::uint32_t index, ValueKind result);
  void unary_in_slot(Handler handler, std::uint32_t index, ValueKind result);
  std::uint32_t global_offset(std::uint32_t index) const;

  CodeVariant& variant_;
  const Module& module_;
  Emitter emitter_;
  Lowering lowering_;
  std::vector<Block> blocks_;
  std::vector<ValueKind> locals_;
  Pins pins_;
  PinMask dirty_integers_ = 0;  ///< pins whose slot is out of date
  PinMask dirty_floats_ = 0;
  std::vector<FuelRegion> fuel_;
  std::size_t next_fuel_ = 0;
  std::span<const ValueType> results_;
  bool dead_ = false;
  std::uint32_t dead_depth_ = 0;
  Operands operands_;
};

}  // namespace tfvm::interpreter
