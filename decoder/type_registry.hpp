// Canonicalisation of recursion groups and the subtype relation (WebAssembly 3.0, sections 3.1.5, 3.2.10, 3.3).
// One registry per engine: equal groups of any modules get the same ids, so that type checks are id comparisons.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "decoder/error.hpp"
#include "decoder/types.hpp"

namespace tfvm {

/// A sub type as decoded: references into its own group are HeapKind::Recursive, all others canonical.
struct SubType {
  bool is_final = true;
  const DefinedType* supertype = nullptr;          ///< declared supertype outside of the group
  std::uint32_t recursive_supertype = UINT32_MAX;  ///< or: its index inside of the group
  CompositeType composite;
};

/// The canonical types of one `rec`. Held by shared_ptr; its ids are free again once the last holder is gone.
class RecursionGroup : public std::enable_shared_from_this<RecursionGroup> {
 public:
  const DefinedType& type(std::uint32_t index) const { return *types_[index]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(types_.size()); }

 private:
  friend class TypeRegistry;
  struct Entry {
    std::weak_ptr<const RecursionGroup> group;
    RecursionGroup* owner = nullptr;  ///< the same, until its entry is removed
  };
  /// Canonical groups by their structure. Ordered: no input can make look-ups worse than logarithmic.
  using Index = std::map<std::vector<std::uint32_t>, Entry>;

  std::vector<std::unique_ptr<DefinedType>> types_;
  std::vector<std::shared_ptr<const RecursionGroup>> uses_;  ///< groups that these types mention
  std::optional<Index::iterator> entry_;  ///< none: an equal group has taken it over while this one was dying
  mutable const RecursionGroup* next_dying_ = nullptr;
};

/// Thread-safe. A group keeps the registry's tables alive, so the two may die in any order.
class TypeRegistry {
 public:
  TypeRegistry();
  ~TypeRegistry();
  TypeRegistry(const TypeRegistry&) = delete;
  TypeRegistry& operator=(const TypeRegistry&) = delete;

  /// The canonical group equal to `types`, made if it is new. Does not check that declared supertypes match
  /// (the validator does, with is_valid_supertype). Errors: Limit when ids run out or supertypes nest too deep.
  /// REQUIRES: all mentioned types are alive; a recursive supertype stands before its subtype.
  Result<std::shared_ptr<const RecursionGroup>> intern(std::vector<SubType> types);

  /// The canonical final function type of its own group: what host functions have.
  /// Throws std::length_error when ids run out.
  std::shared_ptr<const RecursionGroup> intern_function(FunctionType type);

  /// REQUIRES: `id` belongs to a live group. The reference lives as long as that group.
  const DefinedType& get(TypeId id) const;

  /// Live canonical types, for tests of reclamation.
  std::size_t live_types() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// sub <: super for defined types: equal, or `super` stands in the display of `sub`. One load.
bool is_subtype(const DefinedType& sub, const DefinedType& super);

/// sub <: super for value types (section 3.3.3); the registry resolves ids. Bottom is below everything.
bool is_subtype(const TypeRegistry& registry, ValueType sub, ValueType super);

/// The composite types match as declared subtyping demands (section 3.3.9; 3.4.1 for "sub").
bool is_valid_supertype(const TypeRegistry& registry, const DefinedType& sub, const DefinedType& super);

}  // namespace tfvm
