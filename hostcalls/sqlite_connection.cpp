// SqliteConnection: sqlite.org/c3ref. WAL with synchronous=FULL: a transaction is in the log, and the log on stable
// storage, before COMMIT returns; readers never wait for writers.
#include "hostcalls/sqlite_connection.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sqlite3.h>
#include <unistd.h>

namespace tfvm::hostcalls {
namespace {

constexpr int busy_timeout_milliseconds = 2'000;
constexpr int schema_version = 1;

constexpr const char* schema =
    "CREATE TABLE IF NOT EXISTS entries(space BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY(space, key)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS spaces(space BLOB NOT NULL PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "PRAGMA user_version = 1";

// In the order of SqliteConnection::Statement.
constexpr const char* statement_texts[] = {
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SELECT value FROM entries WHERE space = ?1 AND key = ?2",
    "SELECT length(value) FROM entries WHERE space = ?1 AND key = ?2",
    "INSERT INTO entries VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
    "DELETE FROM entries WHERE space = ?1 AND key = ?2",
    "SELECT bytes FROM spaces WHERE space = ?1",
    "INSERT INTO spaces VALUES(?1, ?2) ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
    "DELETE FROM spaces WHERE space = ?1",
};

/// Makes an empty file that only its owner can read, if there is none; SQLite would let everybody. The file is not
/// opened under its name: closing a descriptor of it would drop the locks that this process may hold on it (fcntl(2)).
void make_private_file(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return;
  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return;  // SQLite will say what is wrong with the folder
  ::close(descriptor);
  static_cast<void>(::link(temporary.c_str(), path.c_str()));
  ::unlink(temporary.c_str());
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); opened >= 0) {
    ::fsync(opened);
    ::close(opened);
  }
}

}  // namespace

/// A statement with its parameters, reset when this ends.
class SqliteConnection::Execution {
 public:
  Execution(SqliteConnection& connection, Statement statement) : statement_(connection.statements_[statement]) {}
  ~Execution() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// The bytes must stay until the end.
  void bind(int index, std::string_view bytes) {
    // A null pointer would be NULL and not an empty blob.
    const char* const data = bytes.data() == nullptr ? "" : bytes.data();
    sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC);
  }
  void bind(int index, std::uint64_t number) {
    sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number));
  }
  int step() { return sqlite3_step(statement_); }
  std::string bytes() {
    const void* const data = sqlite3_column_blob(statement_, 0);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, 0));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  }
  std::uint64_t number() { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, 0)); }

 private:
  sqlite3_stmt* statement_;
};

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path, error).string();  // ":memory:" is no file name
  if (error || path.empty())
    return Error{ErrorKind::Host, "key-value store: '" + printable(path) + "' is no file name"};
  make_private_file(absolute);
  sqlite3* database = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(absolute.c_str(), &database, flags, nullptr);
  if (database == nullptr) return Error{ErrorKind::Host, "key-value store: out of memory"};
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(database));
  if (opened != SQLITE_OK) return connection->failure("opening the file");
  if (const Result<Done> done = connection->configure(); !done) return done.error();
  if (const Result<Done> done = connection->make_tables(); !done) return done.error();
  if (const Result<Done> done = connection->prepare(); !done) return done.error();
  return connection;
}

SqliteConnection::~SqliteConnection() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

Error SqliteConnection::failure(const char* doing) const {
  const char* const file = sqlite3_db_filename(database_, "main");
  return Error{ErrorKind::Host, "key-value store " + printable(file == nullptr ? "" : file) + ": " + doing + ": " +
                                    sqlite3_errmsg(database_)};
}

Result<Done> SqliteConnection::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return Done{};
  return failure("setting it up");
}

Result<Done> SqliteConnection::configure() {
  sqlite3_busy_timeout(database_, busy_timeout_milliseconds);
  // The file may be anybody's: nothing in its schema runs.
  for (const int option :
       {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA}) {
    sqlite3_db_config(database_, option, 0, nullptr);
  }
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (const Result<Done> done = use_write_ahead_log(); !done) return done.error();
  return execute(
      "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA cache_size = -512;"
      "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216");
}

Result<Done> SqliteConnection::use_write_ahead_log() {
  // Switching to it needs the file alone and does not wait: when two begin at the same time, one has to try again.
  int result = SQLITE_OK;
  for (int waited = 0; waited < busy_timeout_milliseconds; waited += 10) {
    sqlite3_stmt* statement = nullptr;
    result = sqlite3_prepare_v2(database_, "PRAGMA journal_mode = WAL", -1, &statement, nullptr);
    if (result == SQLITE_OK) result = sqlite3_step(statement);
    const bool is_on = result == SQLITE_ROW &&
                       std::string_view(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))) == "wal";
    const int finalized = sqlite3_finalize(statement);
    if (is_on) return Done{};
    if (result == SQLITE_ROW && finalized == SQLITE_OK) break;
    if ((result & 0xff) != SQLITE_BUSY) return failure("reading it");
    sqlite3_sleep(10);
  }
  if ((result & 0xff) == SQLITE_BUSY) return failure("opening the log");
  return Error{ErrorKind::Host, "key-value store: its file system does not support a write-ahead log"};
}

Result<std::int64_t> SqliteConnection::version() {
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v2(database_, "PRAGMA user_version", -1, &statement, nullptr);
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  const std::int64_t number = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (result != SQLITE_ROW) return failure("reading its version");
  return number;
}

Result<Done> SqliteConnection::make_tables() {
  const Result<std::int64_t> before = version();
  if (!before) return before.error();
  if (*before == schema_version) return Done{};
  if (*before != 0) return Error{ErrorKind::Host, "key-value store: the file is of another program or version"};
  if (const Result<Done> done = execute("BEGIN IMMEDIATE"); !done) return done.error();
  Result<Done> made = execute(schema);
  if (made) made = execute("COMMIT");
  if (!made) roll_back();
  return made;
}

Result<Done> SqliteConnection::prepare() {
  static_assert(std::size(statement_texts) == Count);
  for (int i = 0; i < Count; ++i) {
    const int result =
        sqlite3_prepare_v3(database_, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements_[i], nullptr);
    if (result != SQLITE_OK) return failure("its tables");
  }
  return Done{};
}

Result<Done> SqliteConnection::begin() {
  if (Execution(*this, Begin).step() != SQLITE_DONE) return failure("waiting to write");
  return Done{};
}

Result<Done> SqliteConnection::commit() {
  if (Execution(*this, Commit).step() != SQLITE_DONE) return failure("writing");
  return Done{};
}

void SqliteConnection::roll_back() {
  if (sqlite3_get_autocommit(database_) == 0) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<std::optional<std::string>> SqliteConnection::get(std::string_view space, std::string_view key) {
  Execution execution(*this, Get);
  execution.bind(1, space);
  execution.bind(2, key);
  switch (execution.step()) {
    case SQLITE_ROW: return std::optional<std::string>(execution.bytes());
    case SQLITE_DONE: return std::optional<std::string>();
    default: return failure("reading");
  }
}

Result<std::optional<std::uint64_t>> SqliteConnection::value_bytes(std::string_view space, std::string_view key) {
  Execution execution(*this, ValueBytes);
  execution.bind(1, space);
  execution.bind(2, key);
  switch (execution.step()) {
    case SQLITE_ROW: return std::optional<std::uint64_t>(execution.number());
    case SQLITE_DONE: return std::optional<std::uint64_t>();
    default: return failure("reading");
  }
}

Result<Done> SqliteConnection::set(std::string_view space, std::string_view key, std::string_view value) {
  Execution execution(*this, Set);
  execution.bind(1, space);
  execution.bind(2, key);
  execution.bind(3, value);
  if (execution.step() != SQLITE_DONE) return failure("writing");
  return Done{};
}

Result<Done> SqliteConnection::remove(std::string_view space, std::string_view key) {
  Execution execution(*this, Remove);
  execution.bind(1, space);
  execution.bind(2, key);
  if (execution.step() != SQLITE_DONE) return failure("writing");
  return Done{};
}

Result<std::uint64_t> SqliteConnection::namespace_bytes(std::string_view space) {
  Execution execution(*this, NamespaceBytes);
  execution.bind(1, space);
  switch (execution.step()) {
    case SQLITE_ROW: return execution.number();
    case SQLITE_DONE: return std::uint64_t{0};
    default: return failure("reading");
  }
}

Result<Done> SqliteConnection::set_namespace_bytes(std::string_view space, std::uint64_t bytes) {
  Execution execution(*this, bytes == 0 ? RemoveNamespace : SetNamespaceBytes);
  execution.bind(1, space);
  if (bytes != 0) execution.bind(2, bytes);
  if (execution.step() != SQLITE_DONE) return failure("writing");
  return Done{};
}

}  // namespace tfvm::hostcalls
