// wast2json in a temporary folder that goes away with its use.
#include "spectests/wast2json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace tfvm::spectests {

namespace {

namespace fs = std::filesystem;

/// A folder that goes away with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "spectests-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  /// Empty: it could not be made.
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

constexpr const char* input_name = "script.wast";
constexpr const char* output_name = "script.json";

/// The offset of line:column (both from 1) in `text`.
std::size_t offset_of(std::string_view text, std::size_t line, std::size_t column) {
  std::size_t offset = 0;
  for (; line > 1; --line) {
    const std::size_t end = text.find('\n', offset);
    if (end == std::string_view::npos) return text.size();
    offset = end + 1;
  }
  return std::min(offset + column - 1, text.size());
}

}  // namespace

Result<ProcessResult> Wast2json::run(std::string_view text, Check check, std::vector<Command>* commands) const {
  const TemporaryFolder folder;
  if (folder.path().empty()) return Error{ErrorKind::Host, "cannot make a temporary folder"};
  std::ofstream file(folder.path() / input_name, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return Error{ErrorKind::Host, "cannot write to " + folder.path().string()};
  std::vector<std::string> arguments = {options_.wast2json, "--enable-all", input_name, "-o", output_name};
  if (check == Check::No) arguments.emplace_back("--no-check");
  auto result = run_process(arguments, folder.path().string(), options_.time_limit);
  if (!result || !result->ok() || commands == nullptr) return result;
  const auto json = read_file(folder.path() / output_name);
  if (!json) return json.error();
  auto read = read_script({reinterpret_cast<const char*>(json->data()), json->size()}, folder.path());
  if (!read) return read.error();
  *commands = std::move(*read);
  return result;
}

std::vector<std::size_t> error_offsets(std::string_view messages, std::string_view text) {
  std::vector<std::size_t> offsets;
  const std::string prefix = std::string(input_name) + ":";
  for (std::size_t at = messages.find(prefix); at != std::string_view::npos; at = messages.find(prefix, at + 1)) {
    std::size_t line = 0;
    std::size_t column = 0;
    const char* const end = messages.data() + messages.size();
    auto read = std::from_chars(messages.data() + at + prefix.size(), end, line);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') continue;
    read = std::from_chars(read.ptr + 1, end, column);
    if (read.ec != std::errc() || !std::string_view(read.ptr, end).starts_with(": error") || column == 0) continue;
    offsets.push_back(offset_of(text, line, column));
  }
  return offsets;
}

}  // namespace tfvm::spectests
