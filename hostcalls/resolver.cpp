// Resolver over our own queries: servers in turn, the hosts file, aliases, a small cache of addresses. Texts are asked
// for anew each time: those who use them have rules of their own on how long.
#include "hostcalls/resolver.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>

#include "hostcalls/dns_message.hpp"
#include "hostcalls/dns_transport.hpp"
#include "hostcalls/hosts_file.hpp"
#include "hostcalls/outbound_policy.hpp"

namespace tfvm::hostcalls {
namespace {

using dns::Time;

constexpr unsigned max_aliases = 16;   // of one name, over all answers
constexpr unsigned max_questions = 4;  // for one name: servers that give an alias without what it leads to
constexpr std::size_t max_records = 256;
constexpr std::chrono::seconds max_cache_time{300}, negative_cache_time{5};
constexpr std::size_t max_cache_entries = 4'096;
constexpr std::size_t max_servers = 8;

std::string normalized(std::string_view name) {
  std::string lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::vector<Address> of_family(const std::vector<Address>& all, bool v6) {
  std::vector<Address> some;
  std::copy_if(all.begin(), all.end(), std::back_inserter(some), [&](const Address& a) { return a.is_v6 == v6; });
  return some;
}

/// The addresses of names, for as long as their owners said, within bounds.
class Cache {
 public:
  std::optional<Resolver::Addresses> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.expiry <= std::chrono::steady_clock::now()) return std::nullopt;
    return found->second.addresses;
  }

  void put(const std::string& key, const Resolver::Addresses& addresses, std::chrono::seconds lifetime) {
    if (lifetime <= std::chrono::seconds::zero()) return;
    const std::lock_guard lock(mutex_);
    const Time now = std::chrono::steady_clock::now();
    if (entries_.size() >= max_cache_entries) {
      std::erase_if(entries_, [&](const auto& entry) { return entry.second.expiry <= now; });
      if (entries_.size() >= max_cache_entries) entries_.clear();
    }
    entries_.insert_or_assign(key, Entry{addresses, now + lifetime});
  }

 private:
  struct Entry {
    Resolver::Addresses addresses;
    Time expiry;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

class DnsResolver final : public Resolver {
 public:
  DnsResolver(const ResolverConfig& config, std::vector<dns::Server> servers)
      : servers_(std::move(servers)), timeout_(config.timeout), tries_(config.tries), hosts_(config.hosts_file) {}

  Addresses addresses(std::string_view name, bool v6, const IsCancelled& is_cancelled) override {
    if (const std::optional<Address> literal = Address::parse(name)) return from_list({*literal}, v6);
    if (!is_host_name(name)) return {LookupStatus::BadName, {}};
    const std::string lower = normalized(name);
    if (const std::optional<std::vector<Address>> listed = hosts_.find(lower)) return from_list(*listed, v6);
    if (lower == "localhost" || lower.ends_with(".localhost")) {  // RFC 6761, section 6.3: never asked for
      return from_list({*Address::parse("127.0.0.1"), *Address::parse("::1")}, v6);
    }
    const std::string key = (v6 ? "6" : "4") + lower;
    if (std::optional<Addresses> known = cache_.find(key)) return *known;
    return ask_for_addresses(key, lower, v6, is_cancelled);
  }

  Texts texts(std::string_view name, const IsCancelled& is_cancelled) override {
    if (!is_host_name(name)) return {LookupStatus::BadName, {}};
    const Records found = records(dns::encode_name(name), dns::Type::Txt, is_cancelled);
    Texts result{found.status, {}};
    for (const dns::Record& record : found.records) {
      if (std::optional<std::string> text = dns::join_text(record.data)) result.texts.push_back(std::move(*text));
    }
    if (result.status == LookupStatus::Found && result.texts.empty()) result.status = LookupStatus::NoData;
    return result;
  }

  Message query(std::string_view message, const IsCancelled& is_cancelled) override {
    if (!dns::is_plain_query(message)) return {LookupStatus::BadName, {}};
    return ask(std::string(message), deadline(), is_cancelled, false);
  }

 private:
  struct Records {
    LookupStatus status = LookupStatus::ServerFailed;
    std::vector<dns::Record> records;  ///< of the wanted type
    std::uint32_t time_to_live = 0;    ///< the least of all that led to them
  };

  static Addresses from_list(const std::vector<Address>& all, bool v6) {
    Addresses result{LookupStatus::Found, of_family(all, v6)};
    if (result.addresses.empty()) result.status = LookupStatus::NoData;
    return result;
  }

  Addresses ask_for_addresses(const std::string& key, std::string_view name, bool v6, const IsCancelled& is_cancelled) {
    const Records found = records(dns::encode_name(name), v6 ? dns::Type::Aaaa : dns::Type::A, is_cancelled);
    Addresses result{found.status, {}};
    for (const dns::Record& record : found.records) {
      if (record.data.size() != (v6 ? 16 : 4)) continue;
      Address address;
      address.is_v6 = v6;
      std::copy(record.data.begin(), record.data.end(), address.bytes.begin());
      result.addresses.push_back(address);
    }
    if (result.status == LookupStatus::Found && result.addresses.empty()) result.status = LookupStatus::NoData;
    if (result.status == LookupStatus::Found) {
      cache_.put(key, result, std::min(max_cache_time, std::chrono::seconds(found.time_to_live)));
    } else if (result.status == LookupStatus::NoData || result.status == LookupStatus::NoSuchName) {
      cache_.put(key, result, negative_cache_time);
    }
    return result;
  }

  Time deadline() const { return std::chrono::steady_clock::now() + timeout_ * tries_; }

  /// The records of a name, aliases followed through one answer and, if it stops short, through further questions.
  Records records(dns::WireName name, dns::Type type, const IsCancelled& is_cancelled) {
    const Time end = deadline();
    Records result;
    result.time_to_live = UINT32_MAX;
    unsigned aliases = 0;
    for (unsigned question = 0; question < max_questions; ++question) {
      const Message message = ask(dns::make_query(name, type), end, is_cancelled, true);
      if (message.status != LookupStatus::Found) return {message.status, {}, 0};
      const std::optional<dns::Answer> answer = dns::read_answer(message.bytes);
      if (!answer) return {};
      bool is_alias = false;
      while (const dns::Record* alias = find_record(*answer, name, dns::Type::Cname)) {
        if (++aliases > max_aliases) return {};
        result.time_to_live = std::min(result.time_to_live, alias->time_to_live);
        name = alias->data;
        is_alias = true;
      }
      if (answer->code == dns::ResponseCode::NameError) return {LookupStatus::NoSuchName, {}, 0};
      collect(*answer, name, type, result);
      if (!result.records.empty()) {
        result.status = LookupStatus::Found;
        return result;
      }
      if (!is_alias) return {LookupStatus::NoData, {}, 0};
    }
    return {};
  }

  static const dns::Record* find_record(const dns::Answer& answer, const dns::WireName& name, dns::Type type) {
    const auto found = std::find_if(answer.records.begin(), answer.records.end(), [&](const dns::Record& record) {
      return record.type == static_cast<std::uint16_t>(type) && record.name == name;
    });
    return found == answer.records.end() ? nullptr : &*found;
  }

  static void collect(const dns::Answer& answer, const dns::WireName& name, dns::Type type, Records& result) {
    for (const dns::Record& record : answer.records) {
      if (record.type != static_cast<std::uint16_t>(type) || record.name != name) continue;
      if (result.records.size() == max_records) return;
      result.records.push_back(record);
      result.time_to_live = std::min(result.time_to_live, record.time_to_live);
    }
  }

  /// Asks one server after another. With `wants_knowledge`, what a server says that cannot answer does not count.
  Message ask(const std::string& query, Time end, const IsCancelled& is_cancelled, bool wants_knowledge) {
    Message last{LookupStatus::TimedOut, {}};
    for (unsigned round = 0; round < tries_; ++round) {
      for (const dns::Server& server : servers_) {
        const Time now = std::chrono::steady_clock::now();
        if (now >= end) return last;
        Message message = dns::exchange(server, query, std::min(end, now + timeout_), is_cancelled);
        if (message.status == LookupStatus::Cancelled) return message;
        if (message.status == LookupStatus::Found && (!wants_knowledge || is_knowledge(message.bytes))) return message;
        last.status = message.status == LookupStatus::Found ? LookupStatus::ServerFailed : message.status;
      }
    }
    return last;
  }

  static bool is_knowledge(std::string_view message) {
    const std::optional<dns::Answer> answer = dns::read_answer(message);
    return answer && (answer->code == dns::ResponseCode::NoError || answer->code == dns::ResponseCode::NameError);
  }

  const std::vector<dns::Server> servers_;
  const std::chrono::milliseconds timeout_;
  const unsigned tries_;
  HostsFile hosts_;
  Cache cache_;
};

/// "address", "v4:port" or "[v6]:port".
std::optional<dns::Server> parse_server(std::string_view text) {
  if (const std::optional<Address> address = Address::parse(text)) return dns::Server{*address};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  std::string_view host = text.substr(0, colon);
  const bool has_brackets = host.starts_with('[') && host.ends_with(']');
  if (has_brackets) host = host.substr(1, host.size() - 2);
  const std::optional<Address> address = Address::parse(host);
  dns::Server server;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
  if (error != std::errc{} || end != port.data() + port.size() || server.port == 0) return std::nullopt;
  if (!address || address->is_v6 != has_brackets) return std::nullopt;
  server.address = *address;
  return server;
}

/// The servers of resolv.conf(5); those with a zone ("fe80::1%eth0") are left out.
std::vector<dns::Server> system_servers() {
  std::vector<dns::Server> servers;
  std::ifstream file("/etc/resolv.conf");
  std::string line;
  while (servers.size() < max_servers && std::getline(file, line)) {
    std::istringstream words(line);
    std::string keyword, text;
    if (!(words >> keyword >> text) || keyword != "nameserver") continue;
    if (const std::optional<Address> address = Address::parse(text)) servers.push_back({*address});
  }
  return servers;
}

}  // namespace

Result<std::unique_ptr<Resolver>> make_resolver(ResolverConfig config) {
  std::vector<dns::Server> servers;
  for (const std::string& text : config.servers) {
    const std::optional<dns::Server> server = parse_server(text);
    if (!server)
      return Error{ErrorKind::Host, "DNS server '" + printable(text) + "': neither address nor address:port"};
    servers.push_back(*server);
  }
  if (config.servers.empty()) servers = system_servers();
  if (servers.empty()) return Error{ErrorKind::Host, "no DNS server is named, neither here nor in /etc/resolv.conf"};
  return std::unique_ptr<Resolver>(std::make_unique<DnsResolver>(config, std::move(servers)));
}

}  // namespace tfvm::hostcalls
