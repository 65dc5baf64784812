// Hash-consing of recursion groups, here with an ordered index, and the subtype relation (type_registry.hpp).
//
//   Index: structure -> weak group        slots: id -> DefinedType, in chunks that never move
//   the last shared_ptr of a group dies -> release(): entry and slots go, then the groups that it used
#include "decoder/type_registry.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <optional>
#include <stdexcept>

#include "decoder/limits.hpp"

namespace tfvm {
namespace {

using Key = std::vector<std::uint32_t>;

/// Chunks double in size, so that a few cover all ids and most programs touch one page: chunk n starts at the id
/// first_chunk_size * (2^n - 1) and holds first_chunk_size * 2^n.
constexpr std::uint32_t first_chunk_size = 64;

struct SlotPlace {
  unsigned chunk;
  std::uint32_t index;
};
constexpr std::uint32_t chunk_size(unsigned chunk) { return first_chunk_size << chunk; }
constexpr SlotPlace place_of(TypeId id) {
  const auto chunk = static_cast<unsigned>(std::bit_width(id / first_chunk_size + 1) - 1);
  return {chunk, id - (chunk_size(chunk) - first_chunk_size)};
}
constexpr std::size_t chunk_count = place_of(max_type_id).chunk + 1;

// Words whose equality is that of the groups: ids outside of the group are canonical, those inside are indices.
Key structure_of(const std::vector<SubType>& types) {
  Key key;
  for (const SubType& type : types) {
    key.push_back(static_cast<std::uint32_t>(type.composite.kind) | (type.is_final ? 0x10u : 0u) |
                  (type.supertype != nullptr ? 0x20u : 0u) | (type.recursive_supertype != no_type ? 0x40u : 0u));
    if (type.supertype != nullptr) key.push_back(type.supertype->id);
    if (type.recursive_supertype != no_type) key.push_back(type.recursive_supertype);
    if (type.composite.kind == CompositeKind::Function) {
      const FunctionType& function = type.composite.function;
      key.push_back(static_cast<std::uint32_t>(function.params.size()));
      key.push_back(static_cast<std::uint32_t>(function.results.size()));
      for (const ValueType param : function.params) key.push_back(param.bits());
      for (const ValueType result : function.results) key.push_back(result.bits());
    } else {
      key.push_back(static_cast<std::uint32_t>(type.composite.fields.size()));
      for (const FieldType& field : type.composite.fields) {
        key.push_back(field.type.bits());
        key.push_back(field.is_mutable ? 1 : 0);
      }
    }
  }
  return key;
}

template <class Visit>
void for_each_value_type(CompositeType& composite, Visit&& visit) {
  for (ValueType& type : composite.function.params) visit(type);
  for (ValueType& type : composite.function.results) visit(type);
  for (FieldType& field : composite.fields) visit(field.type);
}

}  // namespace

struct TypeRegistry::State {
  std::mutex mutex;
  std::array<std::atomic<std::atomic<const DefinedType*>*>, chunk_count> chunks{};
  std::vector<TypeId> free_ids;
  TypeId next_id = 0;
  std::size_t live = 0;
  RecursionGroup::Index index;
  const RecursionGroup* dying = nullptr;  // a list through next_dying_: a deleter must not allocate
  bool is_releasing = false;

  ~State() {
    for (const auto& chunk : chunks) delete[] chunk.load();
  }

  std::atomic<const DefinedType*>& slot(TypeId id) {
    const SlotPlace place = place_of(id);
    return chunks[place.chunk].load(std::memory_order_acquire)[place.index];
  }

  bool has_ids(std::size_t count) const { return count <= free_ids.size() + (std::size_t{max_type_id} + 1 - next_id); }

  TypeId take_id() {
    if (!free_ids.empty()) {
      const TypeId id = free_ids.back();
      free_ids.pop_back();
      return id;
    }
    // Room for every id to come back: a deleter must not allocate.
    if (free_ids.capacity() <= next_id)
      free_ids.reserve(std::max<std::size_t>(first_chunk_size, 2 * std::size_t{next_id}));
    const SlotPlace place = place_of(next_id);
    if (place.index == 0)
      chunks[place.chunk].store(new std::atomic<const DefinedType*>[chunk_size(place.chunk)](),
                                std::memory_order_release);
    return next_id++;
  }

  std::unique_ptr<RecursionGroup> make_group(std::vector<SubType>& types);
  void forget(const RecursionGroup& group);
  void release(const RecursionGroup* group);
};

// Ids for all types first, since they may mention each other; then their contents. REQUIRES: the mutex is held.
std::unique_ptr<RecursionGroup> TypeRegistry::State::make_group(std::vector<SubType>& types) {
  auto group = std::make_unique<RecursionGroup>();
  group->types_.reserve(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    auto type = std::make_unique<DefinedType>();
    type->id = take_id();
    type->group = group.get();
    group->types_.push_back(std::move(type));
  }
  std::vector<const RecursionGroup*> uses;
  for (std::size_t i = 0; i < types.size(); ++i) {
    DefinedType& type = *group->types_[i];
    type.is_final = types[i].is_final;
    type.composite = std::move(types[i].composite);
    type.supertype = types[i].recursive_supertype != no_type ? group->types_[types[i].recursive_supertype].get()
                                                             : types[i].supertype;
    if (type.supertype != nullptr) {
      type.display = type.supertype->display;
      if (type.supertype->group != group.get()) uses.push_back(type.supertype->group);
    }
    type.display.push_back(type.id);
    for_each_value_type(type.composite, [&](ValueType& value) {
      if (!value.is_ref()) return;
      if (value.heap() == HeapKind::Recursive)
        value = ValueType::ref(value.is_nullable(), HeapKind::Defined, group->types_[value.id()]->id);
      else if (value.heap() == HeapKind::Defined)
        uses.push_back(slot(value.id()).load(std::memory_order_relaxed)->group);
    });
  }
  std::sort(uses.begin(), uses.end());
  uses.erase(std::unique(uses.begin(), uses.end()), uses.end());
  for (const RecursionGroup* used : uses) group->uses_.push_back(used->shared_from_this());
  return group;
}

// Takes the group's ids and entry out of the tables. REQUIRES: the mutex is held.
void TypeRegistry::State::forget(const RecursionGroup& group) {
  if (group.entry_) index.erase(*group.entry_);
  for (const auto& type : group.types_) {
    slot(type->id).store(nullptr, std::memory_order_relaxed);
    free_ids.push_back(type->id);
  }
  live -= group.types_.size();
}

// Deleter of groups. A chain of groups, each used by the next, dies in a loop instead of recursively.
void TypeRegistry::State::release(const RecursionGroup* group) {
  std::unique_lock lock(mutex);
  group->next_dying_ = dying;
  dying = group;
  if (is_releasing) return;
  is_releasing = true;
  while (dying != nullptr) {
    const RecursionGroup* const next = dying;
    dying = next->next_dying_;
    forget(*next);
    lock.unlock();
    delete next;  // drops its uses: they come back here and find is_releasing set
    lock.lock();
  }
  is_releasing = false;
}

TypeRegistry::TypeRegistry() : state_(std::make_shared<State>()) {}
TypeRegistry::~TypeRegistry() = default;

Result<std::shared_ptr<const RecursionGroup>> TypeRegistry::intern(std::vector<SubType> types) {
  std::vector<std::size_t> depths(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].supertype != nullptr) depths[i] = types[i].supertype->display.size();
    if (types[i].recursive_supertype != no_type) depths[i] = depths[types[i].recursive_supertype] + 1;
    if (depths[i] > limits::subtyping_depth)
      return Error{ErrorKind::Limit, "too many supertypes above a type", no_offset, {}, {}, {}};
  }
  Key key = structure_of(types);
  std::shared_ptr<const RecursionGroup> result;  // outlives the lock: its death would take the mutex
  std::lock_guard lock(state_->mutex);
  const auto found = state_->index.find(key);
  if (found != state_->index.end()) result = found->second.group.lock();
  if (result != nullptr) return result;
  if (!state_->has_ids(types.size()))
    return Error{ErrorKind::Limit, "too many types in this engine", no_offset, {}, {}, {}};
  std::unique_ptr<RecursionGroup> group = state_->make_group(types);
  if (found != state_->index.end()) {  // of a group that has died but not yet been released
    found->second.owner->entry_.reset();
    group->entry_ = found;
  } else {
    group->entry_ = state_->index.try_emplace(std::move(key)).first;
  }
  RecursionGroup::Entry& entry = (*group->entry_)->second;
  entry.owner = group.get();
  for (const auto& type : group->types_) state_->slot(type->id).store(type.get(), std::memory_order_release);
  state_->live += group->types_.size();
  RecursionGroup* const made = group.release();
  result = std::shared_ptr<const RecursionGroup>(
      made, [state = state_](const RecursionGroup* dead) { state->release(dead); });
  entry.group = result;
  return result;
}

std::shared_ptr<const RecursionGroup> TypeRegistry::intern_function(FunctionType type) {
  SubType sub_type;
  sub_type.composite.function = std::move(type);
  std::vector<SubType> types;
  types.push_back(std::move(sub_type));
  auto group = intern(std::move(types));
  if (!group) throw std::length_error(group.error().message);
  return std::move(group).value();
}

const DefinedType& TypeRegistry::get(TypeId id) const { return *state_->slot(id).load(std::memory_order_acquire); }

std::size_t TypeRegistry::live_types() const {
  std::lock_guard lock(state_->mutex);
  return state_->live;
}

bool is_subtype(const DefinedType& sub, const DefinedType& super) {
  const std::size_t depth = super.display.size();
  return sub.display.size() >= depth && sub.display[depth - 1] == super.id;
}

namespace {

// The four hierarchies of heap types (section 3.3.3), for an abstract `super`; `kind` is that of a defined `sub`.
bool is_abstract_subtype(HeapKind sub, std::optional<CompositeKind> kind, HeapKind super) {
  const bool is_function = kind == CompositeKind::Function;
  switch (super) {
    case HeapKind::Func: return sub == HeapKind::NoFunc || is_function;
    case HeapKind::Extern: return sub == HeapKind::NoExtern;
    case HeapKind::Exn: return sub == HeapKind::NoExn;
    case HeapKind::Any: return sub == HeapKind::Eq || is_abstract_subtype(sub, kind, HeapKind::Eq);
    case HeapKind::Eq:
      return sub == HeapKind::I31 || sub == HeapKind::Struct || sub == HeapKind::Array || sub == HeapKind::None ||
             (kind.has_value() && !is_function);
    case HeapKind::I31: return sub == HeapKind::None;
    case HeapKind::Struct: return sub == HeapKind::None || kind == CompositeKind::Struct;
    case HeapKind::Array: return sub == HeapKind::None || kind == CompositeKind::Array;
    default: return false;
  }
}

bool is_heap_subtype(const TypeRegistry& registry, ValueType sub, ValueType super) {
  if (sub.heap() == HeapKind::Bottom) return true;
  if (sub.heap() == HeapKind::Defined) {
    const DefinedType& type = registry.get(sub.id());
    if (super.heap() == HeapKind::Defined) return is_subtype(type, registry.get(super.id()));
    return is_abstract_subtype(sub.heap(), type.composite.kind, super.heap());
  }
  if (super.heap() == HeapKind::Defined) {
    const bool is_function = registry.get(super.id()).is_function();
    return sub.heap() == (is_function ? HeapKind::NoFunc : HeapKind::None);
  }
  return sub.heap() == super.heap() || is_abstract_subtype(sub.heap(), std::nullopt, super.heap());
}

// A mutable field is invariant, an immutable one covariant; packed types match only themselves (section 3.3.8).
bool is_field_subtype(const TypeRegistry& registry, const FieldType& sub, const FieldType& super) {
  if (sub.is_mutable != super.is_mutable) return false;
  return sub.is_mutable ? sub.type == super.type : is_subtype(registry, sub.type, super.type);
}

bool are_subtypes(const TypeRegistry& registry, const std::vector<ValueType>& subs,
                  const std::vector<ValueType>& supers) {
  return std::equal(subs.begin(), subs.end(), supers.begin(), supers.end(),
                    [&](ValueType sub, ValueType super) { return is_subtype(registry, sub, super); });
}

}  // namespace

bool is_subtype(const TypeRegistry& registry, ValueType sub, ValueType super) {
  if (sub == super || sub.kind() == ValueKind::Bottom) return true;
  if (!sub.is_ref() || !super.is_ref()) return false;
  if (sub.is_nullable() && !super.is_nullable()) return false;
  return is_heap_subtype(registry, sub, super);
}

bool is_valid_supertype(const TypeRegistry& registry, const DefinedType& sub, const DefinedType& super) {
  const CompositeType& below = sub.composite;
  const CompositeType& above = super.composite;
  if (super.is_final || below.kind != above.kind) return false;
  switch (below.kind) {
    case CompositeKind::Function:
      return are_subtypes(registry, above.function.params, below.function.params) &&
             are_subtypes(registry, below.function.results, above.function.results);
    case CompositeKind::Array: return is_field_subtype(registry, below.fields[0], above.fields[0]);
    case CompositeKind::Struct:
      return below.fields.size() >= above.fields.size() &&
             std::equal(above.fields.begin(), above.fields.end(), below.fields.begin(),
                        [&](const FieldType& field, const FieldType& of_sub) {
                          return is_field_subtype(registry, of_sub, field);
                        });
  }
  return false;
}

}  // namespace tfvm
