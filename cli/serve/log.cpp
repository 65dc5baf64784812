// Lines of the log, and the thread that writes them (log.hpp).
#include "cli/serve/log.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace tfvm::serve {
namespace {

constexpr std::size_t max_waiting_bytes = 4u << 20;

std::string time_text() {
  struct ::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof(text) - length, ".%03dZ", static_cast<int>(now.tv_nsec / 1'000'000));
  return text;
}

std::string milliseconds(std::chrono::nanoseconds duration) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.3f", static_cast<double>(duration.count()) * 1e-6);
  return text;
}

std::string or_dash(std::string_view text) { return text.empty() ? "-" : printable(text); }

// A quoted word: what a client sent must not look like the end of it.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : printable(text)) {
    if (c == '"') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string access_text(const AccessEntry& entry) {
  std::string line = time_text();
  line.append(" ").append(or_dash(entry.client)).append(" ").append(or_dash(entry.host)).append(" ");
  line += quoted(std::string(entry.method) + ' ' + std::string(entry.target));
  line.append(" ").append(std::to_string(entry.status)).append(" ").append(std::to_string(entry.bytes));
  line.append(" ").append(milliseconds(entry.duration)).append("ms ").append(or_dash(entry.request_id));
  line.append(" ").append(or_dash(entry.function)).append(" ").append(quoted(entry.user_agent));
  return line + '\n';
}

std::string access_json(const AccessEntry& entry) {
  std::string line = "{\"time\":\"" + time_text() + "\",\"type\":\"access\"";
  const std::pair<const char*, std::string_view> texts[] = {
      {"client", entry.client},        {"method", entry.method},     {"host", entry.host},
      {"target", entry.target},        {"function", entry.function}, {"request_id", entry.request_id},
      {"user_agent", entry.user_agent}};
  for (const auto& [name, value] : texts) line.append(",\"").append(name).append("\":").append(json_string(value));
  line.append(",\"status\":").append(std::to_string(entry.status));
  line.append(",\"bytes\":").append(std::to_string(entry.bytes));
  line.append(",\"milliseconds\":").append(milliseconds(entry.duration));
  return line + "}\n";
}

int open_for_appending(const std::string& file) {
  return ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/// Lines on their way to one descriptor.
struct Channel {
  int file = -1;
  std::string waiting;
  std::uint64_t dropped = 0;
};

class WritingLog final : public Log {
 public:
  WritingLog(Config config, int access_file) : config_(std::move(config)) {
    channels_[access_channel].file = access_file;
    channels_[message_channel].file = STDERR_FILENO;
    writer_ = std::thread([this] { write(); });
  }
  ~WritingLog() override {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    changed_.notify_all();
    writer_.join();
    close_file();
  }

  bool wants_access() const override { return config_.access != "off"; }
  void access(const AccessEntry& entry) override {
    if (wants_access())
      add(access_channel, config_.format == LogFormat::Json ? access_json(entry) : access_text(entry));
  }
  void message(std::string_view text) override {
    if (config_.quiet) return;
    if (config_.format == LogFormat::Json) {
      add(message_channel,
          "{\"time\":\"" + time_text() + "\",\"type\":\"message\",\"text\":" + json_string(text) + "}\n");
      return;
    }
    add(message_channel, time_text() + ' ' + std::string(text) + '\n');
  }
  void guest(std::string_view function, std::string_view kind, std::string_view line) override {
    if (config_.format == LogFormat::Json) {
      add(message_channel, "{\"time\":\"" + time_text() + "\",\"type\":" + json_string(kind) +
                               ",\"function\":" + json_string(function) + ",\"text\":" + json_string(line) + "}\n");
      return;
    }
    add(message_channel,
        time_text() + " [" + printable(function) + "] " + std::string(kind) + ": " + printable(line) + '\n');
  }
  void reopen() override {
    if (config_.access == "-" || config_.access == "off") return;
    const int file = open_for_appending(config_.access);
    if (file < 0) return message("cannot open '" + config_.access + "' again: " + std::strerror(errno));
    const std::lock_guard lock(mutex_);
    new_access_file_ = file;
    changed_.notify_all();
  }
  void flush() override {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return !is_writing_ && channels_[0].waiting.empty() && channels_[1].waiting.empty(); });
  }

 private:
  static constexpr std::size_t access_channel = 0;
  static constexpr std::size_t message_channel = 1;

  void add(std::size_t index, std::string line) {
    const std::lock_guard lock(mutex_);
    Channel& channel = channels_[index];
    if (channel.waiting.size() + line.size() > max_waiting_bytes) {
      ++channel.dropped;
      return;
    }
    const bool was_empty = channel.waiting.empty();
    channel.waiting += line;
    if (was_empty) changed_.notify_one();
  }

  void write() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] {
        return is_ending_ || new_access_file_ >= 0 || !channels_[0].waiting.empty() || !channels_[1].waiting.empty();
      });
      if (new_access_file_ >= 0) {
        close_file();
        channels_[access_channel].file = std::exchange(new_access_file_, -1);
      }
      bool wrote = false;
      is_writing_ = true;
      for (Channel& channel : channels_) {
        if (channel.dropped != 0)
          channel.waiting += "... " + std::to_string(std::exchange(channel.dropped, 0)) + " lines were dropped\n";
        if (channel.waiting.empty()) continue;
        const std::string lines = std::exchange(channel.waiting, {});
        lock.unlock();
        write_all(channel.file, lines);
        lock.lock();
        wrote = true;
      }
      is_writing_ = false;
      idle_.notify_all();
      if (is_ending_ && !wrote) return;
    }
  }

  static void write_all(int file, std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(file, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;  // nobody to tell
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void close_file() {
    int& file = channels_[access_channel].file;
    if (file > STDERR_FILENO) ::close(file);
    file = -1;
  }

  Config config_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::array<Channel, 2> channels_;
  int new_access_file_ = -1;
  bool is_ending_ = false;
  bool is_writing_ = false;
  std::thread writer_;
};

// The length of the UTF-8 sequence at the front; 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0u;
  const bool is_wrong = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return is_wrong ? 0 : length;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      result += "\\ufffd";
    } else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
      result += escape;
    } else {
      if (c == '"' || c == '\\') result += '\\';
      result += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result + '"';
}

Result<std::unique_ptr<Log>> Log::open(Config config) {
  int file = -1;
  if (config.access == "-") {
    file = STDOUT_FILENO;
  } else if (config.access != "off") {
    file = open_for_appending(config.access);
    if (file < 0)
      return Error{ErrorKind::Host, "cannot open access log '" + config.access + "': " + std::strerror(errno)};
  }
  return std::unique_ptr<Log>(std::make_unique<WritingLog>(std::move(config), file));
}

}  // namespace tfvm::serve
