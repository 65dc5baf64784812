// Texts of types (types.hpp), in the notation of the text format.
#include "decoder/types.hpp"

namespace tfvm {
namespace {

const char* heap_text(HeapKind heap) {
  switch (heap) {
    case HeapKind::Func: return "func";
    case HeapKind::NoFunc: return "nofunc";
    case HeapKind::Extern: return "extern";
    case HeapKind::NoExtern: return "noextern";
    case HeapKind::Any: return "any";
    case HeapKind::Eq: return "eq";
    case HeapKind::I31: return "i31";
    case HeapKind::Struct: return "struct";
    case HeapKind::Array: return "array";
    case HeapKind::None: return "none";
    case HeapKind::Exn: return "exn";
    case HeapKind::NoExn: return "noexn";
    case HeapKind::Defined: return "defined";
    case HeapKind::Recursive: return "rec";
    case HeapKind::Bottom: return "bot";
  }
  return "?";
}

std::string ref_text(ValueType type) {
  if (type == funcref) return "funcref";
  if (type == externref) return "externref";
  std::string text = type.is_nullable() ? "(ref null " : "(ref ";
  if (type.heap() == HeapKind::Defined) text += std::to_string(type.id());
  else if (type.heap() == HeapKind::Recursive) text += "rec." + std::to_string(type.id());
  else text += heap_text(type.heap());
  return text + ")";
}

void append_list(std::string& text, const std::vector<ValueType>& types) {
  text += '(';
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i != 0) text += ", ";
    text += to_string(types[i]);
  }
  text += ')';
}

}  // namespace

std::string to_string(ValueType type) {
  switch (type.kind()) {
    case ValueKind::I32: return "i32";
    case ValueKind::I64: return "i64";
    case ValueKind::F32: return "f32";
    case ValueKind::F64: return "f64";
    case ValueKind::V128: return "v128";
    case ValueKind::Ref: return ref_text(type);
    case ValueKind::Bottom: return "any value";
    case ValueKind::I8: return "i8";
    case ValueKind::I16: return "i16";
  }
  return "?";
}

std::string to_string(const FunctionType& type) {
  std::string text;
  append_list(text, type.params);
  text += " -> ";
  append_list(text, type.results);
  return text;
}

const char* to_string(ExternKind kind) {
  switch (kind) {
    case ExternKind::Function: return "function";
    case ExternKind::Table: return "table";
    case ExternKind::Memory: return "memory";
    case ExternKind::Global: return "global";
    case ExternKind::Tag: return "tag";
  }
  return "?";
}

}  // namespace tfvm
