// Descriptions of options (descriptions.hpp).
#include "cli/descriptions.hpp"

#include <boost/program_options/value_semantic.hpp>

#include "cli/describe_values.hpp"
#include "cli/environment.hpp"
#include "cli/failure.hpp"
#include "cli/parse.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

std::optional<std::uint64_t> parse_descriptor_count(const std::string& text) {
  constexpr std::uint64_t most = 1 << 20;
  const std::optional<std::uint64_t> count = parse_count(text);
  return count && *count <= most ? count : std::nullopt;
}

void add_directory(RunOptions& options, const std::string& text) {
  std::optional<DirectoryOption> directory = parse_directory(text);
  if (!directory)
    fail_usage("--dir cannot be '" + printable(text) + "'", "expected HOST, HOST::GUEST, HOST::ro or HOST::GUEST::ro");
  options.directories.push_back(std::move(*directory));
}

void add_variable(RunOptions& options, const std::string& text) {
  std::string variable = environment_variable(text, "--env");
  if (!variable.empty()) options.environment.push_back(std::move(variable));
}

void add_listen_address(RunOptions& options, const std::string& text) {
  std::optional<ListenAddress> address = parse_listen_address(text);
  if (!address)
    fail_usage("--tcp-listen cannot be '" + printable(text) + "'",
               "expected an address in numbers and a port, such as 127.0.0.1:8080 or [::1]:8080");
  options.listen_addresses.push_back(std::move(*address));
}

}  // namespace

po::options_description& add_group(Descriptions& descriptions, const char* caption) {
  descriptions.captions.emplace_back(caption);
  return descriptions.groups.emplace_back();
}

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
       "there; repeatable. No others are passed on")  //
      ("env-file",
       repeated_value("FILE", [&options](const std::string& text) { options.environment_files.push_back(text); }),
       "environment variables, NAME=VALUE or NAME a line; --env wins;\n"
       "repeatable")  //
      ("inherit-env", po::bool_switch(&options.inherits_environment),
       "all of the host's environment variables")  //
      ("tcp-listen",
       repeated_value("ADDRESS:PORT", [&options](const std::string& text) { add_listen_address(options, text); }),
       "a listening socket on an address of this machine, given as a\n"
       "descriptor: 3, or the first behind those of --dir; repeatable.\n"
       "The program can only accept; WASI preview 1 has no outbound\n"
       "connections. Hostcalls give a program outbound HTTP")  //
      ("deterministic", po::bool_switch(&options.deterministic),
       "the same run every time: clocks start at 2000-01-01 and move\n"
       "only when read or slept on, random bytes follow from the seed.\n"
       "Files, standard input and sockets stay as they are")  //
      ("seed", parsed_value("seed", "N", options.seed, parse_count, "a whole number"),
       "another seed for --deterministic than 0")  //
      ("plain-terminal", po::bool_switch(&options.plain_terminal),
       "control codes that the program writes to a terminal become '?'")  //
      ("no-self-sandbox", po::bool_switch(&options.without_self_sandbox),
       "tfvm itself keeps its rights: by default it gives up all that\n"
       "the program was not given (Landlock, seccomp), where it can");
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
      ("max-fds",
       parsed_value("max-fds", "N", options.max_open_files, parse_descriptor_count, "a number up to 1048576"),
       "open descriptors of the program, with its standard streams\n"
       "(default: 1024)")  //
      ("trap-on-grow-failure", po::bool_switch(&options.trap_on_grow_failure),
       "trap where memory cannot grow, instead of telling the program");
  HostcallOptions& hostcalls = options.hostcalls;
  add_group(descriptions, "A function instead of a program")
      .add_options()  //
      ("hostcalls", po::bool_switch(&hostcalls.is_on),
       "FILE is a function for 'tfvm serve' (it exports run, or _start\n"
       "as a CGI program): run it for one request, print the response")  //
      ("request", parsed_value("request", "'METHOD PATH'", hostcalls.request, parse_text, "a method and a path"),
       "the request (default: 'GET /')")  //
      ("header,H",
       repeated_value("'NAME: VALUE'", [&hostcalls](const std::string& text) { hostcalls.headers.push_back(text); }),
       "a field of the request; repeatable")  //
      ("body", parsed_value("body", "FILE", hostcalls.body_file, parse_text, "a file"),
       "the request's body; - is standard input")  //
      ("allow-outbound",
       repeated_value("RULE", [&hostcalls](const std::string& text) { hostcalls.outbound_rules.push_back(text); }),
       "whom the function may send requests to: a host, *.host, an\n"
       "address, a network such as 10.0.0.0/8, each with :PORT if you\n"
       "like, or * for all public addresses; repeatable. Without it,\n"
       "nobody")  //
      ("kv", parsed_value("kv", "FILE", hostcalls.key_value_file, parse_text, "a file or redis://HOST"),
       "where its key-value store is kept: an SQLite file, made if it\n"
       "is not there, or redis://HOST (default: nowhere)");
  add_group(descriptions, "Looking inside")
      .add_options()  //
      ("trace-hostcalls", po::bool_switch(&hostcalls.trace),
       "print each hostcall with its arguments and its result")  //
      ("trace-wasi", po::bool_switch(&options.trace_wasi),
       "print each call of a WASI function with its arguments and its\n"
       "result, on standard error");
  finish(descriptions, options.common, "say what is done and refused, on standard error; -vv says more");
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

Descriptions describe(TextOptions& options) {
  Descriptions descriptions;
  add_group(descriptions, "Where to")
      .add_options()  //
      ("output,o", po::value<std::string>()->value_name("FILE")->notifier([&options](const std::string& file) {
        options.output = file;
      }),
       "write to FILE, not to standard output");
  finish(descriptions, options.common, "no more is said");
  return descriptions;
}

}  // namespace tfvm::cli
