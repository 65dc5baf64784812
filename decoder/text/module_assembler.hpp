// The fields of a module to its sections (WebAssembly 3.0, section 6.6). Three passes over the tokens: names of
// everything, then the explicit types, then all fields in their order; so everything can be named before it is defined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/text/bytes.hpp"
#include "decoder/text/module_scope.hpp"
#include "decoder/text/token_stream.hpp"
#include "decoder/types.hpp"

namespace tfvm::text {

class ModuleAssembler {
 public:
  explicit ModuleAssembler(TokenStream& stream) : stream_(stream) {}

  /// Reads fields up to a closing parenthesis or the end, which is left. Call once.
  void fields();
  /// The module's bytes.
  std::vector<std::uint8_t> bytes() const;

 private:
  struct Limits {
    bool is_64 = false;
    bool is_shared = false;
    std::uint64_t minimum = 0;
    std::optional<std::uint64_t> maximum = {};
  };
  /// The items of an element segment.
  struct Items {
    ReferenceType type;
    bool are_expressions = false;
    std::uint32_t count = 0;
    Bytes bytes;
  };

  // names of everything
  void declare();
  void declare_type();
  void declare_group();
  void declare_import();
  void declare_definition(ExternKind kind);
  void declare_inline_segments(ExternKind kind);
  void refuse_late_import(std::size_t offset) const;
  NameSpace& space(ExternKind kind);

  // fields
  void field();
  void import_field();
  void export_field();
  void function_field();
  void function_body(const TypeUse& type);
  void table_field();
  void memory_field();
  void global_field();
  void tag_field();
  void start_field();
  void element_field();
  void data_field();

  // parts of fields
  /// (export ...)*, then (import ...)?. True: it was an import, and all is done.
  bool inline_exports_and_import(ExternKind kind, std::uint32_t index);
  void add_export(std::string_view name, ExternKind kind, std::uint32_t index);
  void extern_type(ExternKind kind, Bytes& out);
  bool address_type();
  Limits limits(bool is_64);
  static void put_limits(const Limits& limits, Bytes& out);
  void global_type(Bytes& out);
  void locals(NameSpace& names, Bytes& out);
  void sequence(Bytes& out);
  void offset_expression(Bytes& out);
  static void zero_offset(bool is_64, Bytes& out);
  Items function_items(const ReferenceType& type, bool are_expressions);
  Items expression_items(const ReferenceType& type);
  Items items();
  void active_elements(std::uint32_t table, const Bytes& offset, const Items& items);
  void active_data(std::uint32_t memory, const Bytes& offset, std::string_view bytes);

  TokenStream& stream_;
  ModuleScope scope_;
  const NameSpace no_locals_{"local"};
  std::vector<std::size_t> fields_;       ///< positions of their opening parentheses
  std::vector<std::size_t> type_fields_;  ///< those of types and groups
  std::optional<ExternKind> first_definition_;
  std::uint32_t next_[5] = {};  ///< by ExternKind: index of the next one

  Entries imports_;
  Entries functions_;
  Entries tables_;
  Entries memories_;
  Entries tags_;
  Entries globals_;
  Entries exports_;
  Entries elements_;
  Entries code_;
  Entries data_;
  std::optional<std::uint32_t> start_;
};

}  // namespace tfvm::text
