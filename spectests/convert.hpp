// From a .wast file to commands, by wabt's wast2json. A script that wabt refuses as a whole is converted without the
// forms it refuses; each of these, and each form that depends on one, becomes a Skipped command with its reason.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "decoder/error.hpp"
#include "spectests/script.hpp"
#include "spectests/wast2json.hpp"

namespace tfvm::spectests {

struct Conversion {
  std::vector<Command> commands;  ///< in the order of the script
  bool is_whole = true;           ///< wabt took the script as it is
};

/// Errors (Host): the file or wast2json cannot be used; (Malformed): the script has no top-level forms.
Result<Conversion> convert_script(const std::filesystem::path& script, const ConvertOptions& options = {});

}  // namespace tfvm::spectests
