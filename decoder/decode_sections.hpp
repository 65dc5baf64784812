// One decoding function per section with its own grammar (section 5.5). Internal to decoder/.
// Each reads from a reader that ends where the section ends and throws DecodeFailure; decode_module.cpp does the rest.
#pragma once

#include "decoder/decode_types.hpp"
#include "decoder/reader.hpp"

namespace tfvm {

void decode_custom_section(Reader& reader, DecodeContext& context);
void decode_import_section(Reader& reader, DecodeContext& context);
void decode_function_section(Reader& reader, DecodeContext& context);
void decode_table_section(Reader& reader, DecodeContext& context);
void decode_memory_section(Reader& reader, DecodeContext& context);
void decode_global_section(Reader& reader, DecodeContext& context);
void decode_export_section(Reader& reader, DecodeContext& context);
void decode_start_section(Reader& reader, DecodeContext& context);
void decode_element_section(Reader& reader, DecodeContext& context);
void decode_code_section(Reader& reader, DecodeContext& context);
void decode_data_section(Reader& reader, DecodeContext& context);
void decode_data_count_section(Reader& reader, DecodeContext& context);
void decode_tag_section(Reader& reader, DecodeContext& context);

}  // namespace tfvm
