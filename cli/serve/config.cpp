// Reading settings as TOML: see config.hpp. The table `numbers` is the list of all keys with a number; the others are
// functions of Reader.
#include "cli/serve/config.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <optional>
#include <set>
#include <unistd.h>

// toml++ 3.3 states things of its input that a tenant's file can make false: that every character between U+00A0 and
// U+FEFF is one that it asks for, that a key follows "[[[". As assumptions of the optimiser these would be undefined
// behaviour, so none is made: its functions then go on to their own error or to the answer "no". Without exceptions it
// would go on after some errors.
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/impl/forward_declarations.h>
#undef TOML_ASSERT
#undef TOML_ASSUME
#undef TOML_ASSERT_ASSUME
#undef TOML_UNREACHABLE
#define TOML_ASSERT(...) static_assert(true)
#define TOML_ASSUME(...) static_assert(true)
#define TOML_ASSERT_ASSUME(...) static_assert(true)
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE __builtin_unreachable()
#include <toml++/toml.h>

#include "cli/parse.hpp"
#include "cli/serve/module_versions.hpp"

namespace tfvm::serve {

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t max_environment_entries = 256;
constexpr std::size_t max_environment_bytes = 64u << 10;
constexpr std::size_t max_list_items = 256;
constexpr std::size_t max_space_bytes = 64;

enum class Unit : std::uint8_t { Count, Bytes, Milliseconds };

/// A key with a number, and where the number is kept.
struct Number {
  std::string_view key;
  Unit unit;
  std::uint64_t maximum;  ///< beyond, it has no meaning
  std::uint64_t (*get)(const FunctionSettings&);
  void (*set)(FunctionSettings&, std::uint64_t);
};

template <auto member>
std::uint64_t get(const FunctionSettings& settings) {
  if constexpr (requires { (settings.*member).count(); }) return static_cast<std::uint64_t>((settings.*member).count());
  else return settings.*member;
}
template <auto member>
void set(FunctionSettings& settings, std::uint64_t value) {
  using Type = std::remove_reference_t<decltype(settings.*member)>;
  if constexpr (requires { (settings.*member).count(); }) settings.*member = Type(static_cast<std::int64_t>(value));
  else settings.*member = static_cast<Type>(value);
}
template <auto member>
std::uint64_t get_limit(const FunctionSettings& settings) {
  return settings.hostcall_limits.*member;
}
template <auto member>
void set_limit(FunctionSettings& settings, std::uint64_t value) {
  using Type = std::remove_reference_t<decltype(settings.hostcall_limits.*member)>;
  settings.hostcall_limits.*member = static_cast<Type>(value);
}

using Settings = FunctionSettings;
using Limits = hostcalls::HostcallLimits;
constexpr std::uint64_t max_count = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t max_bytes = std::uint64_t{1} << 48;
constexpr std::uint64_t max_stack = std::uint64_t{1} << 30;
constexpr std::uint64_t max_milliseconds = std::uint64_t{24} * 60 * 60 * 1000;

constexpr Number numbers[] = {
    {"timeout", Unit::Milliseconds, max_milliseconds, get<&Settings::timeout>, set<&Settings::timeout>},
    {"memory", Unit::Bytes, max_bytes, get<&Settings::max_memory_bytes>, set<&Settings::max_memory_bytes>},
    {"stack", Unit::Bytes, max_stack, get<&Settings::max_stack_bytes>, set<&Settings::max_stack_bytes>},
    {"fuel", Unit::Count, unlimited - 1, [](const Settings& settings) { return settings.fuel.value_or(unlimited); },
     [](Settings& settings, std::uint64_t value) {
       settings.fuel = value == unlimited ? std::nullopt : std::optional(value);
     }},
    {"concurrency", Unit::Count, max_count, get<&Settings::max_concurrent>, set<&Settings::max_concurrent>},
    {"request_body", Unit::Bytes, max_bytes, get<&Settings::max_request_body_bytes>,
     set<&Settings::max_request_body_bytes>},
    {"response", Unit::Bytes, max_bytes, get_limit<&Limits::max_response_bytes>,
     set_limit<&Limits::max_response_bytes>},
    {"outbound_requests", Unit::Count, max_count, get_limit<&Limits::max_outbound_requests>,
     set_limit<&Limits::max_outbound_requests>},
    {"dns_queries", Unit::Count, max_count, get_limit<&Limits::max_dns_queries>, set_limit<&Limits::max_dns_queries>},
    {"log_lines", Unit::Count, max_count, get_limit<&Limits::max_log_lines>, set_limit<&Limits::max_log_lines>},
};

std::string text_of(Unit unit, std::uint64_t value) {
  if (unit == Unit::Milliseconds)
    return value % 1000 == 0 ? std::to_string(value / 1000) + " s" : std::to_string(value) + " ms";
  return std::to_string(value) + (unit == Unit::Bytes ? " bytes" : "");
}

std::string place(const toml::source_region& source) {
  return std::to_string(source.begin.line) + ':' + std::to_string(source.begin.column) + ": ";
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.find('=') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

/// Reads one table of settings. The first problem stays.
class Reader {
 public:
  enum class Kind : std::uint8_t { Function, Defaults, Ceilings };
  /// `ceilings`: null while they are read themselves. `owner`: of a function.
  Reader(FunctionSettings& settings, Kind kind, const FunctionSettings* ceilings, const SettingsOwner* owner)
      : settings_(settings), kind_(kind), ceilings_(ceilings), owner_(owner) {}

  void read(const toml::table& table) {
    for (const auto& [key, node] : table) {
      if (!problem_.empty()) return;
      read_item(key, node);
    }
  }
  const std::string& problem() const { return problem_; }
  bool was_said(std::string_view key) const { return said_.count(key) != 0; }

 private:
  void fail(const toml::source_region& source, std::string_view what) {
    if (problem_.empty()) problem_ = place(source) + std::string(what);
  }
  void fail(const toml::node& node, std::string_view what) { fail(node.source(), what); }

  void read_item(const toml::key& key, const toml::node& node) {
    said_.insert(std::string(key.str()));
    for (const Number& number : numbers)
      if (number.key == key.str()) return read_number(number, node);
    if (key.str() == "cache_control") return read_cache_control(node);
    if (key.str() == "environment") return read_environment(node);
    if (key.str() == "outbound") return read_outbound(node);
    if (key.str() == "directories") return read_directories(node);
    if (key.str() == "key_value" && kind_ == Kind::Function) return read_key_value(node);
    fail(key.source(), "unknown key '" + printable(key.str()) + "'");
  }

  std::optional<std::uint64_t> value_of(const Number& number, const toml::node& node) {
    if (const auto integer = node.value_exact<std::int64_t>()) {
      if (*integer <= 0) return std::nullopt;
      const auto value = static_cast<std::uint64_t>(*integer);
      if (number.unit != Unit::Milliseconds) return value;
      return value <= max_milliseconds / 1000 ? std::optional(value * 1000) : std::nullopt;
    }
    const auto text = node.value_exact<std::string_view>();
    if (!text || number.unit == Unit::Count) return std::nullopt;
    if (number.unit == Unit::Bytes) return cli::parse_size(*text);
    const auto duration = cli::parse_duration(*text);
    if (!duration) return std::nullopt;
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(*duration).count());
  }

  void read_number(const Number& number, const toml::node& node) {
    const std::optional<std::uint64_t> value = value_of(number, node);
    const std::string key(number.key);
    if (!value || *value == 0 || *value > number.maximum) {
      constexpr std::string_view examples[] = {"a positive number", "a size such as \"64MiB\"",
                                               "a time such as \"500ms\" or \"2s\""};
      return fail(node, key + " must be " + std::string(examples[static_cast<std::size_t>(number.unit)]));
    }
    if (ceilings_ != nullptr && *value > number.get(*ceilings_))
      return fail(node, key + " is " + text_of(number.unit, *value) + ", above the operator's ceiling of " +
                            text_of(number.unit, number.get(*ceilings_)));
    number.set(settings_, *value);
  }

  std::optional<std::string_view> text(const toml::node& node, std::string_view what) {
    const auto value = node.value_exact<std::string_view>();
    if (!value) fail(node, std::string(what) + " must be text");
    return value;
  }

  void read_cache_control(const toml::node& node) {
    const auto value = text(node, "cache_control");
    if (!value) return;
    if (!hostcalls::is_field_value(*value)) return fail(node, "cache_control is no field value");
    settings_.cache_control = *value;
  }

  void read_key_value(const toml::node& node) {
    const auto value = text(node, "key_value");
    if (!value) return;
    const auto is_legal = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
             c == '.';
    };
    if (value->empty() || value->size() > max_space_bytes || !std::all_of(value->begin(), value->end(), is_legal))
      return fail(node, "key_value must be a name of letters, digits, '_', '-' and '.'");
    // of this site alone: a function's own namespace has a '/' there, or no '#' in front
    settings_.key_value_space = owner_->site + '#' + std::string(*value);
  }

  void read_environment(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return fail(node, "environment must be a table of texts");
    for (const auto& [key, item] : *table) {
      const std::string name(key.str());
      const auto value = text(item, "environment." + printable(name));
      if (!value) return;
      if (!is_variable_name(name) || value->find('\0') != std::string_view::npos)
        return fail(item, "environment: not a name and a value");
      std::erase_if(settings_.environment, [&](const std::string& other) { return other.starts_with(name + '='); });
      settings_.environment.push_back(name + '=' + std::string(*value));
    }
    std::size_t bytes = 0;
    for (const std::string& variable : settings_.environment) bytes += variable.size() + 1;
    if (settings_.environment.size() > max_environment_entries || bytes > max_environment_bytes)
      fail(node, "environment is too large");
  }

  void read_outbound(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->size() > max_list_items) return fail(node, "outbound must be a list of texts");
    settings_.outbound = {};
    settings_.outbound_rules.clear();
    for (const toml::node& item : *array) {
      const auto rule = text(item, "a rule of outbound");
      if (!rule) return;
      hostcalls::OutboundPolicy alone;
      if (const Result<Done> allowed = alone.allow(*rule); !allowed.ok()) return fail(item, allowed.error().message);
      if (ceilings_ != nullptr && !ceilings_->outbound.covers(alone))
        return fail(item, "outbound rule '" + printable(*rule) + "' is not within what the operator allows");
      (void)settings_.outbound.allow(*rule);
      settings_.outbound_rules.emplace_back(*rule);
    }
  }

  void read_directories(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->size() > max_list_items)
      return fail(node, "directories must be a list of tables { host, guest }");
    settings_.directories.clear();
    settings_.open_directories.clear();
    for (const toml::node& item : *array) {
      const toml::table* table = item.as_table();
      if (table == nullptr) return fail(item, "directories must be a list of tables { host, guest }");
      read_directory(*table);
      if (!problem_.empty()) return;
    }
  }

  void read_directory(const toml::table& table) {
    wasi::Preopen directory;
    directory.is_read_only = true;
    for (const auto& [key, node] : table) {
      if (key.str() == "host" || key.str() == "guest") {
        const auto value = text(node, key.str());
        if (!value) return;
        if (value->empty() || value->find('\0') != std::string_view::npos) return fail(node, "an empty path");
        (key.str() == "host" ? directory.host_path : directory.guest_path) = *value;
      } else if (key.str() == "read_only") {
        const auto value = node.value_exact<bool>();
        if (!value) return fail(node, "read_only must be true or false");
        directory.is_read_only = *value;
      } else {
        return fail(key.source(), "unknown key '" + printable(key.str()) + "'");
      }
    }
    if (directory.host_path.empty()) return fail(table, "a directory needs 'host'");
    if (directory.guest_path.empty()) directory.guest_path = directory.host_path;
    if (kind_ == Kind::Function) return add_own_directory(table, std::move(directory));
    if (!directory.host_path.starts_with('/')) return fail(table, "the path of a directory must be absolute");
    settings_.directories.push_back(std::move(directory));
  }

  /// A folder below the site's own, or below one that the operator allows. It is opened here and named by descriptor:
  /// whoever may change the site's files could put something else in its place later.
  void add_own_directory(const toml::table& table, wasi::Preopen directory) {
    const bool is_own = !directory.host_path.starts_with('/');
    const wasi::Preopen* allowed = is_own ? nullptr : find_allowed(directory.host_path);
    if (!is_own && allowed == nullptr)
      return fail(table, "directory '" + printable(directory.host_path) + "' is not within what the operator allows");
    if (!directory.is_read_only && (is_own || allowed->is_read_only))
      return fail(table, "directory '" + printable(directory.host_path) + "' can only be read");
    const SiteRoot root = is_own ? owner_->root : SiteRoot(allowed->host_path);
    std::string below = is_own ? directory.host_path : directory.host_path.substr(allowed->host_path.size());
    below.erase(0, std::min(below.find_first_not_of('/'), below.size()));
    auto opened = root.open(below, O_PATH | O_DIRECTORY);
    if (!opened.ok()) return fail(table, "directory '" + printable(directory.host_path) + "' cannot be opened");
    directory.host_path = "/proc/self/fd/" + std::to_string(opened.value.number());
    settings_.open_directories.push_back(std::make_shared<const wasi::HostFile>(std::move(opened.value)));
    settings_.directories.push_back(std::move(directory));
  }

  const wasi::Preopen* find_allowed(std::string_view path) const {
    for (const wasi::Preopen& allowed : ceilings_->directories) {
      const std::string_view folder = allowed.host_path;
      const bool is_below = path.starts_with(folder) &&
                            (path.size() == folder.size() || path[folder.size()] == '/' || folder.ends_with('/'));
      if (is_below) return &allowed;
    }
    return nullptr;
  }

  FunctionSettings& settings_;
  const Kind kind_;
  const FunctionSettings* const ceilings_;
  const SettingsOwner* const owner_;
  std::set<std::string, std::less<>> said_;
  std::string problem_;
};

Error wrong(std::string what) { return Error{ErrorKind::Host, std::move(what)}; }

Result<toml::table> parse_toml(std::string_view text) {
  if (text.size() > max_settings_bytes) return wrong("1:1: larger than 64 KiB");
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return wrong(place(error.source()) + printable(error.description()));
  }
}

}  // namespace

Result<ServerSettings> parse_server_settings(std::string_view text, const ServerSettings& base) {
  const Result<toml::table> table = parse_toml(text);
  if (!table.ok()) return table.error();
  const toml::table empty;
  const toml::table* parts[] = {&empty, &empty};
  for (const auto& [key, node] : *table) {
    const bool is_defaults = key.str() == "defaults";
    if (!is_defaults && key.str() != "ceilings")
      return wrong(place(key.source()) + "unknown key '" + printable(key.str()) +
                   "': there are [defaults] and [ceilings]");
    if (!node.is_table()) return wrong(place(node.source()) + std::string(key.str()) + " must be a table");
    parts[is_defaults ? 0 : 1] = node.as_table();
  }
  ServerSettings server = base;
  Reader defaults(server.defaults, Reader::Kind::Defaults, nullptr, nullptr);
  defaults.read(*parts[0]);
  Reader ceilings(server.ceilings, Reader::Kind::Ceilings, nullptr, nullptr);
  ceilings.read(*parts[1]);
  for (const Reader* reader : {&defaults, &ceilings})
    if (!reader->problem().empty()) return wrong(reader->problem());

  for (const Number& number : numbers) {
    const std::uint64_t value = number.get(server.defaults);
    const std::uint64_t ceiling = number.get(server.ceilings);
    if (value <= ceiling) continue;
    if (!ceilings.was_said(number.key)) number.set(server.ceilings, value);
    else if (!defaults.was_said(number.key)) number.set(server.defaults, ceiling);
    else return wrong(std::string(number.key) + ": the default is above the ceiling");
  }
  if (!ceilings.was_said("outbound") && !server.ceilings.outbound.covers(server.defaults.outbound)) {
    server.ceilings.outbound = server.defaults.outbound;
    server.ceilings.outbound_rules = server.defaults.outbound_rules;
  }
  if (!server.ceilings.outbound.covers(server.defaults.outbound))
    return wrong("outbound: the default is beyond the ceiling");
  return server;
}

Result<ServerSettings> load_server_settings(const std::string& path, const ServerSettings& base) {
  const wasi::HostFile file = wasi::HostFile::own(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return wrong("cannot open '" + printable(path) + "': " + std::strerror(errno));
  const Result<std::vector<std::uint8_t>> bytes = read_file(file.number(), max_settings_bytes);
  if (!bytes.ok()) return wrong("cannot read '" + printable(path) + "': " + bytes.error().message);
  Result<ServerSettings> server =
      parse_server_settings(std::string_view(reinterpret_cast<const char*>(bytes->data()), bytes->size()), base);
  if (!server.ok()) return wrong(printable(path) + ':' + server.error().message);
  return server;
}

FunctionSettings default_settings(const ServerSettings& server, const SettingsOwner& owner) {
  FunctionSettings settings = server.defaults;
  settings.key_value_space = owner.function;
  return settings;
}

Result<FunctionSettings> parse_function_settings(std::string_view text, const ServerSettings& server,
                                                 const SettingsOwner& owner) {
  const Result<toml::table> table = parse_toml(text);
  if (!table.ok()) return table.error();
  FunctionSettings settings = default_settings(server, owner);
  Reader reader(settings, Reader::Kind::Function, &server.ceilings, &owner);
  reader.read(*table);
  if (!reader.problem().empty()) return wrong(reader.problem());
  return settings;
}

}  // namespace tfvm::serve
