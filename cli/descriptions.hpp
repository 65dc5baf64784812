// The options of each command as Boost.Program_options describes them: names, values, help texts, and where the parsed
// values go. Parsing and help both read these; an option exists in one place only.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <list>
#include <string>

#include "cli/options.hpp"

namespace tfvm::cli {

/// Options of one command in groups, for help, and all together, for parsing.
struct Descriptions {
  std::list<boost::program_options::options_description> groups;
  std::list<std::string> captions;  ///< one per group
  boost::program_options::options_description all;
};

/// What parsed options are written to must outlive the descriptions. Values that are wrong throw Failure (usage) when
/// boost::program_options::notify hands them over.
Descriptions describe(RunOptions& options);
Descriptions describe(ServeOptions& options);
Descriptions describe(ValidateOptions& options);
Descriptions describe(InspectOptions& options);
Descriptions describe(TextOptions& options);  // and BinaryOptions

}  // namespace tfvm::cli
