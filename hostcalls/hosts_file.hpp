// Names in a file like /etc/hosts (hosts(5)).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

#include "hostcalls/address.hpp"

namespace tfvm::hostcalls {

/// Read when it is first asked, and again when it has changed. Thread-safe. A file that is not there has no names;
/// lines that are malformed do not count.
class HostsFile {
 public:
  /// Empty path: no names.
  explicit HostsFile(std::string path) : path_(std::move(path)) {}

  /// All addresses of a name (lower case, no final dot), both families; none if the file does not know it.
  std::optional<std::vector<Address>> find(std::string_view name);

 private:
  void read();

  const std::string path_;
  std::mutex mutex_;
  struct ::stat read_status_{};
  std::map<std::string, std::vector<Address>, std::less<>> names_;
};

}  // namespace tfvm::hostcalls
