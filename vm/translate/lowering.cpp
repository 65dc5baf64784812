// Nodes, operand stack and temporaries: when a pending tree is put down, and where. Instructions are chosen in
// munch.cpp.
#include "vm/translate/lowering.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace tfvm::interpreter {
namespace {

/// Trees grow to this many operators before a part is cut off; no pattern is larger.
constexpr unsigned most_operators = 6;
/// Pending entries are few, so that a walk over them is constant work.
constexpr std::uint32_t most_pending = 32;
/// The arena is swept when it has grown beyond this and four times the operand stack.
constexpr std::size_t least_sweep = 4096;

/// Whether parts with these hazards, together, must keep their order: two accesses to memory trap alike.
constexpr bool mixes(unsigned hazard) { return (hazard & arithmetic_hazard) != 0; }

unsigned hazard_of(Operation op) {
  return op < op_count && info(static_cast<Op>(op)).effect == Effect::Traps ? arithmetic_hazard : no_hazard;
}

}  // namespace

void Lowering::start(std::vector<ValueKind> locals, std::vector<std::uint8_t> registers, std::uint32_t temporaries,
                     bool counts_fuel) {
  locals_ = std::move(locals);
  registers_ = std::move(registers);
  nodes_.clear();
  stack_.clear();
  first_pending_ = 0;
  temporary_base_ = static_cast<std::uint32_t>(locals_.size());
  temporaries_ = temporaries;
  operand_base_ = temporary_base_ + temporaries;
  frame_slots_ = operand_base_;
  used_temporaries_ = 0;
  accumulators_[0] = accumulators_[1] = no_node;
  ran_out_ = false;
  last_is_open_ = false;
  branches_.clear();
  counts_fuel_ = counts_fuel;
}

NodeId Lowering::add(const Node& node) {
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId Lowering::constant(ValueKind type, std::uint64_t bits) {
  Node node;
  node.type = type;
  node.immediate = bits;
  return add(node);
}

NodeId Lowering::local(std::uint32_t index) {
  Node node;
  node.kind = NodeKind::Local;
  node.type = locals_[index];
  node.immediate = index;
  node.locals = local_bit(index);
  return add(node);
}

NodeId Lowering::global(ValueKind type, bool imported, std::uint32_t block_offset) {
  Node node;
  node.kind = imported ? NodeKind::ImportedGlobal : NodeKind::Global;
  node.type = type;
  node.immediate = block_offset;
  node.reads_global = true;
  return add(node);
}

/// Keeps trees small enough for patterns: cuts the largest child until the parent fits. In program order if parts could
/// trap differently.
void Lowering::limit_size(NodeId* children, unsigned count) {
  unsigned hazard = 0;
  unsigned hazardous = 0;
  const auto total = [&] {
    unsigned sum = 1;
    for (unsigned i = 0; i < count; ++i) sum += nodes_[children[i]].operators;
    return sum;
  };
  for (unsigned i = 0; i < count; ++i) {
    hazard |= nodes_[children[i]].hazard;
    if (nodes_[children[i]].hazard != 0) ++hazardous;
  }
  if (total() <= most_operators) return;
  settle(hazard);
  if (hazardous > 1 && mixes(hazard)) {
    for (unsigned i = 0; i < count; ++i)
      if (nodes_[children[i]].hazard != 0) materialise(children[i], false);
  }
  while (total() > most_operators) {
    NodeId largest = children[0];
    bool another_tree = false;
    bool accumulator_in_use = false;
    for (unsigned i = 0; i < count; ++i)
      if (nodes_[children[i]].operators > nodes_[largest].operators) largest = children[i];
    for (unsigned i = 0; i < count; ++i) {
      if (children[i] == largest) continue;
      another_tree = another_tree || !nodes_[children[i]].is_leaf();
      accumulator_in_use = accumulator_in_use || nodes_[children[i]].uses_accumulator;
    }
    materialise(largest, !another_tree && !accumulator_in_use);
  }
}

/// Sums up the children in their parent.
void Lowering::adopt(Node& parent, unsigned child_count, unsigned own_hazard) {
  parent.operators = 1;
  for (unsigned i = 0; i < child_count; ++i) {
    const Node& child = nodes_[parent.children[i]];
    parent.operators = static_cast<std::uint16_t>(parent.operators + child.operators);
    if ((parent.hazard & arithmetic_hazard) == 0) parent.trap_offset = child.trap_offset;
    if ((parent.hazard & memory_hazard) == 0) parent.memory_offset = child.memory_offset;
    parent.hazard |= child.hazard;
    parent.reads_global = parent.reads_global || child.reads_global;
    parent.uses_accumulator = parent.uses_accumulator || child.uses_accumulator;
    parent.locals |= child.locals;
    parent.reach = std::max(parent.reach, child.reach);
  }
  if ((own_hazard & ~parent.hazard & arithmetic_hazard) != 0) parent.trap_offset = position_;
  if ((own_hazard & ~parent.hazard & memory_hazard) != 0) parent.memory_offset = position_;
  parent.hazard |= static_cast<std::uint8_t>(own_hazard);
}

NodeId Lowering::unary(Operation op, ValueKind type, NodeId a) {
  Node node{.kind = NodeKind::Unary, .type = type, .operation = op, .children = {a, no_node, no_node}};
  limit_size(node.children, 1);
  adopt(node, 1, hazard_of(op));
  return add(node);
}

NodeId Lowering::binary(Operation op, ValueKind type, NodeId a, NodeId b) {
  Node node{.kind = NodeKind::Binary, .type = type, .operation = op, .children = {a, b, no_node}};
  limit_size(node.children, 2);
  adopt(node, 2, hazard_of(op));
  return add(node);
}

NodeId Lowering::load(Operation op, ValueKind type, NodeId address, std::uint64_t offset) {
  Node node{.kind = NodeKind::Load, .type = type, .operation = op, .children = {address, no_node, no_node}};
  node.immediate = offset;
  limit_size(node.children, 1);
  adopt(node, 1, memory_hazard);
  return add(node);
}

NodeId Lowering::select(ValueKind type, NodeId a, NodeId b, NodeId condition) {
  Node node{.kind = NodeKind::Select, .type = type, .children = {a, b, condition}};
  limit_size(node.children, 3);
  adopt(node, 3, no_hazard);
  return add(node);
}

void Lowering::push(NodeId id) {
  nodes_[id].home = home(height());
  nodes_[id].on_stack = true;
  if (nodes_[id].kind == NodeKind::Slot) nodes_[id].reach = nodes_[id].home;
  stack_.push_back(id);
  need_slots(home(height()));
}

NodeId Lowering::pop() {
  const NodeId id = stack_.back();
  stack_.pop_back();
  nodes_[id].on_stack = false;
  first_pending_ = std::min(first_pending_, height());
  return id;
}

void Lowering::push_in_slot(ValueKind type) {
  Node node{.kind = NodeKind::Slot, .type = type};
  const bool all_down = first_pending_ == height();
  push(add(node));
  if (all_down) first_pending_ = height();
}

void Lowering::push_in_accumulator(ValueKind type) {
  Node node{.kind = NodeKind::Accumulator, .type = type, .uses_accumulator = true};
  const NodeId id = add(node);
  push(id);
  accumulators_[node.is_float()] = id;
}

void Lowering::drop_entries(std::uint32_t count) {
  for (; count != 0; --count) release(pop());
}

void Lowering::reset(std::uint32_t height) {
  stack_.resize(height);
  first_pending_ = std::min(first_pending_, height);
  used_temporaries_ = 0;
  accumulators_[0] = accumulators_[1] = no_node;
}

void Lowering::limit_pending() {
  if (temporaries_ == most_temporaries && std::popcount(used_temporaries_) > 8) flush_all();
  if (height() - first_pending_ > most_pending) flush_all();
  if (nodes_.size() < least_sweep || nodes_.size() < 4 * stack_.size()) return;
  flush_all();
  accumulators_[0] = accumulators_[1] = no_node;
  std::vector<Node> kept;
  kept.reserve(stack_.size());
  for (NodeId& id : stack_) {
    kept.push_back(nodes_[id]);
    id = static_cast<NodeId>(kept.size() - 1);
  }
  nodes_ = std::move(kept);
}

std::uint32_t Lowering::allocate_temporary() {
  for (std::uint32_t n = 0; n < temporaries_; ++n) {
    if ((used_temporaries_ >> n & 1) != 0) continue;
    used_temporaries_ |= std::uint64_t{1} << n;
    return temporary_base_ + n;
  }
  ran_out_ = true;
  return temporary_base_;
}

void Lowering::release(NodeId id) {
  if (id == no_node) return;
  for (const bool is_float : {false, true})
    if (accumulators_[is_float] == id) accumulators_[is_float] = no_node;
  const Node& node = nodes_[id];
  if (node.kind == NodeKind::Slot && node.home >= temporary_base_ && node.home < operand_base_)
    used_temporaries_ &= ~(std::uint64_t{1} << (node.home - temporary_base_));
  for (unsigned i = 0; i < node.child_count(); ++i) release(node.children[i]);
}

bool Lowering::contains(NodeId tree, NodeId leaf) const {
  if (tree == leaf) return true;
  const Node& node = nodes_[tree];
  for (unsigned i = 0; i < node.child_count(); ++i)
    if (contains(node.children[i], leaf)) return true;
  return false;
}

/// The value in the accumulator moves to its home, or to a temporary if its node is part of another tree.
void Lowering::spill_accumulator(bool is_float) {
  const NodeId id = std::exchange(accumulators_[is_float], no_node);
  if (id == no_node) return;
  if (!nodes_[id].on_stack) nodes_[id].home = allocate_temporary();
  const NodeId value = add(nodes_[id]);
  Statement statement;
  statement.destination = {false, nodes_[id].home};
  statement.expressions[0] = as_tree(value, false, true);
  nodes_[id].kind = NodeKind::Slot;
  nodes_[id].uses_accumulator = false;
  nodes_[id].reach = nodes_[id].home >= operand_base_ ? nodes_[id].home : 0;
  lower(statement);
}

/// Computes a node now; it becomes a leaf.
void Lowering::materialise(NodeId id, bool to_accumulator) {
  if (nodes_[id].kind == NodeKind::Slot) return;
  if (nodes_[id].kind == NodeKind::Accumulator) {
    if (!to_accumulator) spill_accumulator(nodes_[id].is_float());
    return;
  }
  const bool is_float = nodes_[id].is_float();
  const NodeId tree = add(nodes_[id]);
  nodes_[id].hazard = 0;
  if (to_accumulator) {
    const NodeId occupant = accumulators_[is_float];
    if (occupant != no_node && !contains(tree, occupant)) spill_accumulator(is_float);
  } else if (!nodes_[id].on_stack) {
    nodes_[id].home = allocate_temporary();
  }
  Statement statement;
  statement.destination = {to_accumulator, to_accumulator ? 0 : nodes_[id].home};
  statement.expressions[0] = nodes_[tree].is_leaf() ? as_tree(tree, false, !to_accumulator) : tree;
  lower(statement);
  Node& node = nodes_[id];
  node.kind = to_accumulator ? NodeKind::Accumulator : NodeKind::Slot;
  node.uses_accumulator = to_accumulator;
  node.reads_global = false;
  node.operators = 0;
  node.locals = 0;
  node.reach = !to_accumulator && node.home >= operand_base_ ? node.home : 0;
  if (to_accumulator) accumulators_[is_float] = id;
}

void Lowering::put_down_entry(std::uint32_t position) {
  const NodeId id = stack_[position];
  if (nodes_[id].kind == NodeKind::Slot) return;
  save_slot(position);
  if (nodes_[id].hazard != 0) {
    unsigned hazard = nodes_[id].hazard;
    for (std::uint32_t i = first_pending_; i < position; ++i) hazard |= nodes_[stack_[i]].hazard;
    if (mixes(hazard))
      for (std::uint32_t i = first_pending_; i < position; ++i)
        if (nodes_[stack_[i]].hazard != 0) put_down_entry(i);
  }
  materialise(id, false);
}

/// Before something is written to the slot of a position: pending trees below it that read it, or slots above it, are
/// put down. From the bottom up: an entry's own slot is read by entries below only, and these are down by then.
void Lowering::save_slot(std::uint32_t position) {
  const auto reaches = [&](std::uint32_t i) { return nodes_[stack_[i]].reach >= home(position); };
  std::uint32_t i = first_pending_;
  while (i < position && !reaches(i)) ++i;
  if (i == position) return;
  for (i = first_pending_; i < position; ++i)
    if (nodes_[stack_[i]].reach != 0) put_down_entry(i);
}

std::uint32_t Lowering::next_home() {
  save_slot(height());
  return home(height());
}

/// Before something with `hazard` happens: pending entries that could trap differently, in order.
void Lowering::settle(unsigned hazard) {
  if (hazard == 0) return;
  for (std::uint32_t i = first_pending_; i < height(); ++i) hazard |= nodes_[stack_[i]].hazard;
  if (mixes(hazard)) flush_hazards();
}

void Lowering::flush_all() {
  put_down(height());
  first_pending_ = height();
}

void Lowering::put_down(std::uint32_t count) {
  for (std::uint32_t i = std::max(first_pending_, height() - count); i < height(); ++i) put_down_entry(i);
}

void Lowering::flush_hazards() {
  for (std::uint32_t i = first_pending_; i < height(); ++i)
    if (nodes_[stack_[i]].hazard != 0) put_down_entry(i);
}

void Lowering::flush_effects() {
  for (std::uint32_t i = first_pending_; i < height(); ++i)
    if (nodes_[stack_[i]].hazard != 0 || nodes_[stack_[i]].reads_global) put_down_entry(i);
}

void Lowering::flush_for_call(std::uint32_t arguments) {
  const std::uint32_t callee_frame = home(height() - arguments);
  for (std::uint32_t i = first_pending_; i < height() - arguments; ++i) {
    const Node& node = nodes_[stack_[i]];
    if (node.hazard != 0 || node.reads_global || node.uses_accumulator || node.reach >= callee_frame) put_down_entry(i);
  }
  put_down(arguments);
}

bool Lowering::is_in_slot(NodeId id) const {
  const Node& node = nodes_[id];
  return node.kind == NodeKind::Slot || (node.kind == NodeKind::Local && registers_[node.immediate] == 0);
}

std::uint32_t Lowering::slot_of(NodeId id) {
  if (nodes_[id].kind == NodeKind::Local && is_in_slot(id)) return static_cast<std::uint32_t>(nodes_[id].immediate);
  settle(nodes_[id].hazard);
  materialise(id, false);
  return nodes_[id].home;
}

void Lowering::to_accumulator(NodeId id) {
  settle(nodes_[id].hazard);
  materialise(id, true);
}

}  // namespace tfvm::interpreter
