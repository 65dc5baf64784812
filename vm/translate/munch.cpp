// Maximal munch: a statement is looked up whole in the handler table; if there is no handler for it, the cheapest parts
// are cut off into the accumulator or a slot until there is one. Every statement ends, since the systematic patterns
// hold each operator over slots.
#include <algorithm>
#include <cassert>
#include <utility>

#include "vm/handlers/control.hpp"
#include "vm/translate/lowering.hpp"

namespace tfvm::interpreter {
namespace {

SelectType select_type(ValueKind type) {
  switch (type) {
    case ValueKind::I32: return SelectType::I32;
    case ValueKind::F32: return SelectType::F32;
    case ValueKind::F64: return SelectType::F64;
    default: return SelectType::I64;
  }
}

bool is_wide_constant(const Node& node) {
  if (node.type == ValueKind::F64) return true;
  const auto value = static_cast<std::int64_t>(node.immediate);
  return node.type == ValueKind::I64 && value != static_cast<std::int32_t>(value);
}

bool is_copy(Operation op) { return op >= copy_i32 && op <= copy_f64; }

/// What a cut costs: an instruction, and a little for what it does.
constexpr int tree_to_accumulator = 10;
constexpr int leaf_to_accumulator = 11;
constexpr int leaf_to_slot = 12;
constexpr int tree_to_slot = 13;
/// Above this the whole expression goes into the accumulator instead.
constexpr int worth_whole = 15;

}  // namespace

/// A leaf as the expression of a statement: a copy of it.
NodeId Lowering::as_tree(NodeId id, bool as_condition, bool to_slot) {
  const Node& leaf = nodes_[id];
  if (!leaf.is_leaf()) return id;
  const bool in_register =
      leaf.kind == NodeKind::Accumulator || (leaf.kind == NodeKind::Local && registers_[leaf.immediate] != 0);
  Operation op = copy_i64;
  if (as_condition) op = copy_i32;
  else if (leaf.kind == NodeKind::Constant) op = static_cast<Operation>(copy_i32 + static_cast<unsigned>(leaf.type));
  else if (leaf.is_float() && (in_register || !to_slot)) op = copy_f64;
  Node node{.kind = NodeKind::Unary, .type = leaf.type, .operation = op, .children = {id, no_node, no_node}};
  adopt(node, 1, no_hazard);
  return add(node);
}

// ---- keys

bool Lowering::is_previous(const Node& leaf) const {
  if (!previous_counts_ || !last_set_ || last_destination_.is_register) return false;
  if (leaf.kind == NodeKind::Local)
    return registers_[leaf.immediate] == 0 && leaf.immediate == last_destination_.number;
  return leaf.kind == NodeKind::Slot && leaf.home == last_destination_.number;
}

PatternKey Lowering::leaf_key(const Node& leaf) const {
  if (is_previous(leaf)) return key_of(Leaf::Previous);
  switch (leaf.kind) {
    case NodeKind::Local:
      return registers_[leaf.immediate] != 0 ? register_key(registers_[leaf.immediate]) : key_of(Leaf::Slot);
    case NodeKind::Accumulator: return register_key(0);
    case NodeKind::Constant: return key_of(is_wide_constant(leaf) ? Leaf::WideImmediate : Leaf::Immediate);
    case NodeKind::Global: return key_of(Leaf::Global);
    case NodeKind::ImportedGlobal: return key_of(Leaf::ImportedGlobal);
    default: return key_of(Leaf::Slot);
  }
}

PatternKey Lowering::root_key(const Node& root, const PatternKey* children) const {
  switch (root.kind) {
    case NodeKind::Unary: return unary_key(root.operation, children[0]);
    case NodeKind::Binary: return binary_key(root.operation, children[0], children[1]);
    case NodeKind::Load: return load_key(root.operation, children[0]);
    case NodeKind::Select: return select_key(select_type(root.type), children[0], children[1], children[2]);
    default: return leaf_key(root);
  }
}

PatternKey Lowering::tree_key(NodeId id) const {
  const Node& node = nodes_[id];
  PatternKey children[3] = {};
  for (unsigned i = 0; i < node.child_count(); ++i) children[i] = tree_key(node.children[i]);
  return root_key(node, children);
}

PatternKey Lowering::key_with(const Statement& statement, PatternKey e0, PatternKey e1) const {
  switch (statement.word) {
    case Word::Set:
      return set_key(
          statement.destination.is_register ? register_key(statement.destination.number) : key_of(Leaf::Slot), e0);
    case Word::Store: return store_key(statement.operation, e0, e1);
    case Word::Branch:
    case Word::ReturnVoid: return key_of(statement.word);
    default: return statement_key(statement.word, e0);
  }
}

PatternKey Lowering::statement_key_of(const Statement& statement) const {
  PatternKey keys[2] = {};
  for (unsigned i = 0; i < 2; ++i)
    if (statement.expressions[i] != no_node) keys[i] = tree_key(statement.expressions[i]);
  return key_with(statement, keys[0], keys[1]);
}

// ---- operands, in the order of pattern.hpp

void Lowering::tree_operands(NodeId id, Operands& operands) const {
  const Node& node = nodes_[id];
  if (!node.is_leaf()) {
    for (unsigned i = 0; i < node.child_count(); ++i) tree_operands(node.children[i], operands);
    if (node.kind == NodeKind::Load) operands.add(static_cast<std::uint32_t>(node.immediate));
    return;
  }
  if (is_previous(node)) return;
  switch (node.kind) {
    case NodeKind::Local:
      if (registers_[node.immediate] == 0) operands.add(static_cast<std::uint32_t>(node.immediate * 8));
      break;
    case NodeKind::Slot: operands.add(node.home * 8); break;
    case NodeKind::Constant:
      if (is_wide_constant(node)) operands.add(node.immediate);
      else operands.add(static_cast<std::uint32_t>(node.immediate));
      break;
    case NodeKind::Global:
    case NodeKind::ImportedGlobal: operands.add(static_cast<std::uint32_t>(node.immediate)); break;
    default: break;
  }
}

void Lowering::statement_operands(const Statement& statement, Operands& operands) const {
  switch (statement.word) {
    case Word::Set:
      if (!statement.destination.is_register) operands.add(statement.destination.number * 8);
      tree_operands(statement.expressions[0], operands);
      break;
    case Word::Store:
      tree_operands(statement.expressions[0], operands);
      tree_operands(statement.expressions[1], operands);
      operands.add(static_cast<std::uint32_t>(statement.immediate));
      break;
    case Word::SetGlobal:
    case Word::SetImportedGlobal:
      operands.add(static_cast<std::uint32_t>(statement.immediate));
      tree_operands(statement.expressions[0], operands);
      break;
    case Word::Branch: operands.add(std::uint64_t{0}); break;
    case Word::BranchIf:
    case Word::BranchUnless:
      operands.add(std::uint64_t{0});
      tree_operands(statement.expressions[0], operands);
      break;
    case Word::Return: tree_operands(statement.expressions[0], operands); break;
    default: break;
  }
}

// ---- emission

void Lowering::remember(const Statement& statement, PatternKey key, std::uint32_t at, unsigned first_operand) {
  last_is_open_ = statement.word == Word::Set || statement.word == Word::Store || statement.word == Word::SetGlobal ||
                  statement.word == Word::SetImportedGlobal;
  last_at_ = at;
  last_key_ = key;
  last_set_ = statement.word == Word::Set;
  last_hazard_ = statement_hazard(statement);
  last_destination_ = statement.destination;
  if (statement.label == no_label) return;
  emitter_.fix_up(at + handler_bytes + first_operand, statement.label);
  if (counts_fuel_) branches_.push_back({key, at, emitter_.size(), statement.label});
}

void Lowering::fuse_charges() {
  for (const EmittedBranch& branch : branches_) {
    const std::uint32_t target = emitter_.offset(branch.label);
    const bool is_back = target <= branch.at;
    const std::pair<Word, std::uint32_t> ways[] = {{Word::ChargedTarget, target}, {Word::ChargedNext, branch.next}};
    for (const auto& [word, at] : {ways[is_back ? 0 : 1], ways[is_back ? 1 : 0]}) {
      if (emitter_.handler_at(at) != &charge_fuel) continue;
      const Handler handler = find_handler(charging_key(word, branch.key));
      if (handler == nullptr) continue;
      emitter_.set_handler(branch.at, handler);
      break;
    }
  }
}

/// Makes one instruction of the last one and this statement if there is a handler for the pair.
bool Lowering::emit_as_pair(const Statement& statement) {
  if (!last_is_open_) return false;
  previous_counts_ = true;
  const PatternKey key = pair_key(last_key_, statement_key_of(statement));
  const Handler handler = find_handler(key);
  if (handler != nullptr) {
    const unsigned first_operand = last_operands_.size();
    statement_operands(statement, last_operands_);
    SourcePosition position = emitter_.positions().back();
    const SourcePosition second = position_of(statement);
    if ((last_hazard_ & arithmetic_hazard) == 0) position.module_offset = second.module_offset;
    if ((last_hazard_ & memory_hazard) == 0) position.memory_offset = second.memory_offset;
    emitter_.remove_last(last_at_);
    const std::uint32_t at =
        emitter_.instruction(handler, last_operands_, position.module_offset, position.memory_offset);
    remember(statement, key, at, first_operand);
    last_is_open_ = false;  // pairs are not extended to triples
  }
  previous_counts_ = false;
  return handler != nullptr;
}

void Lowering::emit(const Statement& statement, PatternKey key, Handler handler) {
  if (emit_as_pair(statement)) return;
  const SourcePosition position = position_of(statement);
  last_operands_.clear();
  statement_operands(statement, last_operands_);
  const std::uint32_t at =
      emitter_.instruction(handler, last_operands_, position.module_offset, position.memory_offset);
  remember(statement, key, at, 0);
}

// ---- cutting

unsigned Lowering::statement_hazard(const Statement& statement) const {
  unsigned hazard = statement.word == Word::Store ? memory_hazard : no_hazard;
  for (const NodeId id : statement.expressions)
    if (id != no_node) hazard |= nodes_[id].hazard;
  return hazard;
}

/// Where the traps of a statement come from: its first part that may trap in one way or the other.
SourcePosition Lowering::position_of(const Statement& statement) const {
  SourcePosition position{0, position_, position_};
  for (const NodeId id : {statement.expressions[1], statement.expressions[0]}) {
    if (id == no_node) continue;
    if ((nodes_[id].hazard & arithmetic_hazard) != 0) position.module_offset = nodes_[id].trap_offset;
    if ((nodes_[id].hazard & memory_hazard) != 0) position.memory_offset = nodes_[id].memory_offset;
  }
  return position;
}

/// The parts that can be cut off without changing what the statement does at its root.
unsigned Lowering::cuttable(Statement& statement, NodeId** children) {
  unsigned count = 0;
  if (statement.word == Word::Store) {
    children[count++] = &statement.expressions[0];
    children[count++] = &statement.expressions[1];
    return count;
  }
  Node& root = nodes_[statement.expressions[0]];
  for (unsigned i = 0; i < root.child_count(); ++i) children[count++] = &root.children[i];
  return count;
}

/// Tries every way to cut children into accumulator or slot, and takes the cheapest that has a handler.
bool Lowering::try_cut(Statement& statement, NodeId** children, unsigned count) {
  enum Choice : unsigned { keep, cut_to_accumulator, cut_to_slot, choices };
  PatternKey whole[3] = {};
  for (unsigned i = 0; i < count; ++i) whole[i] = tree_key(*children[i]);
  unsigned combinations = 1;
  for (unsigned i = 0; i < count; ++i) combinations *= choices;
  int best_cost = INT32_MAX;
  unsigned best = 0;
  for (unsigned combination = 1; combination < combinations; ++combination) {
    PatternKey keys[3] = {};
    int cost = 0;
    unsigned in_accumulator[2] = {0, 0};
    bool accumulator_kept = false;
    bool possible = true;
    unsigned rest = combination;
    for (unsigned i = 0; i < count; ++i, rest /= choices) {
      const Node& child = nodes_[*children[i]];
      const auto choice = static_cast<Choice>(rest % choices);
      if (choice == keep) {
        keys[i] = whole[i];
        accumulator_kept = accumulator_kept || child.uses_accumulator;
        continue;
      }
      if (child.kind == NodeKind::Slot || (choice == cut_to_accumulator && child.kind == NodeKind::Accumulator)) {
        possible = false;
        break;
      }
      if (choice == cut_to_accumulator) {
        ++in_accumulator[child.is_float()];
        keys[i] = register_key(0);
        cost += child.is_leaf() ? leaf_to_accumulator : tree_to_accumulator;
      } else {
        keys[i] = key_of(Leaf::Slot);
        cost += child.is_leaf() ? leaf_to_slot : tree_to_slot;
      }
      if (!child.is_leaf() && child.operators <= 1) --cost;
    }
    if (!possible || cost >= best_cost || in_accumulator[0] > 1 || in_accumulator[1] > 1 ||
        (accumulator_kept && in_accumulator[0] + in_accumulator[1] > 0))
      continue;
    const PatternKey key = statement.word == Word::Store
                               ? key_with(statement, keys[0], keys[1])
                               : key_with(statement, root_key(nodes_[statement.expressions[0]], keys), {});
    if (find_handler(key) == nullptr) continue;
    best = combination;
    best_cost = cost;
  }
  const bool whole_is_possible = statement.word != Word::Set && statement.word != Word::Store;
  if (best == 0 || (whole_is_possible && best_cost > worth_whole)) return false;
  // Materialising may move the arena: the children are read again through the statement.
  for (const Choice choice : {cut_to_slot, cut_to_accumulator}) {
    unsigned rest = best;
    for (unsigned i = 0; i < count; ++i, rest /= choices) {
      if (rest % choices != choice) continue;
      NodeId* now[3];
      cuttable(statement, now);
      materialise(*now[i], choice == cut_to_accumulator);
    }
  }
  return true;
}

bool Lowering::cut_children(Statement& statement) {
  NodeId* children[3];
  const unsigned count = cuttable(statement, children);
  unsigned hazardous = 0;
  for (unsigned i = 0; i < count; ++i) hazardous += nodes_[*children[i]].hazard != 0 ? 1 : 0;
  // Cuts that change the order of two traps are no choice; cut_everything keeps the order.
  // A store itself only traps as loads do, and last.
  if (hazardous > 1 && (statement_hazard(statement) & arithmetic_hazard) != 0) return false;
  return try_cut(statement, children, count);
}

/// A statement of one expression: all of it into the accumulator.
bool Lowering::cut_whole(Statement& statement) {
  if (statement.word == Word::Set || statement.word == Word::Store) return false;
  const NodeId tree = statement.expressions[0];
  if (nodes_[tree].kind == NodeKind::Unary && is_copy(nodes_[tree].operation)) return false;
  materialise(tree, true);
  const bool is_condition = statement.word == Word::BranchIf || statement.word == Word::BranchUnless;
  statement.expressions[0] = as_tree(tree, is_condition);
  return true;
}

/// First all inner parts, then all leaves, into slots, in order.
bool Lowering::cut_everything(Statement& statement) {
  NodeId* children[3];
  const unsigned count = cuttable(statement, children);
  for (const bool leaves : {false, true}) {
    bool did = false;
    for (unsigned i = 0; i < count; ++i) {
      NodeId* now[3];
      cuttable(statement, now);
      if (nodes_[*now[i]].is_leaf() != leaves || is_in_slot(*now[i])) continue;
      materialise(*now[i], false);
      did = true;
    }
    if (did) return true;
  }
  return false;
}

void Lowering::lower(Statement statement) {
  bool through_accumulator = false;
  Destination final_destination;
  for (;;) {
    const PatternKey key = statement_key_of(statement);
    if (const Handler handler = find_handler(key)) {
      emit(statement, key, handler);
      break;
    }
    if (cut_children(statement) || cut_whole(statement)) continue;
    if (statement.word == Word::Set && statement.destination.is_register && statement.destination.number != 0) {
      through_accumulator = true;
      final_destination = std::exchange(statement.destination, {true, 0});
      const bool is_float = nodes_[statement.expressions[0]].is_float();
      const NodeId occupant = accumulators_[is_float];
      if (occupant != no_node && !contains(statement.expressions[0], occupant)) spill_accumulator(is_float);
      continue;
    }
    const bool progress = cut_everything(statement);
    assert(progress && "the systematic patterns do not cover an operator");
    if (!progress) __builtin_trap();
  }
  const ValueKind type = statement.expressions[0] != no_node ? nodes_[statement.expressions[0]].type : ValueKind::I32;
  for (const NodeId id : statement.expressions) release(id);
  if (!through_accumulator) return;
  const NodeId value = add(Node{.kind = NodeKind::Accumulator, .type = type, .uses_accumulator = true});
  Statement copy;
  copy.destination = final_destination;
  copy.expressions[0] = as_tree(value);
  lower(copy);
}

// ---- statements

void Lowering::set_local(std::uint32_t index, NodeId value) {
  settle(nodes_[value].hazard);
  for (std::uint32_t i = first_pending_; i < height(); ++i)
    if ((nodes_[stack_[i]].locals & local_bit(index)) != 0) put_down_entry(i);
  if (nodes_[value].kind == NodeKind::Local && nodes_[value].immediate == index) return;
  Statement statement;
  const std::uint8_t pinned = registers_[index];
  statement.destination = {pinned != 0, pinned != 0 ? pinned : index};
  statement.expressions[0] = as_tree(value, false, pinned == 0);
  lower(statement);
}

void Lowering::store(Operation op, NodeId address, NodeId value, std::uint64_t offset) {
  flush_hazards();
  Node& constant = nodes_[value];
  // A float constant is stored as the integer with its bits: integers have immediates.
  if (constant.kind == NodeKind::Constant && constant.type == ValueKind::F32) {
    constant.type = ValueKind::I32;
    op = operation(Op::I32Store);
  } else if (constant.kind == NodeKind::Constant && constant.type == ValueKind::F64) {
    constant.type = ValueKind::I64;
    op = operation(Op::I64Store);
  }
  Statement statement{.word = Word::Store, .operation = op, .expressions = {address, value}, .immediate = offset};
  lower(statement);
}

void Lowering::set_global(bool imported, std::uint32_t block_offset, NodeId value) {
  flush_effects();
  Node& constant = nodes_[value];
  if (constant.kind == NodeKind::Constant && constant.type == ValueKind::F32) constant.type = ValueKind::I32;
  if (constant.kind == NodeKind::Constant && constant.type == ValueKind::F64) constant.type = ValueKind::I64;
  Statement statement{.word = imported ? Word::SetImportedGlobal : Word::SetGlobal, .immediate = block_offset};
  statement.expressions[0] = as_tree(value, false, is_in_slot(value));
  lower(statement);
}

void Lowering::branch(Label label) {
  flush_hazards();
  lower({.word = Word::Branch, .label = label});
}

void Lowering::branch_if(NodeId condition, Label label, bool if_nonzero) {
  flush_hazards();
  const auto is_comparison_with_zero = [&](const Node& node) {
    if (node.kind != NodeKind::Binary || node.operation != operation(Op::I32Eq)) return false;
    const Node& right = nodes_[node.children[1]];
    return right.kind == NodeKind::Constant && right.immediate == 0;
  };
  while (is_comparison_with_zero(nodes_[condition])) {
    condition = nodes_[condition].children[0];
    if_nonzero = !if_nonzero;
  }
  Node& node = nodes_[condition];
  if (node.kind == NodeKind::Constant) {
    if ((node.immediate != 0) == if_nonzero) branch(label);
    return;
  }
  // Integer comparisons have their inverse, at a fixed distance in the table of instructions.
  const auto invert = [&](Op first) {
    static constexpr unsigned inverse[] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3};
    const unsigned base = operation(first);
    if (node.operation < base || node.operation >= base + 10) return false;
    node.operation = static_cast<Operation>(base + inverse[node.operation - base]);
    return true;
  };
  if (!if_nonzero && node.kind == NodeKind::Binary && (invert(Op::I32Eq) || invert(Op::I64Eq))) if_nonzero = true;
  Statement statement{.word = if_nonzero ? Word::BranchIf : Word::BranchUnless, .label = label};
  statement.expressions[0] = as_tree(condition, true);
  lower(statement);
}

void Lowering::return_value(NodeId value) {
  flush_hazards();
  Statement statement{.word = Word::Return};
  statement.expressions[0] = as_tree(value);
  lower(statement);
}

void Lowering::return_void() {
  flush_hazards();
  lower({.word = Word::ReturnVoid});
}

void Lowering::drop(NodeId value) {
  if (nodes_[value].hazard != 0) {
    settle(nodes_[value].hazard);
    materialise(value, true);
  }
  release(value);
}

std::uint32_t Lowering::special(Handler handler, const Operands& operands) {
  last_is_open_ = false;
  return emitter_.instruction(handler, operands, position_, position_);
}

void Lowering::bind(Label label) {
  last_is_open_ = false;
  emitter_.bind(label);
}

}  // namespace tfvm::interpreter
