// SECURITY.md of this folder: every line names tests, and every test that it names exists somewhere in the tree.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <string>

namespace tfvm::wasi {
namespace {

const std::string root = TFVM_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// "Suite.Name" of all tests below a folder.
void collect_tests(const std::string& folder, std::set<std::string>& names) {
  static const std::regex definition(R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\))");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root + "/" + folder)) {
    if (!entry.path().filename().string().ends_with("_test.cpp")) continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator at(text.begin(), text.end(), definition), end; at != end; ++at)
      names.insert((*at)[1].str() + "." + (*at)[2].str());
  }
}

TEST(Security, EveryLineNamesTestsThatExist) {
  std::set<std::string> known;
  for (const char* folder : {"wasi", "cli", "hostcalls", "vm"}) collect_tests(folder, known);
  ASSERT_TRUE(known.contains("Security.EveryLineNamesTestsThatExist"));
  static const std::regex quoted(R"(`(\w+\.\w+)`)");
  std::ifstream file(root + "/wasi/SECURITY.md");
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| ") || line.starts_with("| what went") || line.starts_with("| promise")) continue;
    ++lines;
    const std::string tests = line.substr(line.rfind("| ", line.size() - 2));
    std::size_t named = 0;
    for (std::sregex_iterator at(tests.begin(), tests.end(), quoted), end; at != end; ++at, ++named)
      EXPECT_TRUE(known.contains((*at)[1].str())) << "no test is called " << (*at)[1].str();
    EXPECT_GT(named, 0u) << line;
  }
  EXPECT_EQ(lines, 18u + 11u + 3u);  // 18 and 11: the classes that were collected
}

}  // namespace
}  // namespace tfvm::wasi
