// One connection to the SQLite file of the key-value store: its settings, schema and statements.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "decoder/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace tfvm::hostcalls {

/// For one thread at a time. Errors: Host, with SQLite's text.
class SqliteConnection {
 public:
  /// Opens the file, makes it and its tables if they are not there.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  /// Begins a transaction that may write: waits for other writers, up to two seconds.
  Result<Done> begin();
  /// What was written since begin() is on stable storage when this returns.
  Result<Done> commit();
  /// Ends a transaction, if there is one, without effect.
  void roll_back();

  Result<std::optional<std::string>> get(std::string_view space, std::string_view key);
  /// Size of the value; cheaper than get.
  Result<std::optional<std::uint64_t>> value_bytes(std::string_view space, std::string_view key);
  Result<Done> set(std::string_view space, std::string_view key, std::string_view value);
  Result<Done> remove(std::string_view space, std::string_view key);
  /// The account of a namespace: keys and values together.
  Result<std::uint64_t> namespace_bytes(std::string_view space);
  Result<Done> set_namespace_bytes(std::string_view space, std::uint64_t bytes);

 private:
  enum Statement {
    Begin,
    Commit,
    Get,
    ValueBytes,
    Set,
    Remove,
    NamespaceBytes,
    SetNamespaceBytes,
    RemoveNamespace,
    Count
  };
  class Execution;

  explicit SqliteConnection(sqlite3* database) : database_(database) {}
  Error failure(const char* doing) const;
  Result<Done> execute(const char* sql);
  Result<Done> configure();
  Result<Done> use_write_ahead_log();
  Result<Done> make_tables();
  Result<std::int64_t> version();
  Result<Done> prepare();

  sqlite3* database_;
  sqlite3_stmt* statements_[Count] = {};
};

}  // namespace tfvm::hostcalls
