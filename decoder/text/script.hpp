// Test scripts (.wast): modules, actions and assertions, as the specification's own test suite writes them. Reading
// only; modules stay text until somebody assembles them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/error.hpp"

namespace tfvm::text {

enum class ScriptCommandKind : std::uint8_t {
  Module,      ///< instantiate, make current; `name` may name it
  Definition,  ///< remember as `name`
  Instance,    ///< instantiate the definition `definition`, make current; `name` may name it
  Register,    ///< exports of `name` (empty: of the current instance) become importable from `as`
  Action,
  AssertReturn,
  AssertTrap,  ///< of `action`
  AssertExhaustion,
  AssertException,
  AssertUninstantiable,  ///< a trap while `module` is instantiated; scripts write assert_trap
  AssertInvalid,
  AssertMalformed,
  AssertUnlinkable,
  AssertInvalidCustom,  ///< a custom section, or an annotation, that is wrong
  AssertMalformedCustom,
};

/// One lane of a constant, or a whole number.
struct ScriptLane {
  enum class Nan : std::uint8_t { None, Canonical, Arithmetic } nan = Nan::None;
  std::uint64_t bits = 0;
};

/// A constant that an action gets, or what a result has to be.
struct ScriptValue {
  enum class Kind : std::uint8_t { I32, I64, F32, F64, V128, Null, Reference } kind = Kind::I32;
  std::vector<ScriptLane> lanes;  ///< numbers: one; V128: by its shape
  unsigned lane_bits = 0;         ///< V128
  bool is_float = false;          ///< V128: lanes are floats
  std::string heap;         ///< Null: the heap type, may be empty; Reference: "func", "extern", "host", "i31", ...
  bool has_number = false;  ///< Reference to an extern or host: `number` says which
  std::uint64_t number = 0;
};

struct ScriptAction {
  bool is_invoke = true;  ///< else the value of a global
  std::string module;     ///< name of an instance; empty: the current one
  std::string field;
  std::vector<ScriptValue> arguments;
};

struct ScriptCommand {
  ScriptCommandKind kind = ScriptCommandKind::Module;
  std::uint32_t line = 1;
  std::string name;
  std::string definition;  ///< Instance: of which; empty: the last one
  std::string as;
  std::string_view module;  ///< for assemble_module; a view of the script
  ScriptAction action;
  std::vector<ScriptValue> expected;  ///< one a result; if `is_either`: the alternatives for one result
  bool is_either = false;
  std::string text;  ///< what an assertion expects the trap or error to say
};

/// The commands of a script, which must outlive them. A script that is the fields of a module is that module.
/// Names are without $. Errors: Malformed, with line and column; what is wrong inside a module does not show here.
Result<std::vector<ScriptCommand>> parse_script(std::string_view script);

}  // namespace tfvm::text
