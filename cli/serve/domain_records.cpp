// TXT records to folders: see domain_records.hpp.
#include "cli/serve/domain_records.hpp"

#include <algorithm>
#include <array>

namespace tfvm::serve {

namespace {

constexpr std::string_view record_prefix = "kbp=";
constexpr std::string_view share_prefix = "/keybase/";
constexpr std::array<std::string_view, 2> record_names = {"_keybase_pages.", "_keybasepages."};
constexpr std::size_t max_name_bytes = 255;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// A name of a folder that can be trusted to be one: no control characters, nothing hidden or special.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= max_name_bytes && name.front() != '.' &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f' || c == '\\'; });
}

/// Behind "/keybase/": fills the record's folder and path; false if malformed.
bool read_location(std::string_view text, DomainRecord& record) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view segment = text.substr(begin, end - begin);
    begin = end + 1;
    // the type and the folder must stand where they stand
    if (segments.size() >= 2 && (segment.empty() || segment == ".")) continue;
    if (!is_name(segment)) return false;
    segments.push_back(segment);
  }
  if (segments.size() < 2) return false;
  if (segments[0] != "private" && segments[0] != "public" && segments[0] != "team") return false;
  record.folder = std::string(segments[0]) + '/' + std::string(segments[1]);
  for (std::size_t i = 2; i < segments.size(); ++i) {
    if (i > 2) record.path += '/';
    record.path += segments[i];
  }
  return true;
}

}  // namespace

DomainRecord parse_domain_record(const std::vector<std::string>& texts) {
  DomainRecord record;
  std::string_view value;
  bool has_value = false;
  for (const std::string& text : texts) {
    const std::string_view line = trimmed(text);
    if (!line.starts_with(record_prefix)) continue;
    if (has_value) {
      record.status = DomainRecord::Status::Invalid;
      return record;
    }
    has_value = true;
    value = trimmed(line.substr(record_prefix.size()));
  }
  if (!has_value || value.empty()) {
    record.status = DomainRecord::Status::None;
    return record;
  }
  const bool is_valid = value.starts_with(share_prefix) && read_location(value.substr(share_prefix.size()), record);
  record.status = is_valid ? DomainRecord::Status::Found : DomainRecord::Status::Invalid;
  return record;
}

DomainRecord DomainRecords::look_up(const std::string& host) {
  DomainRecord record;
  record.status = DomainRecord::Status::None;
  for (const std::string_view prefix : record_names) {
    const hostcalls::Resolver::Texts texts = resolver_.texts(std::string(prefix) + host, [] { return false; });
    switch (texts.status) {
      case hostcalls::LookupStatus::Found: return parse_domain_record(texts.texts);
      case hostcalls::LookupStatus::NoSuchName:
      case hostcalls::LookupStatus::NoData:
      case hostcalls::LookupStatus::BadName: break;
      default: record.status = DomainRecord::Status::Failed;
    }
  }
  return record;
}

DomainRecords::Answer DomainRecords::find(const std::string& host) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = entries_.find(host);
    if (found == entries_.end()) break;
    Entry& entry = found->second;
    if (entry.answer && now_() < entry.answer->valid_until) return *entry.answer;
    if (entry.answer) {
      by_age_.erase(entry.age);
      entries_.erase(found);
      break;
    }
    changed_.wait(lock);
  }
  if (lookups_ >= max_lookups) {
    Answer busy{{}, now_()};
    busy.record.status = DomainRecord::Status::Busy;
    return busy;
  }
  ++lookups_;
  entries_[host];
  lock.unlock();
  Answer answer{look_up(host), {}};
  lock.lock();
  --lookups_;
  answer.valid_until = now_() + lifetime;
  if (by_age_.size() >= max_remembered) {
    entries_.erase(by_age_.front());
    by_age_.pop_front();
  }
  Entry& entry = entries_[host];
  entry.answer = answer;
  entry.age = by_age_.insert(by_age_.end(), host);
  changed_.notify_all();
  return answer;
}

}  // namespace tfvm::serve
