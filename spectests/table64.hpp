// Tables with 64-bit addresses, which wabt 1.0.32 has no syntax for: the word i64 is taken out of the text, the
// converted module (unchecked by wabt) gets the flag back in its binary form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spectests/forms.hpp"

namespace tfvm::spectests {

/// Takes the i64 out of all table types of modules in `text`, without moving anything. Returns, by form, the indices of
/// the tables whose types had it. REQUIRES: forms are those of `text`.
std::vector<std::vector<std::uint32_t>> remove_table_address_types(std::string& text, const std::vector<Form>& forms);

/// Sets the 64-bit flag of the tables `indices` in the import and table sections of a binary module. Leaves a module as
/// it is where it does not have the expected form.
void set_table_address_types(std::vector<std::uint8_t>& module, const std::vector<std::uint32_t>& indices);

}  // namespace tfvm::spectests
