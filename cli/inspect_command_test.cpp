// `tfvm validate` and `tfvm inspect` from the outside.
#include <gtest/gtest.h>

#include "cli/child_process.hpp"

namespace tfvm::cli {
namespace {

const std::string hello = TFVM_SOURCE_DIR "/cli/examples/hello.wasm";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ValidateCommand, SilentIfAllIsWell) {
  const ChildResult result = run_tfvm({"validate", hello, testdata("library.wasm"), testdata("missing.wasm")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output + result.errors, "");
}

TEST(ValidateCommand, EachBadFileHasItsLine) {
  const ChildResult result = run_tfvm({"validate", testdata("invalid.wasm"), hello, "absent.wasm", "-"},
                                      {.standard_input = std::string("\0asm", 4)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(contains(result.errors, "error: " + testdata("invalid.wasm") +
                                          ": invalid: type mismatch: expected i32, found f64 (offset 0x34, "
                                          "section code, function 1 'wrong')\n"))
      << result.errors;
  EXPECT_TRUE(contains(result.errors, "error: cannot open 'absent.wasm': No such file or directory\n"));
  EXPECT_TRUE(contains(result.errors, "error: -: malformed: "));
  EXPECT_FALSE(contains(result.errors, "hello"));
}

TEST(InspectCommand, ShowsWhatIsInAModule) {
  const ChildResult result = run_tfvm({"inspect", hello});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.errors, "");
  for (const char* part :
       {"496 bytes, 3 functions (2 imported)\n", "Features: mvp\n", "Data: 1 segment, 40 bytes\n", "  custom    at 0x",
        "\"producers\"\n", "Imports (2)\n",
        "  wasi_snapshot_preview1.fd_write   function (i32, i32, i32, i32) -> (i32)\n", "Exports (2)\n",
        "  memory  memory 0    1.. pages\n", "  _start  function 2  () -> ()\n", "Globals (1)\n"})
    EXPECT_TRUE(contains(result.output, part)) << part << " is not in\n" << result.output;
  EXPECT_FALSE(contains(result.output, "Functions"));
  EXPECT_TRUE(contains(run_tfvm({"inspect", "-v", hello}).output, "Functions (3)\n"));
}

TEST(InspectCommand, JsonHoldsTheSame) {
  const ChildResult result = run_tfvm({"inspect", "--json", hello});
  EXPECT_EQ(result.exit_code, 0);
  for (const char* part : {"\"size\": 496,", "\"valid\": true,", "\"start\": null,", "\"name\": \"fd_write\",",
                           "\"type\": \"(i32, i32, i32, i32) -> (i32)\"", "\"mvp\""})
    EXPECT_TRUE(contains(result.output, part)) << part << " is not in\n" << result.output;
  EXPECT_FALSE(contains(result.output, "\"code\": ["));
  EXPECT_TRUE(contains(run_tfvm({"inspect", "--json", hello, "--disassemble", "2"}).output, "\"text\": \"end\""));
}

TEST(InspectCommand, DisassemblesByNameOrIndex) {
  const std::string library = testdata("library.wasm");
  const ChildResult by_name = run_tfvm({"inspect", library, "--disassemble", "divide"});
  EXPECT_EQ(by_name.exit_code, 0) << by_name.errors;
  EXPECT_TRUE(contains(by_name.output, "i32.div_s\n")) << by_name.output;
  EXPECT_FALSE(contains(by_name.output, "i32.add"));
  EXPECT_EQ(run_tfvm({"inspect", library, "--disassemble=7"}).output, by_name.output);
  EXPECT_TRUE(contains(run_tfvm({"inspect", library, "--disassemble"}).output, "i32.add"));
  EXPECT_TRUE(
      contains(run_tfvm({"inspect", testdata("trap.wasm"), "--disassemble=shape::area(int)"}).output, "call 3"));
}

TEST(InspectCommand, FunctionsThatCannotBeDisassembled) {
  const ChildResult absent = run_tfvm({"inspect", hello, "--disassemble=absent"});
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_TRUE(contains(absent.errors, "has no function 'absent'"));
  EXPECT_EQ(run_tfvm({"inspect", hello, "--disassemble=3"}).exit_code, 1);
  EXPECT_TRUE(contains(run_tfvm({"inspect", hello, "--disassemble=fd_write"}).errors, "imported"));
}

TEST(InspectCommand, InvalidModulesAreShownAndRefused) {
  const ChildResult result = run_tfvm({"inspect", testdata("invalid.wasm")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.output, "Exports (1)\n")) << result.output;
  EXPECT_TRUE(contains(result.errors, "invalid: type mismatch"));
  const ChildResult json = run_tfvm({"inspect", "--json", testdata("invalid.wasm")});
  EXPECT_TRUE(contains(json.output, "\"valid\": false,"));
  EXPECT_TRUE(contains(json.output, "\"kind\": \"invalid\","));
}

TEST(InspectCommand, MalformedModulesAreRefused) {
  const ChildResult result = run_tfvm({"inspect", "-"}, {.standard_input = std::string("\0asm\x0d\0\x01\0", 8)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(contains(result.errors, "hint: this is a component")) << result.errors;
}

}  // namespace
}  // namespace tfvm::cli
