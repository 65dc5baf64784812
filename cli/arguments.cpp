// The split of arguments (arguments.hpp).
#include "cli/arguments.hpp"

#include "cli/failure.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

class Splitter {
 public:
  Splitter(std::span<const std::string_view> arguments, const po::options_description& description,
           std::string_view command)
      : arguments_(arguments), description_(description), command_(command) {}

  SplitArguments split(OptionsEnd end) {
    while (next_ < arguments_.size()) {
      const std::string_view argument = arguments_[next_++];
      if (argument == "--") {
        take_rest();
      } else if (!argument.starts_with('-') || argument == "-") {
        if (behind_optional_value_) result_.operand_of_option = result_.operands.size();
        behind_optional_value_ = false;
        result_.operands.emplace_back(argument);
        if (end == OptionsEnd::AtFirstOperand) take_rest();
      } else {
        behind_optional_value_ = false;
        if (argument.starts_with("--")) long_option(argument);
        else short_options(argument);
      }
    }
    return std::move(result_);
  }

 private:
  void take_rest() {
    result_.operands.insert(result_.operands.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(next_),
                            arguments_.end());
    next_ = arguments_.size();
  }

  void long_option(std::string_view argument) {
    const std::size_t equals = argument.find('=');
    const std::string_view spelling = argument.substr(0, equals);
    const po::option_description* option = find(spelling.substr(2));
    if (option == nullptr) fail_unknown(spelling);
    if (equals != std::string_view::npos) {
      if (option->semantic()->max_tokens() == 0) fail_usage("option '" + printable(spelling) + "' takes no value");
      add(*option, std::string(argument.substr(equals + 1)));
      return;
    }
    add_with_following_value(*option, spelling);
  }

  void short_options(std::string_view argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const std::string spelling = {'-', argument[i]};
      const po::option_description* option = find(spelling);
      if (option == nullptr) fail_unknown(argument.size() > 2 && i == 1 ? argument : std::string_view(spelling));
      if (option->semantic()->max_tokens() != 0 && i + 1 < argument.size()) {
        add(*option, std::string(argument.substr(i + 1)));
        return;
      }
      add_with_following_value(*option, spelling);
    }
  }

  void add_with_following_value(const po::option_description& option, std::string_view spelling) {
    if (option.semantic()->min_tokens() == 0) {
      behind_optional_value_ = option.semantic()->max_tokens() != 0;
      add(option, std::nullopt);
    } else if (next_ < arguments_.size()) {
      add(option, std::string(arguments_[next_++]));
    } else {
      fail_usage("option '" + printable(spelling) + "' needs a value",
                 "write " + printable(spelling) + ' ' + option.format_parameter());
    }
  }

  void add(const po::option_description& option, std::optional<std::string> value) {
    po::option parsed;
    parsed.string_key = option.long_name();
    if (value) parsed.value.push_back(std::move(*value));
    result_.options.push_back(std::move(parsed));
  }

  const po::option_description* find(std::string_view name) const {
    constexpr bool approximately = false;
    return description_.find_nothrow(std::string(name), approximately);
  }

  [[noreturn]] void fail_unknown(std::string_view spelling) const {
    std::vector<std::string> names;
    for (const auto& option : description_.options()) names.push_back("--" + option->long_name());
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    // "-fuel" was meant as "--fuel"
    const std::string wanted = spelling.starts_with("--") ? std::string(spelling) : '-' + std::string(spelling);
    const std::string_view meant = spelling.size() > 2 ? closest(wanted, candidates) : std::string_view();
    std::string hint = "'" + std::string(command_) + " --help' lists the options";
    if (!meant.empty()) hint = "did you mean '" + std::string(meant) + "'?";
    fail_usage("unknown option '" + printable(spelling) + "'", std::move(hint));
  }

  std::span<const std::string_view> arguments_;
  const po::options_description& description_;
  std::string_view command_;
  std::size_t next_ = 0;
  bool behind_optional_value_ = false;
  SplitArguments result_;
};

}  // namespace

SplitArguments split_arguments(std::span<const std::string_view> arguments, const po::options_description& description,
                               OptionsEnd end, std::string_view command) {
  return Splitter(arguments, description, command).split(end);
}

}  // namespace tfvm::cli
