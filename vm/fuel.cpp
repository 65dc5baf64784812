// Regions of a function and their cost in fuel (fuel.hpp).
#include "vm/fuel.hpp"

#include <algorithm>

#include "vm/function_body.hpp"

namespace tfvm {
namespace {

/// A block, loop or if that is open.
struct OpenBlock {
  std::size_t region = 0;  ///< the one that it was opened in
  /// The outermost block that a branch from inside leads to the label of, by its place from outside, the body being 0.
  /// One outside of this block: what follows its end may not run.
  std::size_t outermost_target = SIZE_MAX;
};

/// One pass over a function's live instructions.
class RegionFinder {
 public:
  RegionFinder(const Module& module, Reader reader) : module_(module), reader_(reader) {
    open();
    start_region();
  }

  std::vector<FuelRegion> find() {
    Instruction instruction;
    while (!reader_.at_end()) {
      read_instruction(reader_, module_, all_features(), instruction);
      if (live_code_.reaches(instruction)) add(instruction);
    }
    std::erase_if(regions_, [](const FuelRegion& region) { return region.cost == 0; });
    return std::move(regions_);
  }

 private:
  void start_region() {
    current_ = regions_.size();
    regions_.push_back({reader_.offset(), 0});
  }

  void add(const Instruction& instruction) {
    switch (instruction.op) {
      case Op::Else:
        if (!live_code_.revived()) charge();
        return start_region();
      case Op::End: return close();
      default: charge();
    }
    switch (instruction.op) {
      case Op::Block: return open();
      case Op::Loop:
      case Op::If: open(); return start_region();
      case Op::BrIf:
      case Op::BrOnNull:
      case Op::BrOnNonNull: leave(instruction.index); return start_region();
      case Op::Br: return leave(instruction.index);
      case Op::BrTable: return leave_by_table(instruction);
      case Op::Return:
      case Op::ReturnCall:
      case Op::ReturnCallIndirect:
      case Op::ReturnCallRef: return leave(static_cast<std::uint32_t>(open_.size() - 1));
      default: return;
    }
  }

  void charge() { ++regions_[current_].cost; }
  void open() { open_.push_back({current_}); }
  void leave(std::uint32_t depth) {
    open_.back().outermost_target = std::min(open_.back().outermost_target, open_.size() - 1 - depth);
  }
  void leave_by_table(const Instruction& instruction) {
    Reader labels(module_.bytes(), instruction.labels_offset, module_.bytes().size());
    std::uint32_t deepest = 0;
    for (std::uint32_t i = 0; i <= instruction.label_count; ++i) deepest = std::max(deepest, labels.u32());
    leave(deepest);
  }

  /// An `end` costs with what follows it.
  void close() {
    const OpenBlock closed = open_.back();
    open_.pop_back();
    if (open_.empty()) {
      if (!live_code_.revived()) charge();
      return;
    }
    open_.back().outermost_target = std::min(open_.back().outermost_target, closed.outermost_target);
    if (closed.outermost_target < open_.size()) start_region();
    else current_ = closed.region;
    charge();
  }

  const Module& module_;
  Reader reader_;
  std::vector<FuelRegion> regions_;
  std::vector<OpenBlock> open_;
  std::size_t current_ = 0;  ///< region
  LiveCode live_code_;
};

}  // namespace

std::vector<FuelRegion> fuel_regions(const Module& module, std::uint32_t function_index) {
  Reader reader = body_reader(module, function_index);
  skip_local_declarations(reader);
  return RegionFinder(module, reader).find();
}

}  // namespace tfvm
