// The semantics of the key-value store, the same for all three: tables of calls, bounds, threads, processes.
#include "hostcalls/key_value_store.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <vector>

#include "hostcalls/test_process.hpp"
#include "hostcalls/test_redis_server.hpp"

namespace tfvm::hostcalls {
namespace {

using test::RedisServer;
using test::TemporaryFolder;

/// Where a store is: open() gives one more view of the same data.
struct MemoryBackend {
  std::unique_ptr<KeyValueStore> open() { return make_memory_store(); }
};

struct SqliteBackend {
  TemporaryFolder folder;
  std::unique_ptr<KeyValueStore> open() {
    Result<std::unique_ptr<KeyValueStore>> store = open_sqlite_store(folder / "data.sqlite");
    return store ? std::move(*store) : nullptr;
  }
};

struct RedisBackend {
  RedisServer server;
  std::unique_ptr<KeyValueStore> open() {
    Result<std::unique_ptr<KeyValueStore>> store = open_redis_store(server.url());
    return store ? std::move(*store) : nullptr;
  }
};

template <class Backend>
class KeyValueStoreOf : public testing::Test {
 protected:
  void SetUp() override {
    opened = backend.open();
    ASSERT_NE(opened, nullptr);
  }

  std::string get(std::string_view space, std::string_view key) {
    const Result<std::optional<std::string>> value = opened->get(space, key);
    if (!value) return "error: " + value.error().message;
    return *value ? "=" + **value : "absent";
  }
  bool put(std::string_view key, std::string_view value) { return yes(opened->put("s", key, value, limits)); }
  bool append(std::string_view key, std::string_view value) { return yes(opened->append("s", key, value, limits)); }
  static bool yes(const Result<bool>& result) {
    EXPECT_TRUE(result.ok()) << result.error().message;
    return result && *result;
  }
  static bool is_beyond_limit(const Result<bool>& result) { return !result && result.error().kind == ErrorKind::Limit; }

  Backend backend;
  std::unique_ptr<KeyValueStore> opened;
  KeyValueLimits limits;
};

using Backends = testing::Types<MemoryBackend, SqliteBackend, RedisBackend>;
class BackendNames {
 public:
  template <class Backend>
  static std::string GetName(int index) {
    constexpr const char* names[] = {"Memory", "Sqlite", "Redis"};
    return names[index];
  }
};
TYPED_TEST_SUITE(KeyValueStoreOf, Backends, BackendNames);

TYPED_TEST(KeyValueStoreOf, DoesWhatTheHostcallsSay) {
  enum Call : std::uint8_t { Put, PutIfAbsent, Append, Remove };
  struct Step {
    Call call;
    std::string_view key, value;
    bool result;
    std::string_view after;
  };
  using namespace std::string_view_literals;
  const Step steps[] = {
      {Remove, "a", "", false, "absent"},
      {Put, "a", "1", true, "=1"},
      {Put, "a", "2", false, "=2"},
      {PutIfAbsent, "a", "3", false, "=2"},
      {Append, "a", "4", false, "=24"},
      {Append, "a", "", false, "=24"},
      {Remove, "a", "", true, "absent"},
      {Remove, "a", "", false, "absent"},
      {PutIfAbsent, "a", "5", true, "=5"},
      {PutIfAbsent, "a", "6", false, "=5"},
      {Append, "b", "7", true, "=7"},
      {Append, "b", "8", false, "=78"},
      {Put, "e", "", true, "="},  // present and empty
      {PutIfAbsent, "e", "x", false, "="},
      {Append, "e", "y", false, "=y"},
      {Append, "e2", "", true, "="},
      {PutIfAbsent, "e3", "", true, "="},
      {Put, "", "empty key", true, "=empty key"},
      {Remove, "", "", true, "absent"},
      {Put, "a\0b"sv, "v\0\xff\r\n$-1"sv, true, "=v\0\xff\r\n$-1"sv},
      {Append, "a\0b"sv, "\0"sv, false, "=v\0\xff\r\n$-1\0"sv},
      {Put, "a\0c"sv, "other", true, "=other"},
      {Put, "\xff\xfe", "not UTF-8", true, "=not UTF-8"},
      {Put, "A", "case counts", true, "=case counts"},
  };
  int number = 0;
  for (const Step& step : steps) {
    Result<bool> result = false;
    switch (step.call) {
      case Put: result = this->opened->put("s", step.key, step.value, this->limits); break;
      case PutIfAbsent: result = this->opened->put_if_absent("s", step.key, step.value, this->limits); break;
      case Append: result = this->opened->append("s", step.key, step.value, this->limits); break;
      case Remove: result = this->opened->remove("s", step.key); break;
    }
    EXPECT_EQ(this->yes(result), step.result) << "step " << number;
    EXPECT_EQ(this->get("s", step.key), step.after) << "step " << number;
    ++number;
  }
}

TYPED_TEST(KeyValueStoreOf, NamespacesAreSeparate) {
  using namespace std::string_view_literals;
  const std::string_view spaces[] = {
      "", "a", "b", "a}b", "{", "}", "a b", "a\0"sv, "a\r\n", "\xff", "example.com/hello.wasm"};
  for (const std::string_view space : spaces) {
    EXPECT_EQ(this->get(space, "k"), "absent");
    EXPECT_TRUE(this->yes(this->opened->put(space, "k", space, this->limits)));
  }
  for (const std::string_view space : spaces) EXPECT_EQ(this->get(space, "k"), "=" + std::string(space));
  EXPECT_TRUE(this->yes(this->opened->remove("a", "k")));
  EXPECT_EQ(this->get("a", "k"), "absent");
  EXPECT_EQ(this->get("b", "k"), "=b");
}

TYPED_TEST(KeyValueStoreOf, BoundsSizes) {
  this->limits = {.max_key_bytes = 4, .max_value_bytes = 10, .max_namespace_bytes = 30};
  KeyValueStore& store = *this->opened;
  EXPECT_TRUE(this->put("1234", "0123456789"));
  EXPECT_TRUE(this->is_beyond_limit(store.put("s", "12345", "", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.put_if_absent("s", "12345", "", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.append("s", "12345", "", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.put("s", "1", "01234567890", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.append("s", "1234", "0", this->limits)));
  EXPECT_EQ(this->get("s", "1234"), "=0123456789");
  EXPECT_EQ(this->get("s", "1"), "absent");
  EXPECT_EQ(this->get("s", "12345"), "absent");  // no error
  EXPECT_FALSE(this->yes(store.remove("s", "12345")));
}

TYPED_TEST(KeyValueStoreOf, AccountsForNamespaces) {
  this->limits = {.max_key_bytes = 10, .max_value_bytes = 100, .max_namespace_bytes = 30};
  KeyValueStore& store = *this->opened;
  EXPECT_TRUE(this->put("aa", "12345678"));     // 10
  EXPECT_TRUE(this->append("bb", "12345678"));  // 20
  EXPECT_FALSE(this->put("aa", "1234"));        // 16
  EXPECT_FALSE(this->append("aa", "5678"));     // 20
  EXPECT_TRUE(this->is_beyond_limit(store.put("s", "ccc", "12345678", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.append("s", "aa", "12345678901", this->limits)));
  EXPECT_TRUE(this->is_beyond_limit(store.put_if_absent("s", "ccc", "12345678", this->limits)));
  EXPECT_EQ(this->get("s", "ccc"), "absent");
  EXPECT_EQ(this->get("s", "aa"), "=12345678");
  EXPECT_TRUE(this->put("cc", "12345678"));  // 30: exactly
  EXPECT_TRUE(this->is_beyond_limit(store.put("s", "d", "", this->limits)));
  EXPECT_FALSE(this->yes(store.put_if_absent("s", "cc", "123456789012345678901234567890", this->limits)));
  EXPECT_TRUE(this->yes(store.put("other", "cc", "12345678", this->limits)));
  // A bound that is lowered later: what there is can be read, replaced by nothing larger, and removed.
  this->limits.max_namespace_bytes = 5;
  EXPECT_EQ(this->get("s", "cc"), "=12345678");
  EXPECT_FALSE(this->put("cc", "abcdefgh"));
  EXPECT_FALSE(this->put("cc", "abc"));  // 25
  EXPECT_TRUE(this->is_beyond_limit(store.put("s", "cc", "abcd", this->limits)));
  EXPECT_TRUE(this->yes(store.remove("s", "aa")));
  EXPECT_TRUE(this->yes(store.remove("s", "bb")));
  EXPECT_TRUE(this->yes(store.remove("s", "cc")));
  EXPECT_TRUE(this->put("a", "1234"));  // 5: the account is even after all that
  EXPECT_TRUE(this->is_beyond_limit(store.append("s", "a", "5", this->limits)));
}

TYPED_TEST(KeyValueStoreOf, TakesLargeValues) {
  std::string large(1u << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  EXPECT_TRUE(this->put("k", large));
  EXPECT_EQ(this->get("s", "k"), "=" + large);
  EXPECT_TRUE(this->is_beyond_limit(this->opened->append("s", "k", "x", this->limits)));
  EXPECT_FALSE(this->put("k", large.substr(1)));
  EXPECT_FALSE(this->append("k", "x"));
  EXPECT_EQ(this->get("s", "k"), "=" + large.substr(1) + "x");
}

template <class Body>
void in_threads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TYPED_TEST(KeyValueStoreOf, IsAtomicAcrossThreads) {
  constexpr int thread_count = 6, rounds = 40;
  std::vector<std::set<int>> won(thread_count);
  in_threads(thread_count, [&](int thread) {
    for (int round = 0; round < rounds; ++round) {
      const Result<bool> mine = this->opened->put_if_absent("s", "claim" + std::to_string(round), "x", this->limits);
      if (mine && *mine) won[static_cast<std::size_t>(thread)].insert(round);
      EXPECT_TRUE(this->opened->append("s", "log", std::string(1, static_cast<char>('a' + thread)), this->limits).ok());
      EXPECT_TRUE(this->opened->get("s", "log").ok());
    }
  });
  std::size_t claims = 0;
  std::set<int> all;
  for (const std::set<int>& rounds_won : won) {
    claims += rounds_won.size();
    all.insert(rounds_won.begin(), rounds_won.end());
  }
  EXPECT_EQ(claims, static_cast<std::size_t>(rounds));  // each won once
  EXPECT_EQ(all.size(), static_cast<std::size_t>(rounds));
  const std::string log = this->get("s", "log");
  EXPECT_EQ(log.size(), 1u + thread_count * rounds);
  for (int thread = 0; thread < thread_count; ++thread) {
    EXPECT_EQ(std::count(log.begin(), log.end(), 'a' + thread), rounds);
  }
}

TYPED_TEST(KeyValueStoreOf, KeepsBoundsAcrossThreads) {
  this->limits.max_namespace_bytes = 100;
  in_threads(4, [&](int thread) {
    for (int i = 0; i < 20; ++i) {
      const Result<bool> put =
          this->opened->put("s", std::to_string(thread) + std::to_string(i), "12345678", this->limits);
      EXPECT_TRUE(put.ok() || put.error().kind == ErrorKind::Limit);
    }
  });
  int present = 0;
  for (int thread = 0; thread < 4; ++thread) {
    for (int i = 0; i < 20; ++i) present += this->get("s", std::to_string(thread) + std::to_string(i)) != "absent";
  }
  EXPECT_GE(present, 9);  // of 10 to 11 bytes each
  EXPECT_LE(present, 10);
}

// ---- Processes
// --------------------------------------------------------------------------------------------------------

template <class Backend>
class SharedKeyValueStoreOf : public KeyValueStoreOf<Backend> {};
using SharedBackends = testing::Types<SqliteBackend, RedisBackend>;
class SharedBackendNames {
 public:
  template <class Backend>
  static std::string GetName(int index) {
    constexpr const char* names[] = {"Sqlite", "Redis"};
    return names[index];
  }
};
TYPED_TEST_SUITE(SharedKeyValueStoreOf, SharedBackends, SharedBackendNames);

/// Runs the body in a forked process, which ends with status 0 if it returns true.
template <class Body>
pid_t in_process(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  return child;
}

bool has_succeeded(pid_t child) {
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TYPED_TEST(SharedKeyValueStoreOf, IsAtomicAcrossProcesses) {
  constexpr int process_count = 3, rounds = 40;
  std::vector<pid_t> children;
  for (int process = 0; process < process_count; ++process) {
    children.push_back(in_process([&] {
      const std::unique_ptr<KeyValueStore> store = this->backend.open();
      for (int round = 0; round < rounds; ++round) {
        const std::string name(1, static_cast<char>('a' + process));
        if (!store->append("s", "log", name, this->limits)) return false;
        const Result<bool> mine = store->put_if_absent("s", "claim" + std::to_string(round), name, this->limits);
        if (!mine || (*mine && !store->append("s", "claims", "x", this->limits))) return false;
      }
      return true;
    }));
  }
  for (const pid_t child : children) EXPECT_TRUE(has_succeeded(child));
  EXPECT_EQ(this->get("s", "log").size(), 1u + process_count * rounds);
  EXPECT_EQ(this->get("s", "claims").size(), 1u + rounds);
}

TYPED_TEST(SharedKeyValueStoreOf, WritesAreSeenByOthersAtOnce) {
  const std::unique_ptr<KeyValueStore> other = this->backend.open();
  ASSERT_NE(other, nullptr);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(this->put("k", std::to_string(i)), i == 0);
    EXPECT_EQ(other->get("s", "k").value(), std::to_string(i));
    EXPECT_TRUE(other->remove("s", "k").value());
    EXPECT_EQ(this->get("s", "k"), "absent");
    EXPECT_TRUE(other->put("s", "k", "", this->limits).value());
  }
}

}  // namespace
}  // namespace tfvm::hostcalls
