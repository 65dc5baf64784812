// Lowering: from expression trees to internal instructions by maximal munch. It owns the nodes, the operand stack of
// pending trees and the temporaries of a function, and decides when a value is put down and where.
//
// Frame of a function, in slots:  [locals][temporaries][operand stack, one slot a position]
// A tree on the operand stack is pending: nothing was computed yet. It is put down ("materialised") into the slot of
// its position, or, as part of another tree, into the accumulator or a temporary.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/handler_table.hpp"
#include "vm/handlers/pattern.hpp"
#include "vm/translate/emitter.hpp"
#include "vm/translate/tree.hpp"

namespace tfvm::interpreter {

/// Where a Set puts its value.
struct Destination {
  bool is_register = false;
  std::uint32_t number = 0;  ///< of the register, or of the slot
};

struct Statement {
  Word word = Word::Set;
  Operation operation = 0;       ///< of a Store
  Destination destination = {};  ///< of a Set
  NodeId expressions[2] = {no_node, no_node};
  std::uint64_t immediate = 0;  ///< offset of a Store, or of a global in the instance block
  Label label = no_label;       ///< of branches
};

class Lowering {
 public:
  explicit Lowering(Emitter& emitter) : emitter_(emitter) {}

  /// Starts a function. `registers[x]`: number of the register that local x is pinned in, or 0.
  void start(std::vector<ValueKind> locals, std::vector<std::uint8_t> registers, std::uint32_t temporaries,
             bool counts_fuel);

  // ---- nodes
  Node& node(NodeId id) { return nodes_[id]; }
  NodeId constant(ValueKind type, std::uint64_t bits);
  NodeId local(std::uint32_t index);
  NodeId global(ValueKind type, bool imported, std::uint32_t block_offset);
  NodeId unary(Operation op, ValueKind type, NodeId a);
  NodeId binary(Operation op, ValueKind type, NodeId a, NodeId b);
  NodeId load(Operation op, ValueKind type, NodeId address, std::uint64_t offset);
  NodeId select(ValueKind type, NodeId a, NodeId b, NodeId condition);

  // ---- the operand stack
  std::uint32_t height() const { return static_cast<std::uint32_t>(stack_.size()); }
  void push(NodeId id);
  NodeId pop();
  NodeId top(std::uint32_t depth = 0) const { return stack_[stack_.size() - 1 - depth]; }
  /// Pushes a value that lies, or will lie, in the slot of its position.
  void push_in_slot(ValueKind type);
  /// Pushes a value that lies in the accumulator of its class.
  void push_in_accumulator(ValueKind type);
  /// Takes the topmost `count` entries away, whose values were used where they lie.
  void drop_entries(std::uint32_t count);
  /// Drops all entries from `height` on; everything below lies in its slot.
  void reset(std::uint32_t height);
  /// The slot of the position above the top, for a value that is put there now. Saves what pending trees read there.
  std::uint32_t next_home();
  /// Slot of a position of the operand stack.
  std::uint32_t home(std::uint32_t position) const { return operand_base_ + position; }
  std::uint32_t frame_slots() const { return frame_slots_; }
  void need_slots(std::uint32_t slots) { frame_slots_ = std::max(frame_slots_, slots); }

  // ---- putting values down, in the order in which the program computes them
  /// All entries.
  void flush_all();
  /// Entries that could trap: before control leaves, or before something is written.
  void flush_hazards();
  /// Entries that read globals or could trap.
  void flush_effects();
  /// What a call could change or disturb, in all but the topmost `arguments` entries; then those.
  void flush_for_call(std::uint32_t arguments);
  /// Before the topmost `count` entries are used where they belong: puts them into their slots.
  void put_down(std::uint32_t count);
  /// The slot that a node's value lies in; puts it down if need be. REQUIRES: the node was popped.
  std::uint32_t slot_of(NodeId id);
  /// True if slot_of would emit nothing.
  bool is_in_slot(NodeId id) const;
  /// Into the integer accumulator. REQUIRES: the node was popped, nothing emitted before its use.
  void to_accumulator(NodeId id);
  /// The node's tree is not used any more.
  void release(NodeId id);

  // ---- statements
  void set_local(std::uint32_t index, NodeId value);
  void store(Operation op, NodeId address, NodeId value, std::uint64_t offset);
  void set_global(bool imported, std::uint32_t block_offset, NodeId value);
  void branch(Label label);
  /// Branches if `condition` is not zero (or is, if !if_nonzero).
  void branch_if(NodeId condition, Label label, bool if_nonzero);
  void return_value(NodeId value);
  void return_void();
  /// Computes and forgets.
  void drop(NodeId value);
  /// An instruction that is no pattern.
  std::uint32_t special(Handler handler, const Operands& operands);
  void bind(Label label);
  /// At the end of a function that counts fuel: branches take over the charge_fuel that they lead to or fall into.
  void fuse_charges();

  void set_position(std::uint32_t module_offset) { position_ = module_offset; }
  std::uint32_t position() const { return position_; }

  /// More temporaries were needed than start() gave: the code is wrong and must be made again with
  /// `most_temporaries`, which suffice.
  bool ran_out() const { return ran_out_; }
  static constexpr std::uint32_t few_temporaries = 2;
  static constexpr std::uint32_t most_temporaries = 32;
  /// Call in front of every instruction: keeps the number of temporaries in use small.
  void limit_pending();

 private:
  NodeId add(const Node& node);
  void adopt(Node& parent, unsigned child_count, unsigned own_hazard);
  void limit_size(NodeId* children, unsigned count);
  NodeId as_tree(NodeId id, bool as_condition = false, bool to_slot = false);
  std::uint32_t allocate_temporary();
  void materialise(NodeId id, bool to_accumulator);
  void put_down_entry(std::uint32_t position);
  void save_slot(std::uint32_t position);
  void settle(unsigned hazard);
  void spill_accumulator(bool is_float);
  bool contains(NodeId tree, NodeId leaf) const;

  void lower(Statement statement);
  bool cut_children(Statement& statement);
  bool cut_whole(Statement& statement);
  bool cut_everything(Statement& statement);
  PatternKey leaf_key(const Node& leaf) const;
  PatternKey tree_key(NodeId id) const;
  PatternKey root_key(const Node& root, const PatternKey* children) const;
  PatternKey key_with(const Statement& statement, PatternKey e0, PatternKey e1) const;
  PatternKey statement_key_of(const Statement& statement) const;
  void tree_operands(NodeId id, Operands& operands) const;
  void statement_operands(const Statement& statement, Operands& operands) const;
  void emit(const Statement& statement, PatternKey key, Handler handler);
  bool emit_as_pair(const Statement& statement);
  void remember(const Statement& statement, PatternKey key, std::uint32_t at, unsigned first_operand);
  bool is_previous(const Node& leaf) const;
  unsigned cuttable(Statement& statement, NodeId** children);
  unsigned statement_hazard(const Statement& statement) const;
  SourcePosition position_of(const Statement& statement) const;
  bool try_cut(Statement& statement, NodeId** children, unsigned count);

  Emitter& emitter_;
  std::vector<Node> nodes_;
  std::vector<NodeId> stack_;
  std::vector<ValueKind> locals_;
  std::vector<std::uint8_t> registers_;
  std::uint32_t first_pending_ = 0;  ///< entries below lie in their slots
  std::uint32_t temporary_base_ = 0;
  std::uint32_t temporaries_ = 0;
  std::uint32_t operand_base_ = 0;
  std::uint32_t frame_slots_ = 0;
  std::uint64_t used_temporaries_ = 0;
  NodeId accumulators_[2] = {no_node, no_node};  ///< the node that lies in it; integer, float
  std::uint32_t position_ = 0;
  bool ran_out_ = false;

  // The last instruction, if a pair could still be made of it.
  bool last_is_open_ = false;
  std::uint32_t last_at_ = 0;
  PatternKey last_key_;
  Operands last_operands_;
  Destination last_destination_;
  bool last_set_ = false;
  unsigned last_hazard_ = 0;
  mutable bool previous_counts_ = false;
  Operands scratch_;

  /// The branches so far, for fuse_charges(); none where fuel is not counted.
  struct EmittedBranch {
    PatternKey key;
    std::uint32_t at;
    std::uint32_t next;  ///< what runs if it is not taken
    Label label;
  };
  std::vector<EmittedBranch> branches_;
  bool counts_fuel_ = false;
};

}  // namespace tfvm::interpreter
