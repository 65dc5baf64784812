// The types of a module being assembled (WebAssembly 3.0, sections 6.4 and 6.6.3): explicit definitions in recursion
// groups, type uses, and the function types that type uses append. Types are kept as the bytes that encode them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "decoder/text/bytes.hpp"
#include "decoder/text/name_space.hpp"
#include "decoder/text/token_stream.hpp"

namespace tfvm::text {

/// A reference type: whether it holds null, and the bytes of its heap type.
struct ReferenceType {
  bool is_nullable = false;
  Bytes heap;
};

/// Parameters and results as they stand in the text.
struct Signature {
  std::vector<std::string> params;
  std::vector<std::string> results;
  std::vector<std::optional<std::string>> param_ids;
  std::vector<std::size_t> param_offsets;  ///< bytes of the text

  bool is_empty() const { return params.empty() && results.empty(); }
  /// As a function type without its 0x60.
  std::string encoded() const;
};

/// A type by index, and the parameters that a function of it has.
struct TypeUse {
  std::uint32_t index = 0;
  std::uint32_t param_count = 0;
  Signature signature;  ///< as it stands in the text: empty if only (type x) is there
};

enum class ParamNames : std::uint8_t { Allowed, Refused };

class TypeTable {
 public:
  NameSpace names{"type"};

  /// Reads the definitions of a (type ...) or (rec ...) field, of which the keyword is read already, up to its end.
  /// REQUIRES: all types of the module have been added to `names`.
  void define_type(TokenStream& stream);
  void define_group(TokenStream& stream);

  void value_type(TokenStream& stream, Bytes& out) const;
  void heap_type(TokenStream& stream, Bytes& out) const;
  /// (ref null? ht), or an abbreviation of one such as funcref.
  ReferenceType reference_type(TokenStream& stream) const;
  static void encode(const ReferenceType& type, Bytes& out);
  /// A type begins here that is a reference.
  static bool is_reference_type(const TokenStream& stream);

  Signature signature(TokenStream& stream, ParamNames names) const;
  TypeUse type_use(TokenStream& stream, ParamNames names);
  /// Block types (section 6.5.3), encoded.
  void block_type(TokenStream& stream, Bytes& out);
  /// The field of type `type` by number or name.
  std::uint32_t field_index(TokenStream& stream, std::uint32_t type) const;

  /// The type section: groups.
  const Entries& section() const { return section_; }

 private:
  struct Definition {
    bool is_function = false;
    std::string function;  ///< encoded, if it is one
    std::uint32_t param_count = 0;
    NameSpace fields{"field"};
  };

  void sub_type(TokenStream& stream, Bytes& out, bool is_alone);
  void composite_type(TokenStream& stream, Bytes& out, Definition& definition) const;
  void struct_fields(TokenStream& stream, Bytes& out, Definition& definition) const;
  void field_type(TokenStream& stream, Bytes& out) const;
  void storage_type(TokenStream& stream, Bytes& out) const;
  std::uint32_t find_or_append(const Signature& signature);

  std::vector<Definition> definitions_;
  std::unordered_map<std::string, std::uint32_t> functions_;  ///< final ones, alone in their group: first index
  Entries section_;
};

}  // namespace tfvm::text
