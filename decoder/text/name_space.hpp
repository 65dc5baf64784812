// Index spaces (WebAssembly 3.0, section 6.6.1): how many there are of something, and which of them have names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "decoder/text/token_stream.hpp"

namespace tfvm::text {

class NameSpace {
 public:
  /// `what`: "func", "local", ...: for messages.
  explicit NameSpace(const char* what) : what_(what) {}

  /// Appends one. Fails with "duplicate ..." at `offset`.
  void add(const std::optional<std::string>& id, std::size_t offset) {
    if (id && !indices_.emplace(*id, count_).second) fail_text(std::string("duplicate ") + what_ + " $" + *id, offset);
    ++count_;
  }
  /// Appends `count` without names.
  void add_unnamed(std::uint32_t count) { count_ += count; }
  std::uint32_t count() const { return count_; }

  /// Reads an index: a number, which need not exist, or a name, which must.
  std::uint32_t index(TokenStream& stream) const {
    if (!stream.is(TokenKind::Id)) return stream.u32();
    const std::size_t offset = stream.offset();
    const std::string id = *stream.accept_id();
    const auto found = indices_.find(id);
    if (found == indices_.end()) fail_text(std::string("unknown ") + what_ + " $" + id, offset);
    return found->second;
  }
  const std::unordered_map<std::string, std::uint32_t>& names() const { return indices_; }

 private:
  const char* what_;
  std::uint32_t count_ = 0;
  std::unordered_map<std::string, std::uint32_t> indices_;
};

}  // namespace tfvm::text
