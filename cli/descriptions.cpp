// Descriptions of options (descriptions.hpp).
#include "cli/descriptions.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <cstdlib>

#include "cli/failure.hpp"
#include "cli/parse.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

// An option with one value that `parse` turns into what `target` holds. `expected` completes "expected ...".
template <class Target, class Parse>
po::typed_value<std::string>* parsed_value(const char* option, const char* value_name, Target& target, Parse parse,
                                           const char* expected) {
  return po::value<std::string>()
      ->value_name(value_name)
      ->notifier([option, &target, parse, expected](const std::string& text) {
        auto value = parse(text);
        if (!value)
          fail_usage("--" + std::string(option) + " cannot be '" + printable(text) + "'",
                     std::string("expected ") + expected);
        target = std::move(value);
      });
}

std::optional<std::string> parse_text(const std::string& text) { return text; }

// An option that may be given many times.
template <class Take>
po::typed_value<std::vector<std::string>>* repeated_value(const char* value_name, Take take) {
  return po::value<std::vector<std::string>>()
      ->value_name(value_name)
      ->notifier([take](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) take(text);
      });
}

void add_directory(RunOptions& options, const std::string& text) {
  std::optional<DirectoryOption> directory = parse_directory(text);
  if (!directory)
    fail_usage("--dir cannot be '" + printable(text) + "'", "expected HOST, HOST::GUEST, HOST::ro or HOST::GUEST::ro");
  options.directories.push_back(std::move(*directory));
}

void add_variable(RunOptions& options, const std::string& text) {
  if (text.empty() || text.starts_with('='))
    fail_usage("--env cannot be '" + printable(text) + "'", "expected NAME=VALUE, or NAME to copy it from the host");
  if (text.find('=') != std::string::npos) {
    options.environment.push_back(text);
  } else if (const char* value = std::getenv(text.c_str())) {
    options.environment.push_back(text + '=' + value);
  }
}

po::options_description& add_group(Descriptions& descriptions, const char* caption) {
  descriptions.captions.emplace_back(caption);
  return descriptions.groups.emplace_back();
}

// Every command's last group; then all groups make the whole.
void finish(Descriptions& descriptions, CommonOptions& common, const char* verbose_text) {
  add_group(descriptions, "Messages")
      .add_options()                    //
      ("verbose,v", po::bool_switch(),  // counted by the parser: Boost does not count
       verbose_text)                    //
      ("quiet,q", po::bool_switch(&common.quiet),
       "errors in one line: no hints, no backtraces")  //
      ("help,h", po::bool_switch(), "print this help");
  for (const po::options_description& group : descriptions.groups) descriptions.all.add(group);
}

}  // namespace

Descriptions describe(RunOptions& options) {
  constexpr auto size = "a size such as 65536, 512K, 64MiB or 2G";
  Descriptions descriptions;
  add_group(descriptions, "What to run")
      .add_options()  //
      ("invoke", parsed_value("invoke", "NAME", options.invoke, parse_text, "the name of an export"),
       "call this exported function instead of the program's start:\n"
       "ARGUMENTS are its arguments, written as numbers of its types;\n"
       "its results are printed, one a line")  //
      ("argv0", parsed_value("argv0", "NAME", options.argv0, parse_text, "a name"),
       "the program's own name, its argument 0 (default: FILE\n"
       "without folders)");
  add_group(descriptions, "What the program may use")
      .add_options()  //
      ("dir",
       repeated_value("HOST[::GUEST][::ro]", [&options](const std::string& text) { add_directory(options, text); }),
       "a folder of the host, seen by the program as GUEST (default:\n"
       "as HOST), with ::ro only for reading; repeatable. Without\n"
       "--dir a program sees no files at all")  //
      ("env", repeated_value("NAME[=VALUE]", [&options](const std::string& text) { add_variable(options, text); }),
       "an environment variable; without =VALUE the host's, if set\n"
       "there; repeatable. No others are passed on");
  add_group(descriptions, "Limits")
      .add_options()  //
      ("fuel", parsed_value("fuel", "N", options.fuel, parse_count, "a whole number"),
       "trap after N units of fuel: one an instruction")  //
      ("timeout",
       parsed_value("timeout", "TIME", options.timeout, parse_duration, "a time such as 300ms, 2s, 1.5m, or seconds"),
       "stop after 300ms, 2s, 1m, or plain seconds, with exit code 124")  //
      ("max-memory", parsed_value("max-memory", "SIZE", options.max_memory_bytes, parse_size, size),
       "bytes of all linear memories, such as 64MiB")  //
      ("max-stack", parsed_value("max-stack", "SIZE", options.max_stack_bytes, parse_size, size),
       "bytes for the calls of the program (default: 8MiB)")  //
      ("max-table", parsed_value("max-table", "N", options.max_table_elements, parse_count, "a whole number"),
       "elements of all tables (default: 10000000)")  //
      ("trap-on-grow-failure", po::bool_switch(&options.trap_on_grow_failure),
       "trap where memory cannot grow, instead of telling the program");
  finish(descriptions, options.common, "say what is done, on standard error; -vv says more");
  return descriptions;
}

Descriptions describe(ValidateOptions& options) {
  Descriptions descriptions;
  finish(descriptions, options.common, "say what is done, also for valid modules");
  return descriptions;
}

Descriptions describe(InspectOptions& options) {
  Descriptions descriptions;
  add_group(descriptions, "What to show")
      .add_options()                                                                           //
      ("json", po::bool_switch(&options.json), "everything as one JSON object, for programs")  //
      ("disassemble",
       po::value<std::string>()
           ->value_name("[FUNCTION]")
           ->implicit_value("", "")
           ->notifier([&options](const std::string& function) {
             options.disassemble = true;
             options.function = function;
           }),
       "the instructions of FUNCTION, an index or a name;\n"
       "without it of all functions");
  finish(descriptions, options.common, "list all functions too");
  return descriptions;
}

}  // namespace tfvm::cli
