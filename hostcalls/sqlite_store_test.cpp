// The SQLite store: what it survives (kill -9, damage, other users of the file) and how it says what it does not.
#include <fstream>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "hostcalls/key_value_store.hpp"
#include "hostcalls/test_process.hpp"

namespace tfvm::hostcalls {
namespace {

using test::TemporaryFolder;

constexpr KeyValueLimits limits;

std::unique_ptr<KeyValueStore> open(const std::string& path) {
  Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(path);
  EXPECT_TRUE(store.ok()) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string key_of(std::uint32_t number) { return "key" + std::to_string(number); }
std::string value_of(std::uint32_t number) {
  return std::string(number * 37 % 3'000, static_cast<char>('a' + number % 26));
}

/// Writes until it is killed; each acknowledged number goes to the pipe.
[[noreturn]] void write_forever(const std::string& path, std::uint32_t first, int acknowledgements) {
  Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(path);
  if (!store) ::_exit(1);
  for (std::uint32_t number = first;; ++number) {
    if (!(*store)->put("s", key_of(number), value_of(number), limits)) ::_exit(2);
    if (!(*store)->append("s", "log", "x", limits)) ::_exit(3);
    if (::write(acknowledgements, &number, sizeof(number)) != sizeof(number)) ::_exit(4);
  }
}

TEST(SqliteStore, KeepsEveryAcknowledgedWriteThroughKills) {
  const TemporaryFolder folder;
  const std::string path = folder / "data.sqlite";
  constexpr int rounds = 60;
  std::uint32_t next = 0;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) write_forever(path, next, ends[1]);
    ::close(ends[1]);
    // Killed after another number of writes in each round, in the middle of the next one.
    std::uint32_t acknowledged = 0, count = 0;
    const auto wanted = static_cast<std::uint32_t>(round * 7 % 23);
    while (count < wanted && ::read(ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) ++count;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &acknowledged, sizeof(acknowledged)) == sizeof(acknowledged)) ++count;
    ::close(ends[0]);
    ASSERT_GE(count, wanted);

    const std::unique_ptr<KeyValueStore> store = open(path);
    ASSERT_NE(store, nullptr);
    for (std::uint32_t number = next; number < next + count; ++number) {
      ASSERT_EQ(store->get("s", key_of(number)).value(), value_of(number)) << "round " << round;
    }
    next += count;
    const Result<std::optional<std::string>> log = store->get("s", "log");
    ASSERT_TRUE(log.ok());
    ASSERT_GE(log->value_or("").size(), next);  // and up to one write per round that was not acknowledged any more
    ASSERT_LE(log->value_or("").size(), next + static_cast<std::uint32_t>(round) + 1);
  }
  const std::unique_ptr<KeyValueStore> store = open(path);
  for (std::uint32_t number = 0; number < next; ++number) {
    ASSERT_EQ(store->get("s", key_of(number)).value(), value_of(number));
  }
}

TEST(SqliteStore, IsThereAfterReopening) {
  const TemporaryFolder folder;
  ASSERT_TRUE(open(folder / "d")->put("s", "k", "v", limits).value());
  const std::unique_ptr<KeyValueStore> store = open(folder / "d");
  EXPECT_EQ(store->get("s", "k").value(), "v");
  EXPECT_FALSE(store->put_if_absent("s", "k", "w", limits).value());
  // The account of the namespace is kept too: 2 bytes are there.
  EXPECT_FALSE(store->put("s", "x", "v", {.max_namespace_bytes = 3}).ok());
  EXPECT_TRUE(store->put("s", "x", "v", {.max_namespace_bytes = 4}).ok());
}

TEST(SqliteStore, MakesAFileForItsOwnerOnly) {
  const TemporaryFolder folder;
  const std::unique_ptr<KeyValueStore> store = open(folder / "d");
  ASSERT_TRUE(store->put("s", "k", "v", limits).ok());
  for (const char* name : {"d", "d-wal", "d-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((folder / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 3);
}

TEST(SqliteStore, TakesAnyFileName) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (const char* name : {":memory:", "file:x?mode=memory", "a b%20'\"", "-x"}) {
    const std::unique_ptr<KeyValueStore> store = open(name);
    ASSERT_NE(store, nullptr) << name;
    EXPECT_TRUE(store->put("s", "k", "v", limits).ok());
    EXPECT_TRUE(std::filesystem::exists(name)) << name;
  }
  std::filesystem::current_path(before);
}

TEST(SqliteStore, SaysWhyItCannotBeOpened) {
  const TemporaryFolder folder;
  write_file(folder / "text", std::string(10'000, 'x'));
  write_file(folder / "header", "SQLite format 3" + std::string(10'000, '\0'));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "other").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "PRAGMA user_version = 77", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  ASSERT_EQ(sqlite3_open((folder / "views").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other,
                         "CREATE VIEW entries AS SELECT 1 AS space, 2 AS key, randomblob(1000000000) AS value;"
                         "CREATE TABLE spaces(space BLOB, bytes INTEGER); PRAGMA user_version = 1",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  for (const std::string& path : {folder / "text", folder / "header", folder / "other", folder / "views", folder.path(),
                                  folder / "no/such/folder", std::string()}) {
    const Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(path);
    ASSERT_FALSE(store.ok()) << path;
    EXPECT_EQ(store.error().kind, ErrorKind::Host);
    EXPECT_FALSE(store.error().message.empty());
  }
}

TEST(SqliteStore, DamageGivesErrorsAndNoCrash) {
  const TemporaryFolder folder;
  const std::string path = folder / "d";
  {
    const std::unique_ptr<KeyValueStore> store = open(path);
    for (std::uint32_t i = 0; i < 200; ++i) ASSERT_TRUE(store->put("s", key_of(i), value_of(i), limits).ok());
  }  // closing moves the log into the file
  const std::string whole = read_file(path);
  ASSERT_GT(whole.size(), 100'000u);
  int errors = 0;
  for (std::size_t round = 0; round < 30; ++round) {
    std::string damaged = whole;
    if (round % 3 == 0) {
      damaged.resize(whole.size() * (round + 1) / 31);
    } else {
      const std::size_t begin = whole.size() * round / 30;
      for (std::size_t i = begin; i < std::min(begin + 3'000, damaged.size()); ++i) {
        damaged[i] = static_cast<char>(round % 3 == 1 ? 0xff : static_cast<unsigned char>(damaged[i]) ^ (i * 7));
      }
    }
    write_file(path, damaged);
    const Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(path);
    if (!store) {
      ++errors;
      continue;
    }
    for (std::uint32_t i = 0; i < 200; i += 20) {
      errors += !(*store)->get("s", key_of(i)).ok();
      errors += !(*store)->append("s", key_of(i), "x", limits).ok();
      errors += !(*store)->remove("s", key_of(i)).ok();
    }
  }
  EXPECT_GT(errors, 20);
}

TEST(SqliteStore, ALockedFileIsAnErrorForWritersOnly) {
  const TemporaryFolder folder;
  const std::unique_ptr<KeyValueStore> store = open(folder / "d");
  ASSERT_TRUE(store->put("s", "k", "v", limits).ok());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "d").c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const Result<bool> put = store->put("s", "k", "w", limits);
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().kind, ErrorKind::Host);
  EXPECT_EQ(store->get("s", "k").value(), "v");
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_FALSE(store->put("s", "k", "w", limits).value());
  EXPECT_EQ(store->get("s", "k").value(), "w");
}

TEST(SqliteStore, ManyProcessesMayMakeTheFileTogether) {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    std::vector<pid_t> children;
    for (char name : {'a', 'b', 'c', 'd'}) {
      children.push_back(::fork());
      if (children.back() != 0) continue;
      const Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(folder / "d");
      ::_exit(store && (*store)->append("s", "k", std::string(1, name), limits) ? 0 : 1);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    EXPECT_EQ(open(folder / "d")->get("s", "k").value().value_or("").size(), 4u);
  }
}

}  // namespace
}  // namespace tfvm::hostcalls
