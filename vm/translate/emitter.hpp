// Emitter: internal instructions into a buffer, labels and their fix-ups, and where each instruction came from.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "vm/handlers/machine.hpp"
#include "vm/patterns.hpp"

namespace tfvm::interpreter {

/// Operand bytes of one instruction while it is put together.
class Operands {
 public:
  void clear() { size_ = 0; }
  template <class T>
  void add(T value) {
    if (size_ + sizeof(T) > bytes_.size()) bytes_.resize(bytes_.size() * 2);
    std::memcpy(bytes_.data() + size_, &value, sizeof(T));
    size_ += static_cast<unsigned>(sizeof(T));
  }
  const Byte* data() const { return bytes_.data(); }
  unsigned size() const { return size_; }

 private:
  std::vector<Byte> bytes_ = std::vector<Byte>(64);
  unsigned size_ = 0;
};

using Label = std::uint32_t;
inline constexpr Label no_label = UINT32_MAX;

/// Which wasm instruction the internal instruction at `code_offset` stands for.
struct SourcePosition {
  std::uint32_t code_offset;
  std::uint32_t module_offset;  ///< of the first part that may trap by computing, or of the whole
  std::uint32_t memory_offset;  ///< of the first part that may trap by accessing memory, or of the whole
};

class Emitter {
 public:
  /// Forgets everything, keeps the memory.
  void clear();

  /// Appends an instruction; returns its offset.
  std::uint32_t instruction(Handler handler, const Operands& operands, std::uint32_t module_offset,
                            std::uint32_t memory_offset);
  /// Takes the last instruction back. REQUIRES: nothing was bound or fixed up since.
  void remove_last(std::uint32_t offset) {
    code_.resize(offset);
    positions_.pop_back();
  }

  /// The handler of the instruction at an offset; null behind the last one.
  Handler handler_at(std::uint32_t offset) const {
    return offset < code_.size() ? read<Handler>(code_.data() + offset) : nullptr;
  }
  /// Another handler for an instruction whose operands suit both.
  void set_handler(std::uint32_t offset, Handler handler) { write(code_.data() + offset, handler); }

  Label new_label();
  /// The label is where the next instruction will be.
  void bind(Label label) { labels_[label] = size(); }
  /// The eight operand bytes at `at` (offset in the code) get the address of `label` in the end.
  void fix_up(std::uint32_t at, Label label) { fix_ups_.push_back({at, label}); }

  /// Where a bound label is.
  std::uint32_t offset(Label label) const { return labels_[label]; }

  std::uint32_t size() const { return static_cast<std::uint32_t>(code_.size()); }
  /// Copies the code to its place and resolves the labels. REQUIRES: room for size() bytes; all used labels are bound.
  void place(Byte* code) const;
  const std::vector<SourcePosition>& positions() const { return positions_; }

 private:
  struct FixUp {
    std::uint32_t at;
    Label label;
  };
  std::vector<Byte> code_;
  std::vector<std::uint32_t> labels_;
  std::vector<FixUp> fix_ups_;
  std::vector<SourcePosition> positions_;
};

}  // namespace tfvm::interpreter
