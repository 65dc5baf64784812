// Decoding of the sections (decode_sections.hpp). Indices other than type indices are the validator's business.
#include "decoder/decode_sections.hpp"

#include "decoder/const_expr.hpp"
#include "decoder/limits.hpp"

namespace tfvm {
namespace {

template <class Items>
void check_room(const Items& items, std::size_t more, std::uint32_t limit, const char* what, std::uint32_t offset) {
  if (items.size() + more > limit)
    fail(ErrorKind::Limit, "too many " + std::string(what) + ": more than " + std::to_string(limit), offset);
}

// A count of definitions that join the imported ones.
template <class Items>
std::uint32_t read_definition_count(Reader& reader, Items& items, std::uint32_t limit, const char* what) {
  const std::uint32_t offset = reader.offset();
  const std::uint32_t count = read_count(reader, limit, what);
  check_room(items, count, limit, what, offset);
  items.reserve(items.size() + count);
  return count;
}

void add_function(Module& module, std::uint32_t type_index, std::uint32_t offset) {
  const DefinedType* const type = module.types[type_index];
  if (!type->is_function())
    fail(ErrorKind::Invalid, "type mismatch: type " + std::to_string(type_index) + " is no function type", offset);
  Function function;
  function.type_index = type_index;
  function.type = type;
  module.functions.push_back(function);
}

template <class Items>
std::uint32_t last_index(const Items& items) {
  return static_cast<std::uint32_t>(items.size() - 1);
}

// Section 5.5.5. The description makes an entry in the index space of its kind.
std::uint32_t decode_import_description(Reader& reader, DecodeContext& context, ExternKind kind) {
  Module& module = context.module;
  const std::uint32_t offset = reader.offset();
  switch (kind) {
    case ExternKind::Function:
      check_room(module.functions, 1, limits::functions, "functions", offset);
      add_function(module, read_type_index(reader, module), offset);
      ++module.imported_functions;
      return last_index(module.functions);
    case ExternKind::Table:
      check_room(module.tables, 1, limits::tables, "tables", offset);
      module.tables.push_back({read_table_type(reader, context), {}});
      ++module.imported_tables;
      return last_index(module.tables);
    case ExternKind::Memory:
      check_room(module.memories, 1, limits::memories, "memories", offset);
      module.memories.push_back(read_memory_type(reader, context));
      ++module.imported_memories;
      return last_index(module.memories);
    case ExternKind::Global: {
      check_room(module.globals, 1, limits::globals, "globals", offset);
      const GlobalType type = read_global_type(reader, context);
      if (type.is_mutable) {
        require_feature(context.features, Feature::MutableGlobals, "import of a mutable global", offset);
        module.features_used.add(Feature::MutableGlobals);
      }
      module.globals.push_back({type, {}});
      ++module.imported_globals;
      return last_index(module.globals);
    }
    case ExternKind::Tag:
      check_room(module.tags, 1, limits::tags, "tags", offset);
      module.tags.push_back(read_tag_type(reader, context));
      ++module.imported_tags;
      return last_index(module.tags);
  }
  return 0;
}

ByteRange skip_bytes(Reader& reader, std::uint32_t size) {
  const std::uint32_t begin = reader.offset();
  reader.skip(size);
  return {begin, size};
}

// The items of an element segment: the reader checks that they are well-formed, the module keeps their range.
void skip_items(Reader& reader, DecodeContext& context, ElementSegment& segment) {
  segment.count = read_count(reader, limits::segment_items, "elements");
  const std::uint32_t begin = reader.offset();
  for (std::uint32_t i = 0; i < segment.count; ++i) {
    if (segment.holds_expressions) skip_expression(reader, context.module, context.features);
    else reader.u32();
  }
  segment.items = {begin, reader.offset() - begin};
}

// Section 5.5.12. Bits of the leading integer: 0 passive or declarative, 1 explicit table (or declarative), 2 items are
// expressions. Without bits 0 and 1 the table is 0 and the type funcref, not written.
ElementSegment decode_element_segment(Reader& reader, DecodeContext& context) {
  ElementSegment segment;
  const std::uint32_t offset = reader.offset();
  const std::uint32_t flags = reader.u32();
  if (flags > 7) fail_malformed("malformed elements segment kind", offset);
  const bool has_bit1 = (flags & 2) != 0;
  segment.holds_expressions = (flags & 4) != 0;
  if ((flags & 1) != 0) segment.mode = has_bit1 ? SegmentMode::Declarative : SegmentMode::Passive;
  else segment.mode = SegmentMode::Active;
  if (flags != 0) {
    require_feature(context.features, Feature::BulkMemory, "element segment of this kind", offset);
    context.module.features_used.add(Feature::BulkMemory);
  }
  if (segment.mode == SegmentMode::Active) {
    if (has_bit1) segment.table_index = reader.u32();
    segment.offset = skip_expression(reader, context.module, context.features);
  }
  segment.type = segment.holds_expressions ? funcref : ValueType::ref(false, HeapKind::Func);
  if ((flags & 3) != 0) {
    const std::uint32_t kind_offset = reader.offset();
    if (segment.holds_expressions) segment.type = read_reference_type(reader, {context.module});
    else if (reader.byte() != 0) fail_malformed("malformed element kind", kind_offset);
  }
  skip_items(reader, context, segment);
  return segment;
}

DataSegment decode_data_segment(Reader& reader, DecodeContext& context) {
  DataSegment segment;
  const std::uint32_t offset = reader.offset();
  const std::uint32_t flags = reader.u32();
  if (flags > 2) fail_malformed("malformed data segment kind", offset);
  segment.mode = flags == 1 ? SegmentMode::Passive : SegmentMode::Active;
  if (flags != 0) {
    require_feature(context.features, Feature::BulkMemory, "data segment of this kind", offset);
    context.module.features_used.add(Feature::BulkMemory);
  }
  if (flags == 2) segment.memory_index = reader.u32();
  if (segment.mode == SegmentMode::Active) segment.offset = skip_expression(reader, context.module, context.features);
  segment.bytes = skip_bytes(reader, read_count(reader, UINT32_MAX, "bytes"));
  return segment;
}

}  // namespace

void decode_custom_section(Reader& reader, DecodeContext& context) {
  CustomSection section;
  section.name = reader.name();
  section.contents = skip_bytes(reader, static_cast<std::uint32_t>(reader.remaining()));
  context.module.custom_sections.push_back(section);
}

void decode_import_section(Reader& reader, DecodeContext& context) {
  const std::uint32_t count = read_definition_count(reader, context.module.imports, limits::imports, "imports");
  for (std::uint32_t i = 0; i < count; ++i) {
    Import import;
    import.offset = reader.offset();
    import.module = reader.name();
    import.name = reader.name();
    const std::uint32_t kind_offset = reader.offset();
    const std::uint8_t kind = reader.byte();
    if (kind > static_cast<std::uint8_t>(ExternKind::Tag)) fail_malformed("malformed import kind", kind_offset);
    import.kind = static_cast<ExternKind>(kind);
    import.index = decode_import_description(reader, context, import.kind);
    context.module.imports.push_back(import);
  }
}

void decode_function_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t count = read_definition_count(reader, module.functions, limits::functions, "functions");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t offset = reader.offset();
    add_function(module, read_type_index(reader, module), offset);
  }
}

void decode_table_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t count = read_definition_count(reader, module.tables, limits::tables, "tables");
  for (std::uint32_t i = 0; i < count; ++i) {
    Table table;
    const std::uint32_t offset = reader.offset();
    const bool has_initializer = reader.peek() == 0x40;
    if (has_initializer) {
      reader.byte();
      if (reader.byte() != 0) fail_malformed("malformed table: zero byte expected", offset);
      module.features_used.add(Feature::FunctionReferences);
    }
    table.type = read_table_type(reader, context);
    if (has_initializer) table.initializer = skip_expression(reader, module, context.features);
    else if (!table.type.element.is_defaultable())
      fail(ErrorKind::Invalid, "type mismatch: table of " + to_string(table.type.element) + " needs an initializer",
           offset);
    module.tables.push_back(table);
  }
}

void decode_memory_section(Reader& reader, DecodeContext& context) {
  const std::uint32_t count = read_definition_count(reader, context.module.memories, limits::memories, "memories");
  for (std::uint32_t i = 0; i < count; ++i) context.module.memories.push_back(read_memory_type(reader, context));
}

void decode_global_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t count = read_definition_count(reader, module.globals, limits::globals, "globals");
  for (std::uint32_t i = 0; i < count; ++i) {
    Global global;
    global.type = read_global_type(reader, context);
    global.initializer = skip_expression(reader, module, context.features);
    module.globals.push_back(global);
  }
}

void decode_export_section(Reader& reader, DecodeContext& context) {
  const std::uint32_t count = read_definition_count(reader, context.module.exports, limits::exports, "exports");
  for (std::uint32_t i = 0; i < count; ++i) {
    Export item;
    item.offset = reader.offset();
    item.name = reader.name();
    const std::uint32_t kind_offset = reader.offset();
    const std::uint8_t kind = reader.byte();
    if (kind > static_cast<std::uint8_t>(ExternKind::Tag)) fail_malformed("malformed export kind", kind_offset);
    item.kind = static_cast<ExternKind>(kind);
    item.index = reader.u32();
    context.module.exports.push_back(item);
  }
}

void decode_start_section(Reader& reader, DecodeContext& context) { context.module.start = reader.u32(); }

void decode_element_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t count =
      read_definition_count(reader, module.elements, limits::element_segments, "element segments");
  for (std::uint32_t i = 0; i < count; ++i) module.elements.push_back(decode_element_segment(reader, context));
}

// Section 5.5.13: the bodies' ranges only. decode_module has checked that there is one for each function.
void decode_code_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t offset = reader.offset();
  const std::uint32_t count = reader.u32();
  if (count != module.functions.size() - module.imported_functions)
    fail_malformed("function and code section have inconsistent lengths", offset);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t size_offset = reader.offset();
    const std::uint32_t size = read_count(reader, UINT32_MAX, "bytes of a body");
    if (size > limits::body_size_bytes)
      fail(ErrorKind::Limit, "function body too large: " + std::to_string(size) + " bytes", size_offset);
    module.functions[module.imported_functions + i].body = skip_bytes(reader, size);
  }
}

void decode_data_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  const std::uint32_t offset = reader.offset();
  const std::uint32_t count = read_definition_count(reader, module.data, limits::data_segments, "data segments");
  if (module.data_count && *module.data_count != count)
    fail_malformed("data count and data section have inconsistent lengths", offset);
  for (std::uint32_t i = 0; i < count; ++i) module.data.push_back(decode_data_segment(reader, context));
}

void decode_data_count_section(Reader& reader, DecodeContext& context) {
  require_feature(context.features, Feature::BulkMemory, "data count section", reader.offset());
  context.module.features_used.add(Feature::BulkMemory);
  context.module.data_count = reader.u32();
}

void decode_tag_section(Reader& reader, DecodeContext& context) {
  Module& module = context.module;
  require_feature(context.features, Feature::Exceptions, "tag section", reader.offset());
  const std::uint32_t count = read_definition_count(reader, module.tags, limits::tags, "tags");
  for (std::uint32_t i = 0; i < count; ++i) module.tags.push_back(read_tag_type(reader, context));
}

}  // namespace tfvm
