// The labels that instructions see (WebAssembly 3.0, section 6.5.2): innermost first, an inner one hides outer ones of
// the same name.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "decoder/text/token_stream.hpp"

namespace tfvm::text {

class LabelStack {
 public:
  void push(std::optional<std::string> id) {
    if (id) depths_[*id].push_back(labels_.size());
    labels_.push_back(std::move(id));
  }
  /// REQUIRES: there is one
  void pop() {
    if (labels_.back()) depths_[*labels_.back()].pop_back();
    labels_.pop_back();
  }
  const std::optional<std::string>& innermost() const { return labels_.back(); }

  /// Reads a label: a number as it is, a name as the number of labels between.
  std::uint32_t index(TokenStream& stream) const {
    if (!stream.is(TokenKind::Id)) return stream.u32();
    const std::size_t offset = stream.offset();
    const std::string id = *stream.accept_id();
    const auto found = depths_.find(id);
    if (found == depths_.end() || found->second.empty()) fail_text("unknown label $" + id, offset);
    return static_cast<std::uint32_t>(labels_.size() - 1 - found->second.back());
  }

 private:
  std::vector<std::optional<std::string>> labels_;
  std::unordered_map<std::string, std::vector<std::size_t>> depths_;
};

}  // namespace tfvm::text
