// Disassembly (disassemble.hpp): the immediates by their kind, everything else from the table.
#include "decoder/disassemble.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "decoder/decode_types.hpp"

namespace tfvm {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

// Shortest text that reads back as the same value; NaNs by their payload.
template <class Float, class Bits>
std::string float_text(Bits bits) {
  const auto value = std::bit_cast<Float>(bits);
  if (std::isnan(value)) {
    constexpr Bits fraction = (Bits{1} << (sizeof(Bits) == 4 ? 23 : 52)) - 1;
    char text[40];
    std::snprintf(text, sizeof text, "%snan:0x%llx", std::signbit(value) ? "-" : "",
                  static_cast<unsigned long long>(bits & fraction));
    return text;
  }
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// WebAssembly 3.0, section 6.5: the default index 0 is not written.
std::string index_unless_zero(std::uint32_t index) { return index == 0 ? "" : " " + number(index); }

}  // namespace

Disassembler::Disassembler(const Module& module) : module_(module), names_(NameSection::decode(module)) {
  for (std::size_t i = 0; i < module.types.size(); ++i)
    type_indices_.try_emplace(module.types[i]->id, static_cast<std::uint32_t>(i));
}

// Canonical ids mean nothing to the reader of a listing: shown are the module's own type indices.
std::string Disassembler::type_text(ValueType type) const {
  if (!type.is_ref() || type.heap() != HeapKind::Defined) return to_string(type);
  const auto found = type_indices_.find(type.id());
  const std::string index = found == type_indices_.end() ? "?" : number(found->second);
  return (type.is_nullable() ? "(ref null " : "(ref ") + index + ")";
}

std::string Disassembler::block_text(const BlockType& block) const {
  switch (block.kind) {
    case BlockType::Kind::Empty: return {};
    case BlockType::Kind::Value: return " (result " + type_text(block.value) + ")";
    case BlockType::Kind::TypeIndex: return " (type " + number(block.type_index) + ")";
  }
  return {};
}

std::string Disassembler::labels_text(const Instruction& instruction) const {
  std::string text;
  Reader labels(module_.bytes(), instruction.labels_offset, module_.bytes().size());
  for (std::uint32_t i = 0; i <= instruction.label_count; ++i) text += " " + number(labels.u32());
  return text;
}

std::string Disassembler::memarg_text(const Instruction& instruction) const {
  std::string text = index_unless_zero(instruction.index);
  if (instruction.value != 0) text += " offset=" + number(instruction.value);
  const std::uint64_t align = std::uint64_t{1} << (instruction.align & 63);
  if (align != info(instruction.op).width) text += " align=" + number(align);
  return text;
}

std::string Disassembler::function_name(std::uint32_t function_index) const {
  const std::string_view name = names_.function_name(function_index);
  return name.empty() ? "" : printable(name);
}

std::string Disassembler::immediates(const Instruction& instruction) const {
  switch (info(instruction.op).immediate) {
    case ImmediateKind::None: return {};
    case ImmediateKind::Block: return block_text(instruction.block);
    case ImmediateKind::LabelTable: return labels_text(instruction);
    case ImmediateKind::Memarg: return memarg_text(instruction);
    case ImmediateKind::Function: {
      const std::string name = function_name(instruction.index);
      return " " + number(instruction.index) + (name.empty() ? "" : " ;; " + name);
    }
    case ImmediateKind::TypeTable:
      return index_unless_zero(instruction.index2) + " (type " + number(instruction.index) + ")";
    case ImmediateKind::Memory: return index_unless_zero(instruction.index);
    case ImmediateKind::TableTable:
    case ImmediateKind::MemoryMemory: return " " + number(instruction.index) + " " + number(instruction.index2);
    case ImmediateKind::ElementTable:
    case ImmediateKind::DataMemory: return index_unless_zero(instruction.index2) + " " + number(instruction.index);
    case ImmediateKind::I32: return " " + std::to_string(static_cast<std::int32_t>(instruction.value));
    case ImmediateKind::I64: return " " + std::to_string(static_cast<std::int64_t>(instruction.value));
    case ImmediateKind::F32: return " " + float_text<float>(static_cast<std::uint32_t>(instruction.value));
    case ImmediateKind::F64: return " " + float_text<double>(instruction.value);
    case ImmediateKind::HeapType: {
      const std::string text = type_text(instruction.type.with_nullable(false));  // "(ref ht)"
      return " " + text.substr(5, text.size() - 6);
    }
    case ImmediateKind::SelectTypes:
      return instruction.label_count == 1 ? " (result " + type_text(instruction.type) + ")"
                                          : " (result ... " + number(instruction.label_count) + " types)";
    default: return " " + number(instruction.index);
  }
}

std::string Disassembler::instruction(const Instruction& instruction) const {
  return std::string(info(instruction.op).spelling) + immediates(instruction);
}

std::string Disassembler::function_header(std::uint32_t function_index) const {
  std::string text = "func " + number(function_index);
  const std::string name = function_name(function_index);
  if (!name.empty()) text += " '" + name + "'";
  if (function_index >= module_.functions.size()) return text;
  const FunctionType& type = module_.function_type(function_index);
  const auto list = [this](const std::vector<ValueType>& types) {
    std::string items;
    for (const ValueType item : types) items += (items.empty() ? "" : ", ") + type_text(item);
    return "(" + items + ")";
  };
  return text + " " + list(type.params) + " -> " + list(type.results);
}

Result<Done> Disassembler::function(std::uint32_t function_index,
                                    const std::function<void(const DisassemblyLine&)>& emit) const {
  if (function_index < module_.imported_functions || function_index >= module_.functions.size())
    return Error{ErrorKind::Invalid, "unknown function " + number(function_index) + ": no body", no_offset, {}, {}, {}};
  const ByteRange body = module_.functions[function_index].body;
  const FeatureSet features = FeatureSet::all();
  Reader reader(module_.bytes(), body.offset, body.offset + body.size);
  try {
    std::uint64_t local = module_.function_type(function_index).params.size();
    for (std::uint32_t runs = reader.u32(); runs > 0; --runs) {
      const std::uint32_t offset = reader.offset();
      const std::uint32_t count = reader.u32();
      const ValueType type = read_value_type(reader, {module_}, features);
      emit({offset, 0,
            "local " + number(local) + (count == 1 ? "" : ".." + number(local + count - 1)) + " " + type_text(type)});
      local += count;
    }
    std::uint32_t depth = 0;
    Instruction instruction;
    while (!reader.at_end()) {
      read_instruction(reader, module_, features, instruction);
      const bool closes = instruction.op == Op::End || instruction.op == Op::Else;
      if (closes && depth > 0) --depth;
      emit({instruction.offset, depth, this->instruction(instruction)});
      const ImmediateKind immediate = info(instruction.op).immediate;
      if (immediate == ImmediateKind::Block || instruction.op == Op::Else) ++depth;
    }
  } catch (DecodeFailure& failure) {
    failure.error.section = "code";
    failure.error.function_index = function_index;
    failure.error.function_name = names_.function_name(function_index);
    return std::move(failure.error);
  }
  return Done{};
}

}  // namespace tfvm
