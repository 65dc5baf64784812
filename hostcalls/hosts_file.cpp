// HostsFile: one line for each address, with its names.
#include "hostcalls/hosts_file.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

namespace tfvm::hostcalls {
namespace {

constexpr std::streamsize max_line_bytes = 4'096;
constexpr std::size_t max_lines = 100'000;

}  // namespace

std::optional<std::vector<Address>> HostsFile::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  struct ::stat status{};
  if (path_.empty() || ::stat(path_.c_str(), &status) != 0) return std::nullopt;
  const auto identity = [](const struct ::stat& s) {
    return std::tuple(s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  };
  if (identity(status) != identity(read_status_)) {
    read();
    read_status_ = status;
  }
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

void HostsFile::read() {
  names_.clear();
  std::ifstream file(path_);
  std::string line(max_line_bytes, '\0');
  for (std::size_t number = 0; number < max_lines && file.getline(line.data(), max_line_bytes); ++number) {
    std::string text(line.data());
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    std::istringstream words(text.substr(0, text.find('#')));
    std::string word;
    if (!(words >> word)) continue;
    const std::optional<Address> address = Address::parse(word);
    if (!address) continue;
    while (words >> word) {
      std::vector<Address>& addresses = names_[word];
      if (std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) addresses.push_back(*address);
    }
  }
}

}  // namespace tfvm::hostcalls
