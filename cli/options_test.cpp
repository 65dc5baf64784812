#include "cli/options.hpp"

#include <cstdlib>
#include <gtest/gtest.h>

#include "cli/failure.hpp"

namespace tfvm::cli {
namespace {

template <class Options>
Options parse(const std::vector<std::string_view>& arguments) {
  const Command command = parse_command_line(arguments);
  EXPECT_TRUE(std::holds_alternative<Options>(command));
  return std::get<Options>(command);
}

RunOptions run(const std::vector<std::string_view>& arguments) { return parse<RunOptions>(arguments); }

Failure failure(const std::vector<std::string_view>& arguments) {
  try {
    (void)parse_command_line(arguments);
  } catch (const Failure& thrown) {
    return thrown;
  }
  ADD_FAILURE() << "nothing was wrong";
  return {};
}

using Strings = std::vector<std::string>;

TEST(Options, FileAloneIsRun) {
  const RunOptions options = run({"prog.wasm", "a", "b"});
  EXPECT_EQ(options.file, "prog.wasm");
  EXPECT_EQ(options.arguments, (Strings{"a", "b"}));
  EXPECT_EQ(run({"run", "prog.wasm"}).file, "prog.wasm");
}

TEST(Options, AllBehindFileIsTheGuests) {
  const RunOptions options = run({"run", "-v", "prog.wasm", "--fuel", "--", "-x", "--help"});
  EXPECT_EQ(options.arguments, (Strings{"--fuel", "--", "-x", "--help"}));
  EXPECT_FALSE(options.fuel);
  EXPECT_EQ(run({"prog.wasm", "--version"}).arguments, (Strings{"--version"}));
}

TEST(Options, DoubleDashEndsOurs) {
  const RunOptions options = run({"run", "-q", "--", "-odd.wasm", "-v"});
  EXPECT_EQ(options.file, "-odd.wasm");
  EXPECT_EQ(options.arguments, (Strings{"-v"}));
  EXPECT_TRUE(options.common.quiet);
  EXPECT_EQ(options.common.verbosity, 0);
}

TEST(Options, DashIsStandardInput) {
  const RunOptions options = run({"-", "-v"});
  EXPECT_EQ(options.file, "-");
  EXPECT_EQ(options.arguments, (Strings{"-v"}));
  EXPECT_EQ(run({"--fuel=1", "-"}).file, "-");
}

TEST(Options, RunOptionsWithoutTheCommandsName) {
  const RunOptions options = run({"--fuel", "10", "prog.wasm"});
  EXPECT_EQ(options.fuel, 10u);
  EXPECT_EQ(options.file, "prog.wasm");
}

TEST(Options, LimitsAreParsed) {
  const RunOptions options = run({"run", "--fuel=1_000", "--timeout", "300ms", "--max-memory=64MiB", "--max-stack",
                                  "1M", "--max-table", "5", "--trap-on-grow-failure", "f"});
  EXPECT_EQ(options.fuel, 1000u);
  EXPECT_EQ(options.timeout, std::chrono::milliseconds(300));
  EXPECT_EQ(options.max_memory_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(options.max_stack_bytes, std::uint64_t{1} << 20);
  EXPECT_EQ(options.max_table_elements, 5u);
  EXPECT_TRUE(options.trap_on_grow_failure);
}

TEST(Options, ValuesMayLookLikeOptionsOrBeEmpty) {
  EXPECT_EQ(run({"run", "--argv0", "-v", "f"}).argv0, "-v");
  EXPECT_EQ(run({"run", "--argv0=", "f"}).argv0, "");
  EXPECT_EQ(run({"run", "--argv0", "", "f"}).argv0, "");
  EXPECT_EQ(run({"run", "--argv0=a=b", "f"}).argv0, "a=b");
}

TEST(Options, DirectoriesAndVariablesRepeat) {
  ::setenv("TFVM_TEST_COPIED", "from host", 1);
  ::unsetenv("TFVM_TEST_ABSENT");
  const RunOptions options = run({"run", "--dir", "a", "--dir=b::/c::ro", "--env", "X=1=2", "--env", "TFVM_TEST_COPIED",
                                  "--env", "TFVM_TEST_ABSENT", "--env", "E=", "f"});
  EXPECT_EQ(options.directories, (std::vector<DirectoryOption>{{"a", "a", false}, {"b", "/c", true}}));
  EXPECT_EQ(options.environment, (Strings{"X=1=2", "TFVM_TEST_COPIED=from host", "E="}));
}

TEST(Options, DirectoryGrammar) {
  EXPECT_EQ(parse_directory("."), (DirectoryOption{".", ".", false}));
  EXPECT_EQ(parse_directory("a::ro"), (DirectoryOption{"a", "a", true}));
  EXPECT_EQ(parse_directory("ro"), (DirectoryOption{"ro", "ro", false}));
  EXPECT_EQ(parse_directory("a::b"), (DirectoryOption{"a", "b", false}));
  EXPECT_EQ(parse_directory("a:b::c"), (DirectoryOption{"a:b", "c", false}));
  for (const char* wrong : {"", "::b", "a::", "a::b::c", "a::b::c::ro", "::ro", "a::::ro"})
    EXPECT_FALSE(parse_directory(wrong)) << wrong;
}

TEST(Options, VerboseIsCountedAndBundled) {
  EXPECT_EQ(run({"run", "-v", "f"}).common.verbosity, 1);
  EXPECT_EQ(run({"run", "-vv", "--verbose", "f"}).common.verbosity, 3);
  const RunOptions options = run({"run", "-vq", "f"});
  EXPECT_EQ(options.common.verbosity, 1);
  EXPECT_TRUE(options.common.quiet);
}

TEST(Options, ValidateTakesManyFilesAndOptionsAnywhere) {
  const auto options = parse<ValidateOptions>({"validate", "a", "-v", "b", "--", "-c"});
  EXPECT_EQ(options.files, (Strings{"a", "b", "-c"}));
  EXPECT_EQ(options.common.verbosity, 1);
}

TEST(Options, InspectDisassemblesAllOrOne) {
  for (const std::vector<std::string_view>& arguments :
       {std::vector<std::string_view>{"inspect", "f", "--disassemble", "main"},
        {"inspect", "--disassemble", "main", "f"},
        {"inspect", "--disassemble=main", "f"},
        {"inspect", "f", "--disassemble=main"}}) {
    const auto options = parse<InspectOptions>(arguments);
    EXPECT_TRUE(options.disassemble);
    EXPECT_EQ(options.function, "main");
    EXPECT_EQ(options.file, "f");
  }
  for (const std::vector<std::string_view>& arguments :
       {std::vector<std::string_view>{"inspect", "f", "--disassemble"}, {"inspect", "--disassemble", "f"}}) {
    const auto options = parse<InspectOptions>(arguments);
    EXPECT_TRUE(options.disassemble);
    EXPECT_EQ(options.function, "");
    EXPECT_EQ(options.file, "f");
  }
  const auto options = parse<InspectOptions>({"inspect", "f", "--json"});
  EXPECT_TRUE(options.json);
  EXPECT_FALSE(options.disassemble);
}

TEST(Options, UnknownOptionsGetASuggestion) {
  const Failure misspelled = failure({"run", "--fule", "1", "f"});
  EXPECT_EQ(misspelled.exit_code, exit_usage);
  EXPECT_EQ(misspelled.message, "unknown option '--fule'");
  EXPECT_EQ(misspelled.hint, "did you mean '--fuel'?");
  EXPECT_EQ(failure({"run", "-timeout", "1", "f"}).hint, "did you mean '--timeout'?");
  const Failure strange = failure({"--zzz", "f"});
  EXPECT_EQ(strange.message, "unknown option '--zzz'");
  EXPECT_EQ(strange.hint, "'tfvm run --help' lists the options");
  EXPECT_EQ(failure({"inspect", "-x", "f"}).message, "unknown option '-x'");
  EXPECT_EQ(failure({"run", "--fue", "1", "f"}).message, "unknown option '--fue'");
}

TEST(Options, MisspelledCommandsGetASuggestion) {
  const Failure misspelled = failure({"valdiate", "f"});
  EXPECT_EQ(misspelled.exit_code, exit_usage);
  EXPECT_EQ(misspelled.message, "unknown command 'valdiate'");
  EXPECT_EQ(misspelled.hint, "did you mean 'validate'? A file of this name is run with ./valdiate");
  EXPECT_EQ(run({"./valdiate"}).file, "./valdiate");
  EXPECT_EQ(run({"ru.wasm"}).file, "ru.wasm");
  EXPECT_EQ(failure({"help", "inspekt"}).hint, "did you mean 'inspect'?");
}

TEST(Options, WrongValuesNameTheOption) {
  const Failure wrong = failure({"run", "--fuel", "lots", "f"});
  EXPECT_EQ(wrong.exit_code, exit_usage);
  EXPECT_EQ(wrong.message, "--fuel cannot be 'lots'");
  EXPECT_EQ(wrong.hint, "expected a whole number");
  EXPECT_EQ(failure({"run", "--timeout=0", "f"}).message, "--timeout cannot be '0'");
  EXPECT_EQ(failure({"run", "--dir", "a::b::c", "f"}).message, "--dir cannot be 'a::b::c'");
  EXPECT_EQ(failure({"run", "--env", "=x", "f"}).message, "--env cannot be '=x'");
  EXPECT_EQ(failure({"run", "--max-memory", "\x1b[2J", "f"}).message, "--max-memory cannot be '\\1b[2J'");
}

TEST(Options, MissingAndSurplusValues) {
  const Failure missing = failure({"run", "--fuel"});
  EXPECT_EQ(missing.message, "option '--fuel' needs a value");
  EXPECT_EQ(missing.hint, "write --fuel N");
  EXPECT_EQ(failure({"run", "--quiet=1", "f"}).message, "option '--quiet' takes no value");
  EXPECT_EQ(failure({"run", "--fuel=1", "--fuel=2", "f"}).message,
            "option '--fuel' cannot be specified more than once");
}

TEST(Options, MissingFiles) {
  EXPECT_EQ(failure({}).exit_code, exit_usage);
  EXPECT_EQ(failure({"run"}).message, "no FILE to run");
  EXPECT_EQ(failure({"run", "-v"}).message, "no FILE to run");
  EXPECT_EQ(failure({"validate"}).message, "no FILE to validate");
  EXPECT_EQ(failure({"inspect", "--json"}).message, "no FILE to inspect");
  EXPECT_EQ(failure({"inspect", "a", "b"}).message, "one FILE at a time, not also 'b'");
}

TEST(Options, HelpIsTheSameByOptionAndCommand) {
  const auto text = [](const std::vector<std::string_view>& arguments) { return parse<ShowText>(arguments).text; };
  EXPECT_EQ(text({"run", "--help"}), text({"help", "run"}));
  EXPECT_EQ(text({"run", "--fuel", "1", "-h", "f"}), text({"help", "run"}));
  EXPECT_EQ(text({"validate", "--help"}), text({"help", "validate"}));
  EXPECT_EQ(text({"inspect", "f", "--help"}), text({"help", "inspect"}));
  EXPECT_EQ(text({"--help"}), text({"help"}));
  EXPECT_NE(text({"help", "run"}).find("--max-memory SIZE"), std::string::npos);
  EXPECT_EQ(text({"--version"}), "tfvm " TFVM_VERSION "\n");
}

TEST(Options, HelpFitsAScreensWidth) {
  for (const char* command : {"help", "run", "validate", "inspect"}) {
    const std::string text = parse<ShowText>({"help", command}).text;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      EXPECT_LE(end - begin, 120u) << text.substr(begin, end - begin);
  }
}

}  // namespace
}  // namespace tfvm::cli
