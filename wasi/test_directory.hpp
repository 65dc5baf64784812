// For tests: a directory of the host that is gone at the end, and small file helpers.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace tfvm::wasi {

class TestDirectory {
 public:
  TestDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "tfvm-wasi-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

  void make_directory(const std::string& name) const { std::filesystem::create_directories(path_ + "/" + name); }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, path_ + "/" + name);
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path_ + "/" + name) << text; }
  std::string read(const std::string& name) const {
    std::ifstream file(path_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const std::string& name) const {
    struct ::stat status;
    return ::lstat((path_ + "/" + name).c_str(), &status) == 0;
  }

 private:
  std::string path_;
};

}  // namespace tfvm::wasi
