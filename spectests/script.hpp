// A test script as commands, with the modules' bytes, and one way to get them: from wast2json's JSON. The other one is
// wast.hpp. Reading only; runner.hpp executes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"
#include "vm/value.hpp"

namespace tfvm::spectests {

/// What a result has to be.
struct Pattern {
  enum class Kind : std::uint8_t {
    Exact,          ///< the bits of `value`
    CanonicalNan,   ///< a NaN of the type of `value` whose payload is the topmost bit only
    ArithmeticNan,  ///< a NaN of the type of `value` whose topmost payload bit is set
    NonNull,        ///< a reference of the type of `value`, but not null
    AnyNull,        ///< null, of whatever reference type
    Vector,         ///< a v128: not supported yet
  };
  Kind kind = Kind::Exact;
  Value value;
};

/// Calls an exported function or reads an exported global.
struct Action {
  bool is_invoke = true;
  bool has_vector_arguments = false;  ///< then `arguments` is incomplete
  std::string module;                 ///< "$A"; empty: the current one
  std::string field;
  std::vector<Value> arguments;
};

enum class CommandKind : std::uint8_t {
  Module,      ///< load, instantiate, make current; `name` may name it
  Definition,  ///< load, remember as `name`
  Instance,    ///< instantiate the definition `definition` (empty: the last one), make current; `name` may name it
  Register,    ///< exports of `name` (or of the current instance) become importable from `as`
  Action,
  AssertReturn,
  AssertTrap,
  AssertExhaustion,
  AssertException,
  AssertInvalid,
  AssertMalformed,
  AssertUnlinkable,
  AssertUninstantiable,
  Skipped,  ///< could not be converted; see `skip_reason` and `skipped_kind`
};

struct Command {
  CommandKind kind = CommandKind::Skipped;
  std::uint32_t line = 0;
  std::string name;
  std::string as;
  std::string definition;
  Action action;
  std::vector<Pattern> expected;  ///< one a result; if `is_either`: the alternatives for one result
  bool is_either = false;
  std::string text;  ///< expected trap or error
  std::vector<std::uint8_t> module;
  std::optional<Error> text_error;                  ///< the module is text that could not be assembled
  bool is_text_module = false;                      ///< the module is in the text format; `module` is empty
  std::string skip_reason;                          ///< Skipped: "needs gc", ...
  CommandKind skipped_kind = CommandKind::Skipped;  ///< Skipped: what it would have been

  /// It counts among the assertions.
  bool is_assertion() const {
    const CommandKind real = kind == CommandKind::Skipped ? skipped_kind : kind;
    return real >= CommandKind::AssertReturn && real <= CommandKind::AssertUninstantiable;
  }
};

/// "assert_return", ... as scripts spell it.
std::string_view to_string(CommandKind kind);

/// Reads wast2json's output; files of modules lie in `folder`. Errors (Host): no such JSON, a file is missing.
Result<std::vector<Command>> read_script(std::string_view json, const std::filesystem::path& folder);

/// The bytes of a file. Errors (Host): it cannot be read.
Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& path);

}  // namespace tfvm::spectests
