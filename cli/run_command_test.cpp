// `tfvm run` from the outside: exit codes, what goes to which stream, what belongs to whom on the command line.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "cli/child_process.hpp"

namespace tfvm::cli {
namespace {

using std::string_literals::operator""s;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::string hello = TFVM_SOURCE_DIR "/cli/examples/hello.wasm";

TEST(RunCommand, RunsAProgram) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", hello}, {hello}, {"run", "--", hello}, {"-q", hello}}) {
    const ChildResult result = run_tfvm(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.output, "Hello from WebAssembly!\n");
    EXPECT_EQ(result.errors, "");
  }
  EXPECT_LT(std::filesystem::file_size(hello), 1024u);
}

TEST(RunCommand, ReadsTheModuleFromStandardInput) {
  const ChildResult result = run_tfvm({"run", "-"}, {.standard_input = contents(hello)});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "Hello from WebAssembly!\n");
}

TEST(RunCommand, PassesArgumentsUntouched) {
  const ChildResult result = run_tfvm({"run", testdata("arguments.wasm"), "--fuel", "--", "-", "", "two words"});
  EXPECT_EQ(result.output, "arguments.wasm\0--fuel\0--\0-\0\0two words\0"s);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(result.errors, "");
}

TEST(RunCommand, ArgumentZeroIsTheBareNameOrWhatWasGiven) {
  EXPECT_EQ(run_tfvm({testdata("arguments.wasm")}).output, "arguments.wasm\0"s);
  EXPECT_EQ(run_tfvm({"run", "--argv0", "other", testdata("arguments.wasm"), "x"}).output, "other\0x\0"s);
}

TEST(RunCommand, PassesOnlyTheVariablesThatWereNamed) {
  const ChildInput input{.environment = {"HOME=/root", "COPIED=yes"}};
  EXPECT_EQ(run_tfvm({testdata("environment.wasm")}, input).output, "");
  EXPECT_EQ(run_tfvm({"--env", "A=b=c", "--env=COPIED", "--env", "ABSENT", testdata("environment.wasm")}, input).output,
            "A=b=c\0COPIED=yes\0"s);
}

TEST(RunCommand, GuestsExitCodePassesThrough) {
  for (const auto& [code, expected] : {std::pair{"0", 0}, {"1", 1}, {"7", 7}, {"255", 255}, {"256", 1}, {"-1", 255}}) {
    const ChildResult result = run_tfvm({"run", "--invoke", "exit", testdata("exit.wasm"), code});
    EXPECT_EQ(result.exit_code, expected) << code;
    EXPECT_EQ(result.output + result.errors, "") << code;
  }
}

TEST(RunCommand, TrapExits134WithABacktrace) {
  const ChildResult result = run_tfvm({testdata("trap.wasm")});
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_EQ(result.output, "before\n");
  EXPECT_EQ(result.errors,
            "trap: unreachable\n"
            "  0: 0x7c - trapping!core::panicking::panic\n"
            "  1: 0x77 - trapping!shape::area(int)\n"
            "  2: 0x72 - trapping!_start\n");
}

TEST(RunCommand, TrapOfTheStartFunction) {
  const ChildResult result = run_tfvm({testdata("start_trap.wasm")});
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_EQ(result.errors, "trap: unreachable\n  0: 0x27 - start_trap!begin\n");
}

TEST(RunCommand, QuietKeepsTheReasonOnly) {
  EXPECT_EQ(run_tfvm({"-q", testdata("trap.wasm")}).errors, "trap: unreachable\n");
}

TEST(RunCommand, InvokePrintsResultsOneALine) {
  const auto invoke = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"run", "--invoke"});
    arguments.insert(arguments.begin() + 3, testdata("library.wasm"));
    const ChildResult result = run_tfvm(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.output;
  };
  EXPECT_EQ(invoke({"add", "2", "40"}), "42\n");
  EXPECT_EQ(invoke({"add", "0xffffffff", "-1"}), "-2\n");
  EXPECT_EQ(invoke({"add_i64", "9223372036854775807", "1"}), "-9223372036854775808\n");
  EXPECT_EQ(invoke({"half_f32", "3"}), "1.5\n");
  EXPECT_EQ(invoke({"same_f64", "0.1"}), "0.1\n");
  EXPECT_EQ(invoke({"same_f64", "nan:0x1"}), "nan:0x1\n");
  EXPECT_EQ(invoke({"same_f64", "-inf"}), "-inf\n");
  EXPECT_EQ(invoke({"swap", "1", "2"}), "2\n1\n");
  EXPECT_EQ(invoke({"is_null", "null"}), "1\n");
  EXPECT_EQ(invoke({"none"}), "");
}

TEST(RunCommand, InvokeRefusesWrongArguments) {
  const auto refuse = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"run", "--invoke"});
    arguments.insert(arguments.begin() + 3, testdata("library.wasm"));
    const ChildResult result = run_tfvm(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.output, "");
    return result.errors;
  };
  EXPECT_EQ(refuse({"add", "1"}), "error: 'add' takes 2 arguments, not 1\nhint: its type is (i32, i32) -> (i32)\n");
  EXPECT_EQ(refuse({"add", "1", "x"}),
            "error: argument 2 of 'add' is no i32: 'x'\n"
            "hint: expected a whole number of 32 bits, such as 42, -1 or 0xff\n");
}

TEST(RunCommand, InvokeSuggestsNames) {
  const ChildResult misspelled = run_tfvm({"run", "--invoke", "devide", testdata("library.wasm")});
  EXPECT_EQ(misspelled.exit_code, 1);
  EXPECT_EQ(misspelled.errors, "error: no exported function is called 'devide'\nhint: did you mean 'divide'?\n");
  const ChildResult strange = run_tfvm({"run", "--invoke", "zzzzzz", testdata("reactor.wasm")});
  EXPECT_EQ(strange.errors,
            "error: no exported function is called 'zzzzzz'\n"
            "hint: functions that --invoke can call: _initialize, times\n");
}

TEST(RunCommand, ReactorsAreInitialisedOnce) {
  EXPECT_EQ(run_tfvm({"run", "--invoke", "times", testdata("reactor.wasm")}).output, "1\n");
  EXPECT_EQ(run_tfvm({"run", "--invoke", "_initialize", testdata("reactor.wasm")}).exit_code, 0);
}

TEST(RunCommand, WithoutStartItSaysWhatCanBeCalled) {
  const ChildResult result = run_tfvm({testdata("reactor.wasm")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.errors, "error: " + testdata("reactor.wasm") +
                               " has no '_start' to run\nhint: functions that --invoke can call: _initialize, times\n");
}

TEST(RunCommand, OptionsBehindTheFileAreNoticedIfItCannotStart) {
  const ChildResult result = run_tfvm({testdata("reactor.wasm"), "--invoke", "times"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.errors.find("hint: options of tfvm end at FILE: put --invoke in front of it\n"), std::string::npos);
}

TEST(RunCommand, TimeoutExits124) {
  const ChildResult result = run_tfvm({"run", "--timeout=50ms", "--invoke", "forever", testdata("library.wasm")});
  EXPECT_EQ(result.exit_code, 124);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.errors.find("trap: deadline exceeded\n  0: 0x"), std::string::npos) << result.errors;
  EXPECT_NE(result.errors.find("library!forever\nhint: the limit was set with --timeout\n"), std::string::npos);
}

TEST(RunCommand, FuelExits134) {
  const ChildResult result = run_tfvm({"run", "--fuel", "1000", "--invoke", "forever", testdata("library.wasm")});
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_EQ(result.errors.substr(0, result.errors.find('\n')), "trap: all fuel consumed");
  EXPECT_EQ(run_tfvm({"run", "--fuel", "1000", "--invoke", "add", testdata("library.wasm"), "1", "2"}).output, "3\n");
}

TEST(RunCommand, StackLimit) {
  const ChildResult result = run_tfvm({"run", "--max-stack=64K", "--invoke", "recurse", testdata("library.wasm"), "1"});
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_EQ(result.errors.substr(0, result.errors.find('\n')), "trap: call stack exhausted");
  EXPECT_NE(result.errors.find("library!recurse\n     ... 31 more of the same ...\n"), std::string::npos);
  EXPECT_EQ(run_tfvm({"run", "--max-stack=0", "--invoke", "recurse", testdata("library.wasm"), "1"}).exit_code, 134);
}

TEST(RunCommand, MemoryAndTableLimits) {
  const std::string library = testdata("library.wasm");
  EXPECT_EQ(run_tfvm({"run", "--invoke", "grow", library, "9"}).output, "1\n");
  EXPECT_EQ(run_tfvm({"run", "--max-memory=640K", "--invoke", "grow", library, "9"}).output, "1\n");
  EXPECT_EQ(run_tfvm({"run", "--max-memory=639K", "--invoke", "grow", library, "9"}).output, "-1\n");
  const ChildResult trapped =
      run_tfvm({"run", "--max-memory=639K", "--trap-on-grow-failure", "--invoke", "grow", library, "9"});
  EXPECT_EQ(trapped.exit_code, 134);
  EXPECT_EQ(trapped.output, "");
  EXPECT_EQ(trapped.errors.substr(0, trapped.errors.find('\n')), "trap: memory limit exceeded");
  EXPECT_EQ(run_tfvm({"run", "--max-memory=1", "--invoke", "none", library}).exit_code, 1);
  EXPECT_EQ(run_tfvm({"run", "--max-table=9", "--invoke", "grow_table", library, "8"}).output, "1\n");
  EXPECT_EQ(run_tfvm({"run", "--max-table=9", "--invoke", "grow_table", library, "9"}).output, "-1\n");
}

TEST(RunCommand, AllMissingImportsAreListed) {
  const ChildResult result = run_tfvm({testdata("missing.wasm")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.errors, "error: " + testdata("missing.wasm") +
                               ": unknown import: 2 are missing:\n"
                               "  env.draw: function (i32, f64) -> (i64)\n"
                               "  env.screen: memory 1..2 pages\n"
                               "hint: tfvm provides WASI preview 1 and the hostcalls of Terrafirma; this module wants "
                               "a host that defines 'env'\n");
}

TEST(RunCommand, FilesThatCannotBeRun) {
  const ChildResult missing = run_tfvm({"run", "nowhere/absent.wasm"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_EQ(missing.errors,
            "error: cannot open 'nowhere/absent.wasm': No such file or directory\n"
            "hint: is the path right? It is taken from the current directory\n");
  const ChildResult directory = run_tfvm({testdata("")});
  EXPECT_EQ(directory.exit_code, 1);
  EXPECT_NE(directory.errors.find("is a directory"), std::string::npos);
  const ChildResult empty = run_tfvm({"/dev/null"});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_NE(empty.errors.find("malformed: unexpected end"), std::string::npos) << empty.errors;
  EXPECT_NE(empty.errors.find("hint: the file is empty\n"), std::string::npos) << empty.errors;
  EXPECT_EQ(run_tfvm({testdata("invalid.wasm")}).exit_code, 1);
}

TEST(RunCommand, TextIsAssembled) {
  EXPECT_EQ(run_tfvm({testdata("trap.wat")}).exit_code, run_tfvm({testdata("trap.wasm")}).exit_code);
  const ChildResult sum = run_tfvm({"run", "--invoke", "f", "-"},
                                   {.standard_input = ";; comment\n(func (export \"f\") (result i32) i32.const 7)"});
  EXPECT_EQ(sum.exit_code, 0) << sum.errors;
  EXPECT_EQ(sum.output, "7\n");
  const ChildResult bad = run_tfvm({"run", "-"}, {.standard_input = "(module\n  (func (i32.got)))"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.errors,
            "error: -: malformed: unknown operator i32.got (line 2, column 10)\n"
            "  (func (i32.got)))\n"
            "         ^\n");
}

TEST(TextCommand, BothFormatsTurnIntoEachOther) {
  const ChildResult binary = run_tfvm({"binary", testdata("trap.wat")});
  EXPECT_EQ(binary.exit_code, 0) << binary.errors;
  const ChildResult text = run_tfvm({"text", "-"}, {.standard_input = binary.output});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  EXPECT_NE(text.output.find("call 2\n"), std::string::npos) << text.output;
  EXPECT_EQ(run_tfvm({"binary", "-"}, {.standard_input = text.output}).output, binary.output);
  EXPECT_EQ(run_tfvm({"text", "-"}, {.standard_input = "(func"}).exit_code, 1);
  EXPECT_EQ(run_tfvm({"text", testdata("trap.wasm"), "-o", "/no/such/folder/x"}).exit_code, 1);
  EXPECT_EQ(run_tfvm({"binary"}).exit_code, 2);
  EXPECT_NE(run_tfvm({"binary", "--help"}).output.find("--output"), std::string::npos);
}

TEST(RunCommand, WrongUsageExits2) {
  const ChildResult result = run_tfvm({"run", "--fule", "1", hello});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.errors, "error: unknown option '--fule'\nhint: did you mean '--fuel'?\n");
  EXPECT_EQ(run_tfvm({}).exit_code, 2);
  EXPECT_EQ(run_tfvm({hello}, {.environment = {"TFVM_LOG=loud"}}).exit_code, 2);
}

TEST(RunCommand, DirectoriesMustExist) {
  const ChildResult result = run_tfvm({"--dir", "/nowhere/at/all", hello});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.errors.find("/nowhere/at/all"), std::string::npos);
  EXPECT_EQ(run_tfvm({"--dir", ".", "--dir", "/::/root::ro", hello}).exit_code, 0);
}

TEST(RunCommand, ColourOnlyWhereItIsWanted) {
  const std::string red = "\x1b[1;31mtrap:\x1b[0m unreachable\n";
  const auto errors = [](std::vector<std::string> environment) {
    return run_tfvm({"-q", testdata("trap.wasm")}, {.environment = std::move(environment)}).errors;
  };
  EXPECT_EQ(errors({"TERM=xterm"}), "trap: unreachable\n");
  EXPECT_EQ(errors({"CLICOLOR_FORCE=1"}), red);
  EXPECT_EQ(errors({"CLICOLOR_FORCE=1", "NO_COLOR=1"}), "trap: unreachable\n");
}

TEST(RunCommand, VerboseSpeaksOnStandardErrorOnly) {
  const ChildResult result = run_tfvm({"-v", hello});
  EXPECT_EQ(result.output, "Hello from WebAssembly!\n");
  EXPECT_NE(result.errors.find("info: " + hello + ": 496 bytes, 1 function, loaded and validated in "),
            std::string::npos)
      << result.errors;
  EXPECT_NE(result.errors.find("info: ended with exit code 0; memories: 64 KiB\n"), std::string::npos);
  EXPECT_NE(run_tfvm({"-vv", hello}).errors.find("debug: instantiated; calling '_start'\ndebug: the call took "),
            std::string::npos);
  EXPECT_NE(run_tfvm({"-v", "--fuel=1000", hello}).errors.find("; fuel left: "), std::string::npos);
  EXPECT_EQ(run_tfvm({"-v", "-q", hello}).errors, "");
  EXPECT_NE(run_tfvm({hello}, {.environment = {"TFVM_LOG=info"}}).errors, "");
}

TEST(RunCommand, ResultsThatCannotBeWrittenAreAnError) {
  const ChildResult full = run_child("/bin/sh", {"-c", "exec \"$0\" run --invoke add \"$1\" 1 2 >/dev/full",
                                                 TFVM_EXECUTABLE, testdata("library.wasm")});
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_EQ(full.errors, "error: cannot write to standard output: No space left on device\n");
}

// As a native program would: it does not run on for nobody.
TEST(RunCommand, EndsWhenNobodyReadsItsOutput) {
  const ChildResult result = run_tfvm({hello}, {.output_is_closed = true});
  EXPECT_EQ(result.exit_code, 128 + SIGPIPE);
  EXPECT_EQ(result.errors, "");
}

TEST(RunCommand, VersionAndHelpGoToStandardOutput) {
  const ChildResult version = run_tfvm({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.output, "tfvm " TFVM_VERSION "\n");
  const ChildResult help = run_tfvm({"run", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.errors, "");
  EXPECT_NE(help.output.find("--max-memory SIZE"), std::string::npos);
}

}  // namespace
}  // namespace tfvm::cli
