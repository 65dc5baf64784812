// For tests: small modules that are functions, and ones that differ only in what a test can see of them.
#pragma once

#include <string>
#include <string_view>

#include "decoder/test_module.hpp"

namespace tfvm::serve {

/// Exports an empty function; `mark` (a custom section) makes contents different.
inline test::Bytes hello_module(std::string_view export_name = "run", std::string_view mark = {}) {
  test::ModuleBuilder builder;
  const auto function = builder.function(builder.type({}, {}), {});
  builder.export_item(export_name, 0, function);
  if (!mark.empty()) builder.custom("mark", test::Bytes(mark.begin(), mark.end()));
  return builder.build();
}

/// Exports `run` and imports one function.
inline test::Bytes importing_module(std::string_view module, std::string_view name, const test::Bytes& params,
                                    const test::Bytes& results) {
  test::ModuleBuilder builder;
  const auto imported = builder.type(params, results);
  const auto type = builder.type({}, {});
  builder.import(module, name, test::Bytes{0} + test::unsigned_leb(imported));
  builder.function(type, {});
  builder.export_item("run", 0, 1);
  return builder.build();
}

inline std::string text_of(const test::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace tfvm::serve
