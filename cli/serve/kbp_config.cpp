// Reading .kbp_config: see kbp_config.hpp.
#include "cli/serve/kbp_config.hpp"

#include <nlohmann/json.hpp>

namespace tfvm::serve {

namespace {

using Json = nlohmann::json;

constexpr int max_nesting = 8;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// "/a//b/./c/../" -> "a/b"; ".." in the root stays there.
std::string clean_path(std::string_view path) {
  std::string clean;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    begin = end + 1;
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      const std::size_t slash = clean.rfind('/');
      clean.erase(slash == std::string::npos ? 0 : slash);
      continue;
    }
    if (!clean.empty()) clean += '/';
    clean += segment;
  }
  return clean;
}

/// "" , "read", "list" or both with a comma between; none for anything else.
std::optional<KbpConfig::Permissions> parse_permissions(std::string_view text) {
  KbpConfig::Permissions permissions;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    if (word == "read") permissions.read = true;
    else if (word == "list") permissions.list = true;
    else return std::nullopt;
    if (comma == std::string_view::npos) return permissions;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return permissions;
}

KbpConfig::Permissions operator|(KbpConfig::Permissions a, KbpConfig::Permissions b) {
  return {a.read || b.read, a.list || b.list};
}

}  // namespace

/// Fills a KbpConfig. Each function gives what is wrong, or "".
class KbpConfigReader {
 public:
  explicit KbpConfigReader(KbpConfig& config) : config_(config) {}

  std::string read(const Json& json) {
    if (!json.is_object()) return "not a JSON object";
    const auto version = json.find("version");
    if (version == json.end() || *version != "v1") return "\"version\" must be \"v1\"";
    const Json* paths = nullptr;
    for (const auto& [key, value] : json.items()) {
      std::string problem;
      if (key == "users") problem = read_users(value);
      // both present, even if empty, is an error; null is as good as absent
      else if ((key == "per_path_configs" || key == "acls") && !value.is_null()) {
        if (paths != nullptr) problem = "both \"per_path_configs\" and \"acls\"";
        paths = &value;
      }
      if (!problem.empty()) return problem;
    }
    return paths == nullptr ? "" : read_paths(*paths);
  }

 private:
  std::string read_users(const Json& users) {
    if (users.is_null()) return "";
    if (!users.is_object()) return "\"users\" is no object";
    for (const auto& [name, hash] : users.items()) {
      if (!hash.is_string()) return "the password hash of user '" + name + "' is no string";
      std::unique_ptr<Password> password = Password::parse(hash.get_ref<const std::string&>());
      if (password == nullptr) return "invalid password hash of user '" + name + "'";
      config_.users_.emplace(name, std::move(password));
    }
    return "";
  }

  std::string read_paths(const Json& paths) {
    if (!paths.is_object()) return "\"per_path_configs\" is no object";
    for (const auto& [path, value] : paths.items()) {
      auto [entry, is_new] = config_.entries_.try_emplace(clean_path(path));
      if (!is_new) return "duplicate path '" + path + "'";
      if (const std::string problem = read_entry(value, entry->second); !problem.empty())
        return "path '" + path + "': " + problem;
    }
    return "";
  }

  std::string read_entry(const Json& json, KbpConfig::Entry& entry) {
    if (!json.is_object()) return "no object";
    for (const auto& [key, value] : json.items()) {
      std::string problem;
      if (key == "whitelist_additional_permissions") problem = read_additional(value, entry);
      else if (key == "anonymous_permissions") problem = read_permissions(value, entry.anonymous);
      else if (key == "Access-Control-Allow-Origin") problem = read_origin(value, entry);
      else if (key == "custom_403_forbidden" || key == "custom_404_not_found") problem = check_page(value);
      if (!problem.empty()) return problem;
    }
    entry.possible = entry.anonymous;
    for (const auto& [user, permissions] : entry.additional) entry.possible = entry.possible | permissions;
    return "";
  }

  static std::string read_permissions(const Json& json, KbpConfig::Permissions& permissions) {
    if (!json.is_string()) return "permissions are no string";
    const auto parsed = parse_permissions(json.get_ref<const std::string&>());
    if (!parsed) return "invalid permissions '" + json.get<std::string>() + "'";
    permissions = *parsed;
    return "";
  }

  std::string read_additional(const Json& json, KbpConfig::Entry& entry) {
    if (json.is_null()) return "";
    if (!json.is_object()) return "\"whitelist_additional_permissions\" is no object";
    for (const auto& [user, value] : json.items()) {
      // users_ may come later in the file: items are in order of names, and "users" comes behind the others
      if (const std::string problem = read_permissions(value, entry.additional[user]); !problem.empty()) return problem;
      if (config_.users_.count(user) == 0) return "undefined user '" + user + "'";
    }
    return "";
  }

  static std::string read_origin(const Json& json, KbpConfig::Entry& entry) {
    if (!json.is_string()) return "Access-Control-Allow-Origin is no string";
    entry.allow_origin = trimmed(json.get_ref<const std::string&>());
    return entry.allow_origin.empty() || entry.allow_origin == "*" ? ""
                                                                   : "Access-Control-Allow-Origin can only be \"*\"";
  }

  /// Parsed, never used: as the original.
  static std::string check_page(const Json& json) {
    if (!json.is_string()) return "a custom page is no string";
    return json.get_ref<const std::string&>().starts_with("..") ? "invalid path of a custom page" : "";
  }

  KbpConfig& config_;
};

Result<std::shared_ptr<const KbpConfig>> KbpConfig::parse(std::string_view text) {
  const auto wrong = [](std::string message) { return Error{ErrorKind::Host, std::move(message)}; };
  bool is_too_deep = false;
  const auto limit_nesting = [&](int depth, Json::parse_event_t, Json&) {
    is_too_deep = is_too_deep || depth > max_nesting;
    return !is_too_deep;
  };
  const Json json = Json::parse(text, limit_nesting, false);
  if (is_too_deep) return wrong("nested too deeply");
  if (json.is_discarded()) return wrong("not JSON");
  auto config = std::make_shared<KbpConfig>();
  if (std::string problem = KbpConfigReader(*config).read(json); !problem.empty()) return wrong(std::move(problem));
  return std::shared_ptr<const KbpConfig>(std::move(config));
}

KbpConfig::Access KbpConfig::access(std::string_view path, const std::optional<std::string>& user) const {
  std::string ancestor = clean_path(path);
  for (;;) {
    const auto found = entries_.find(ancestor);
    if (found != entries_.end()) {
      const Entry& entry = found->second;
      Permissions allowed = entry.anonymous;
      if (user)
        if (const auto additional = entry.additional.find(*user); additional != entry.additional.end())
          allowed = allowed | additional->second;
      return {allowed, entry.possible, '/' + ancestor, entry.allow_origin};
    }
    if (ancestor.empty()) return {{}, {}, "/", {}};  // nothing is said of the root: nobody may anything
    const std::size_t slash = ancestor.rfind('/');
    ancestor.erase(slash == std::string::npos ? 0 : slash);
  }
}

Authentication KbpConfig::authenticate(const std::string& user, std::string_view password) const {
  const auto found = users_.find(user);
  return found == users_.end() ? Authentication::No : found->second->check(password, *bcrypt_limit_);
}

}  // namespace tfvm::serve
