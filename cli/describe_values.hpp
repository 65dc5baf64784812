// What descriptions of options are made of: values with their parsers, groups. Internal to the command line.
#pragma once

#include <boost/program_options/value_semantic.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/descriptions.hpp"
#include "cli/failure.hpp"
#include "decoder/error.hpp"

namespace tfvm::cli {

/// An option with one value that `parse` turns into what `target` holds. `expected` completes "expected ...".
template <class Target, class Parse>
boost::program_options::typed_value<std::string>* parsed_value(const char* option, const char* value_name,
                                                               Target& target, Parse parse, const char* expected) {
  return boost::program_options::value<std::string>()
      ->value_name(value_name)
      ->notifier([option, &target, parse, expected](const std::string& text) {
        auto value = parse(text);
        if (!value)
          fail_usage("--" + std::string(option) + " cannot be '" + printable(text) + "'",
                     std::string("expected ") + expected);
        if constexpr (requires { target = *std::move(value); }) target = *std::move(value);
        else target = std::move(value);
      });
}

inline std::optional<std::string> parse_text(const std::string& text) { return text; }

/// An option that may be given many times.
template <class Take>
boost::program_options::typed_value<std::vector<std::string>>* repeated_value(const char* value_name, Take take) {
  return boost::program_options::value<std::vector<std::string>>()
      ->value_name(value_name)
      ->notifier([take](const std::vector<std::string>& texts) {
        for (const std::string& text : texts) take(text);
      });
}

boost::program_options::options_description& add_group(Descriptions& descriptions, const char* caption);

/// Every command's last group; then all groups make the whole.
void finish(Descriptions& descriptions, CommonOptions& common, const char* verbose_text);

}  // namespace tfvm::cli
