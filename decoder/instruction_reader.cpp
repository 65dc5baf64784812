// Reading of instructions (instruction_reader.hpp), driven by the immediate kinds of opcodes.def.
#include "decoder/instruction_reader.hpp"

#include <cstdio>

#include "decoder/decode_types.hpp"
#include "decoder/limits.hpp"

namespace tfvm {
namespace {

std::string opcode_text(std::uint8_t prefix, std::uint32_t code) {
  char text[32];
  if (prefix == 0) std::snprintf(text, sizeof text, "%02x", code);
  else std::snprintf(text, sizeof text, "%02x %02x", prefix, code);
  return text;
}

// Opcodes that no row of the table has: of a feature that is known by name, or of nothing.
[[noreturn]] void fail_unknown_opcode(std::uint8_t prefix, std::uint32_t code, std::uint32_t offset) {
  const std::string text = opcode_text(prefix, code);
  const auto fail_missing = [&](Feature feature) {
    require_feature(FeatureSet::none(), feature, ("instruction " + text).c_str(), offset);
  };
  if (prefix == 0xfd) fail_missing(code >= 0x100 ? Feature::RelaxedSimd : Feature::Simd);
  if (prefix == 0xfb) fail_missing(Feature::Gc);
  if (prefix == 0xfe) fail_missing(Feature::Threads);
  if (prefix == 0 && (code == 0x06 || code == 0x07 || code == 0x09 || code == 0x18 || code == 0x19))
    fail_missing(Feature::LegacyExceptions);
  fail_malformed("illegal opcode " + text, offset);
}

Op read_opcode(Reader& reader, FeatureSet features, std::uint32_t offset) {
  const std::uint8_t byte = reader.byte();
  std::uint16_t index = ops_without_prefix[byte];
  if (byte >= 0xfb && byte <= 0xfe) {
    const std::uint32_t code = reader.u32();
    if (byte == 0xfc && code < ops_with_prefix_fc.size()) index = ops_with_prefix_fc[code];
    if (index == no_op) fail_unknown_opcode(byte, code, offset);
  } else if (index == no_op) {
    fail_unknown_opcode(0, byte, offset);
  }
  const Op op = static_cast<Op>(index);
  const Feature feature = info(op).feature;
  if (!features.has(feature))
    require_feature(features, feature, ("instruction " + std::string(info(op).spelling)).c_str(), offset);
  return op;
}

void read_select_types(Reader& reader, const Module& module, FeatureSet features, Instruction& out) {
  out.label_count = read_count(reader, UINT32_MAX, "types");
  for (std::uint32_t i = 0; i < out.label_count; ++i) out.type = read_value_type(reader, {module}, features);
}

void read_label_table(Reader& reader, Instruction& out) {
  out.label_count = read_count(reader, limits::table_labels, "labels");
  out.labels_offset = reader.offset();
  for (std::uint32_t i = 0; i <= out.label_count; ++i) reader.u32();
}

}  // namespace

void read_block_type(Reader& reader, const Module& module, FeatureSet features, BlockType& out) {
  const std::uint32_t offset = reader.offset();
  const std::uint8_t byte = reader.peek();
  if (byte == 0x40) {
    reader.byte();
    out.kind = BlockType::Kind::Empty;
    return;
  }
  if ((byte & 0xc0) == 0x40) {
    out.kind = BlockType::Kind::Value;
    out.value = read_value_type(reader, {module}, features);
    return;
  }
  const std::int64_t index = reader.s33();
  if (index < 0) fail_malformed("malformed block type", offset);
  require_feature(features, Feature::MultiValue, "a block type with an index", offset);
  if (static_cast<std::uint64_t>(index) >= module.types.size())
    fail(ErrorKind::Invalid, "unknown type " + std::to_string(index), offset);
  out.kind = BlockType::Kind::TypeIndex;
  out.type_index = static_cast<std::uint32_t>(index);
  if (!module.types[out.type_index]->is_function())
    fail(ErrorKind::Invalid, "type mismatch: type " + std::to_string(index) + " of a block is no function type",
         offset);
}

void read_memarg(Reader& reader, Instruction& out) {
  const std::uint32_t offset = reader.offset();
  const std::uint32_t flags = reader.u32();
  if (flags >= 0x80) fail_malformed("malformed memop flags", offset);
  out.align = flags & 0x3f;
  out.index = (flags & 0x40) != 0 ? reader.u32() : 0;
  out.value = reader.u64();
}

void read_instruction(Reader& reader, const Module& module, FeatureSet features, Instruction& out) {
  out.offset = reader.offset();
  out.op = read_opcode(reader, features, out.offset);
  switch (info(out.op).immediate) {
    case ImmediateKind::None: return;
    case ImmediateKind::Block: read_block_type(reader, module, features, out.block); return;
    case ImmediateKind::Label:
    case ImmediateKind::Function:
    case ImmediateKind::Type:
    case ImmediateKind::Local:
    case ImmediateKind::Global:
    case ImmediateKind::Table:
    case ImmediateKind::Memory:
    case ImmediateKind::Data:
    case ImmediateKind::Element: out.index = reader.u32(); return;
    case ImmediateKind::TypeTable:
    case ImmediateKind::TableTable:
    case ImmediateKind::ElementTable:
    case ImmediateKind::MemoryMemory:
    case ImmediateKind::DataMemory:
      out.index = reader.u32();
      out.index2 = reader.u32();
      return;
    case ImmediateKind::LabelTable: read_label_table(reader, out); return;
    case ImmediateKind::Memarg: read_memarg(reader, out); return;
    case ImmediateKind::I32: out.value = static_cast<std::uint32_t>(reader.s32()); return;
    case ImmediateKind::I64: out.value = static_cast<std::uint64_t>(reader.s64()); return;
    case ImmediateKind::F32: out.value = reader.f32_bits(); return;
    case ImmediateKind::F64: out.value = reader.f64_bits(); return;
    case ImmediateKind::HeapType: out.type = read_heap_type(reader, {module}); return;
    case ImmediateKind::SelectTypes: read_select_types(reader, module, features, out); return;
    case ImmediateKind::Tag:
    case ImmediateKind::TryTable:
      // Rows without rules yet: refused even if a caller turns their feature on.
      require_feature(FeatureSet::none(), info(out.op).feature,
                      ("instruction " + std::string(info(out.op).spelling)).c_str(), out.offset);
  }
}

BlockSignature block_signature(const Module& module, const BlockType& type) {
  switch (type.kind) {
    case BlockType::Kind::Empty: return {};
    case BlockType::Kind::Value: return {{}, {&type.value, 1}};
    case BlockType::Kind::TypeIndex: {
      const FunctionType& function = module.types[type.type_index]->function();
      return {function.params, function.results};
    }
  }
  return {};
}

}  // namespace tfvm
