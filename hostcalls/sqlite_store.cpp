// The key-value store in a SQLite file. Writers that wait for the disk go together: whoever comes first writes for all
// who came meanwhile, in one transaction. Readers have connections of their own and wait for nobody.
#include <condition_variable>
#include <mutex>
#include <vector>

#include "hostcalls/key_value_write.hpp"
#include "hostcalls/sqlite_connection.hpp"
#include "vm/interrupt.hpp"

namespace tfvm::hostcalls {
namespace {

class SqliteStore final : public WriteByModeStore {
 public:
  SqliteStore(std::string path, std::unique_ptr<SqliteConnection> writer)
      : path_(std::move(path)), writer_(std::move(writer)) {}

  Result<std::optional<std::string>> get(std::string_view space, std::string_view key) override {
    const InterruptGuard guard;  // SQLite's system calls are not to fail because a guest's time is up
    Result<std::unique_ptr<SqliteConnection>> reader = take_reader();
    if (!reader) return reader.error();
    Result<std::optional<std::string>> value = (*reader)->get(space, key);
    give_reader(std::move(*reader));
    return value;
  }

  Result<bool> remove(std::string_view space, std::string_view key) override {
    Write write{Write::Remove, WriteMode::Put, space, key, {}, nullptr};
    return submit(write);
  }

 private:
  /// One call's write. Lives on its caller's stack until it is done.
  struct Write {
    enum Kind : std::uint8_t { Set, Remove };
    Kind kind;
    WriteMode mode;
    std::string_view space, key, value;
    const KeyValueLimits* limits;
    Result<bool> result = false;
    bool is_done = false;
  };

  Result<bool> write(WriteMode mode, std::string_view space, std::string_view key, std::string_view value,
                     const KeyValueLimits& limits) override {
    if (const Result<Done> fits = check_sizes(key, value, limits); !fits) return fits.error();
    Write write{Write::Set, mode, space, key, value, &limits};
    return submit(write);
  }

  Result<bool> submit(Write& write) {
    const InterruptGuard guard;
    std::unique_lock lock(mutex_);
    queue_.push_back(&write);
    changed_.wait(lock, [&] { return write.is_done || !is_writing_; });
    if (!write.is_done) {
      is_writing_ = true;
      const std::vector<Write*> group = std::exchange(queue_, {});
      lock.unlock();
      write_all(group);
      lock.lock();
      for (Write* done : group) done->is_done = true;
      is_writing_ = false;
      changed_.notify_all();
    }
    return std::move(write.result);
  }

  /// In one transaction; if that fails, in one for each, so that nobody suffers from another's damaged page.
  void write_all(const std::vector<Write*>& group) {
    Result<Done> done = writer_->begin();
    const bool has_begun = done.ok();
    for (auto next = group.begin(); done && next != group.end(); ++next) done = apply(**next);
    if (done) done = writer_->commit();
    if (done) return;
    writer_->roll_back();
    for (Write* write : group) {
      if (has_begun && group.size() > 1) write_all({write});
      else write->result = done.error();
    }
  }

  /// Sets the write's result. Error: what spoils the transaction; a limit does not.
  Result<Done> apply(Write& write) {
    EntrySizes before;
    const Result<std::optional<std::uint64_t>> value_bytes = writer_->value_bytes(write.space, write.key);
    if (!value_bytes) return value_bytes.error();
    before.value_bytes = *value_bytes;
    const Result<std::uint64_t> namespace_bytes = writer_->namespace_bytes(write.space);
    if (!namespace_bytes) return namespace_bytes.error();
    before.namespace_bytes = *namespace_bytes;
    return write.kind == Write::Remove ? apply_remove(write, before) : apply_set(write, before);
  }

  Result<Done> apply_remove(Write& write, const EntrySizes& before) {
    write.result = before.value_bytes.has_value();
    if (!before.value_bytes) return Done{};
    if (const Result<Done> done = writer_->remove(write.space, write.key); !done) return done.error();
    const std::uint64_t removed = write.key.size() + *before.value_bytes;
    return writer_->set_namespace_bytes(write.space, bytes_without(before.namespace_bytes, removed));
  }

  Result<Done> apply_set(Write& write, const EntrySizes& before) {
    write.result = !before.value_bytes.has_value();
    if (write.mode == WriteMode::PutIfAbsent && before.value_bytes) return Done{};
    const Result<std::uint64_t> after =
        namespace_bytes_after(write.mode, before, write.key, write.value, *write.limits);
    if (!after) {
      write.result = after.error();
      return Done{};
    }
    std::string whole;
    std::string_view value = write.value;
    if (write.mode == WriteMode::Append && before.value_bytes) {
      Result<std::optional<std::string>> old = writer_->get(write.space, write.key);
      if (!old) return old.error();
      whole = old->value_or("");
      value = whole.append(write.value);
    }
    if (const Result<Done> done = writer_->set(write.space, write.key, value); !done) return done.error();
    if (*after == before.namespace_bytes && before.value_bytes) return Done{};
    return writer_->set_namespace_bytes(write.space, *after);
  }

  Result<std::unique_ptr<SqliteConnection>> take_reader() {
    {
      const std::lock_guard lock(readers_mutex_);
      if (!readers_.empty()) {
        std::unique_ptr<SqliteConnection> reader = std::move(readers_.back());
        readers_.pop_back();
        return reader;
      }
    }
    return SqliteConnection::open(path_);
  }

  void give_reader(std::unique_ptr<SqliteConnection> reader) {
    const std::lock_guard lock(readers_mutex_);
    if (readers_.size() < max_idle_readers) readers_.push_back(std::move(reader));
  }

  static constexpr std::size_t max_idle_readers = 8;

  const std::string path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Write*> queue_;                 ///< not begun
  bool is_writing_ = false;                   ///< a thread uses writer_
  std::unique_ptr<SqliteConnection> writer_;  ///< of the thread that set is_writing_
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
};

}  // namespace

Result<std::unique_ptr<KeyValueStore>> open_sqlite_store(const std::string& path) {
  Result<std::unique_ptr<SqliteConnection>> writer = SqliteConnection::open(path);
  if (!writer) return writer.error();
  return std::unique_ptr<KeyValueStore>(std::make_unique<SqliteStore>(path, std::move(*writer)));
}

}  // namespace tfvm::hostcalls
