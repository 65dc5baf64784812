// From arguments to commands (options.hpp).
#include "cli/options.hpp"

#include <array>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>
#include <iterator>

#include "cli/arguments.hpp"
#include "cli/descriptions.hpp"
#include "cli/failure.hpp"
#include "cli/help.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

using Arguments = std::span<const std::string_view>;

constexpr std::array<std::string_view, 7> command_names = {"run",  "serve",  "validate", "inspect",
                                                           "text", "binary", "help"};

bool is_option(std::string_view argument) { return argument.starts_with('-') && argument != "-"; }

// Parses the options of one command into `options`. Gives what else there is, or none if help was asked for.
template <class Options>
std::optional<SplitArguments> parse_options(Arguments arguments, Options& options, OptionsEnd end,
                                            std::string_view command) {
  const Descriptions descriptions = describe(options);
  SplitArguments split = split_arguments(arguments, descriptions.all, end, command);
  po::parsed_options parsed(&descriptions.all, po::command_line_style::allow_long);
  bool wants_help = false;
  for (const po::option& option : split.options) {
    if (option.string_key == "verbose") ++options.common.verbosity;
    else parsed.options.push_back(option);
    wants_help = wants_help || option.string_key == "help";
  }
  if (wants_help) return std::nullopt;
  try {
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
  } catch (const po::error& error) {
    fail_usage(error.what(), "'" + std::string(command) + " --help' explains the options");
  }
  return split;
}

Command parse_run(Arguments arguments) {
  RunOptions options;
  std::vector<std::string> operands;
  if (!arguments.empty() && !is_option(arguments[0])) {
    operands.assign(arguments.begin(), arguments.end());
  } else {
    std::optional<SplitArguments> split = parse_options(arguments, options, OptionsEnd::AtFirstOperand, "tfvm run");
    if (!split) return ShowText{help_for_run()};
    operands = std::move(split->operands);
  }
  if (operands.empty()) fail_usage("no FILE to run", "usage: tfvm run [OPTIONS] FILE [ARGUMENTS...]");
  options.file = std::move(operands.front());
  const HostcallOptions& hostcalls = options.hostcalls;
  if (!hostcalls.is_on && (hostcalls.request || !hostcalls.headers.empty() || hostcalls.body_file ||
                           !hostcalls.outbound_rules.empty() || hostcalls.key_value_file || hostcalls.trace))
    fail_usage("requests are for functions: --hostcalls is missing",
               "usage: tfvm run --hostcalls --request 'GET /path' FILE");
  options.arguments.assign(std::make_move_iterator(operands.begin() + 1), std::make_move_iterator(operands.end()));
  return options;
}

Command parse_serve(Arguments arguments) {
  ServeOptions options;
  std::optional<SplitArguments> split = parse_options(arguments, options, OptionsEnd::AtEnd, "tfvm serve");
  if (!split) return ShowText{help_for_serve()};
  constexpr auto usage = "usage: tfvm serve [OPTIONS] DIR|FILE";
  if (split->operands.size() > 1)
    fail_usage("one folder at a time, not also '" + printable(split->operands[1]) + "'", usage);
  if (split->operands.empty() && (!options.domains || options.share_root.empty()))
    fail_usage("no folder to serve", usage);
  if (!split->operands.empty()) options.root = std::move(split->operands.front());
  if (options.tls_certificate.has_value() != options.tls_key.has_value())
    fail_usage("--tls-cert and --tls-key go together");
  if (options.tls_listen && !options.tls_certificate && options.tls_folder.empty())
    fail_usage("--tls-listen needs a certificate", "--tls-cert FILE --tls-key FILE, or --tls-certs DIR");
  return options;
}

Command parse_validate(Arguments arguments) {
  ValidateOptions options;
  std::optional<SplitArguments> split = parse_options(arguments, options, OptionsEnd::AtEnd, "tfvm validate");
  if (!split) return ShowText{help_for_validate()};
  if (split->operands.empty()) fail_usage("no FILE to validate", "usage: tfvm validate FILE...");
  options.files = std::move(split->operands);
  return options;
}

Command parse_inspect(Arguments arguments) {
  InspectOptions options;
  std::optional<SplitArguments> split = parse_options(arguments, options, OptionsEnd::AtEnd, "tfvm inspect");
  if (!split) return ShowText{help_for_inspect()};
  std::vector<std::string>& operands = split->operands;
  // "--disassemble X FILE" and "FILE --disassemble X": with two operands the one behind the option is its value.
  if (operands.size() == 2 && split->operand_of_option) {
    const auto value = operands.begin() + static_cast<std::ptrdiff_t>(*split->operand_of_option);
    options.function = *value;
    operands.erase(value);
  }
  constexpr auto usage = "usage: tfvm inspect FILE [--json] [--disassemble [FUNCTION]]";
  if (operands.empty()) fail_usage("no FILE to inspect", usage);
  if (operands.size() > 1) fail_usage("one FILE at a time, not also '" + printable(operands[1]) + "'", usage);
  options.file = std::move(operands.front());
  return options;
}

template <class Options>
Command parse_conversion(Arguments arguments, const char* command, const std::string& help) {
  Options options;
  std::optional<SplitArguments> split =
      parse_options(arguments, static_cast<TextOptions&>(options), OptionsEnd::AtEnd, command);
  if (!split) return ShowText{help};
  const std::string usage = std::string("usage: ") + command + " FILE [-o FILE]";
  if (split->operands.empty()) fail_usage("no FILE to convert", usage);
  if (split->operands.size() > 1)
    fail_usage("one FILE at a time, not also '" + printable(split->operands[1]) + "'", usage);
  options.file = std::move(split->operands.front());
  return options;
}

Command parse_help(Arguments arguments) {
  if (arguments.empty()) return ShowText{help_overview()};
  const std::string_view topic = arguments[0];
  if (topic == "run") return ShowText{help_for_run()};
  if (topic == "serve") return ShowText{help_for_serve()};
  if (topic == "validate") return ShowText{help_for_validate()};
  if (topic == "inspect") return ShowText{help_for_inspect()};
  if (topic == "text") return ShowText{help_for_text()};
  if (topic == "binary") return ShowText{help_for_binary()};
  if (topic == "help" || is_option(topic)) return ShowText{help_overview()};
  const std::string_view meant = closest(topic, command_names);
  fail_usage("there is no command '" + printable(topic) + "'",
             meant.empty() ? "'tfvm --help' lists the commands" : "did you mean '" + std::string(meant) + "'?");
}

// A word without dot or slash that is nearly a command's name is no file name.
void refuse_misspelled_command(std::string_view word) {
  if (is_option(word) || word.find_first_of("./") != std::string_view::npos) return;
  if (const std::string_view meant = closest(word, command_names); !meant.empty())
    fail_usage("unknown command '" + printable(word) + "'",
               "did you mean '" + std::string(meant) + "'? A file of this name is run with ./" + printable(word));
}

}  // namespace

Command parse_command_line(Arguments arguments) {
  if (arguments.empty()) fail_usage("nothing to do", "'tfvm FILE' runs a program, 'tfvm --help' explains the rest");
  const std::string_view first = arguments[0];
  const Arguments rest = arguments.subspan(1);
  if (first == "run") return parse_run(rest);
  if (first == "serve") return parse_serve(rest);
  if (first == "validate") return parse_validate(rest);
  if (first == "inspect") return parse_inspect(rest);
  if (first == "text") return parse_conversion<TextOptions>(rest, "tfvm text", help_for_text());
  if (first == "binary") return parse_conversion<BinaryOptions>(rest, "tfvm binary", help_for_binary());
  if (first == "help") return parse_help(rest);
  if (first == "--help" || first == "-h") return ShowText{help_overview()};
  if (first == "--version" || first == "-V") return ShowText{version_text()};
  refuse_misspelled_command(first);
  return parse_run(arguments);
}

std::optional<DirectoryOption> parse_directory(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t colons = text.find("::");
    parts.push_back(text.substr(0, colons));
    if (colons == std::string_view::npos) break;
    text.remove_prefix(colons + 2);
  }
  DirectoryOption directory;
  if (parts.size() > 1 && parts.back() == "ro") {
    directory.read_only = true;
    parts.pop_back();
  }
  if (parts.size() > 2) return std::nullopt;
  for (const std::string_view part : parts)
    if (part.empty()) return std::nullopt;
  directory.host_path = parts.front();
  directory.guest_path = parts.back();
  return directory;
}

}  // namespace tfvm::cli
