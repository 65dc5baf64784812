// Which folder a domain's owner names: TXT records as Keybase Pages reads them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hostcalls/resolver.hpp"

namespace tfvm::serve {

/// What the records of a domain say.
struct DomainRecord {
  enum class Status : std::uint8_t {
    Found,
    None,     ///< no record names a folder
    Invalid,  ///< several do, or one that is malformed or a git repository
    Failed,   ///< DNS gave no answer
    Busy,     ///< too many lookups at once
  };
  Status status = Status::Failed;
  std::string folder;  ///< "private/alice,kbwasm", below the share root
  std::string path;    ///< below the folder: "sub", "a/b" or ""
};

/// The record that the texts of one name make together: exactly one must begin with "kbp=" (blanks around it do not
/// count), and say /keybase/(private|public|team)/FOLDER[/PATH].
DomainRecord parse_domain_record(const std::vector<std::string>& texts);

/// Looks records up and remembers them for a while. Thread-safe.
class DomainRecords {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds lifetime{10};  ///< whatever the record's own may be
  static constexpr std::size_t max_remembered = 10'000;
  static constexpr unsigned max_lookups = 16;  ///< at once; a domain is asked for once at a time

  /// `resolver` is borrowed.
  explicit DomainRecords(hostcalls::Resolver& resolver, std::function<Time()> now = std::chrono::steady_clock::now)
      : resolver_(resolver), now_(std::move(now)) {}

  /// `host` in normal form. TXT of _keybase_pages.HOST, and of _keybasepages.HOST if that lookup fails. May block.
  struct Answer {
    DomainRecord record;
    Time valid_until;
  };
  Answer find(const std::string& host);

 private:
  struct Entry {
    std::optional<Answer> answer;  ///< none: being looked up
    std::list<std::string>::iterator age;
  };
  DomainRecord look_up(const std::string& host);

  hostcalls::Resolver& resolver_;
  const std::function<Time()> now_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Entry> entries_;
  std::list<std::string> by_age_;  ///< of the answers, the oldest first
  unsigned lookups_ = 0;
};

}  // namespace tfvm::serve
