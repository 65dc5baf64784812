// Loading modules: see module_versions.hpp.
#include "cli/serve/module_versions.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tfvm::serve {

namespace {

std::string quoted(std::string_view module, std::string_view name) {
  return printable(std::string(module) + "." + std::string(name));
}

/// The function export of this name, or null.
const Export* find_function(const Module& module, std::string_view name) {
  for (const Export& item : module.exports)
    if (item.kind == ExternKind::Function && item.name == name) return &item;
  return nullptr;
}

bool is_entry(const Module& module, const Export* item) {
  return item != nullptr && module.function_type(item->index) == FunctionType{};
}

/// What nobody provides, or "".
std::string explain_missing(const Module& module) {
  constexpr unsigned max_named = 10;
  std::string missing;
  unsigned count = 0;
  for (const Import& import : module.imports) {
    if (import.kind == ExternKind::Function && (hostcalls::Hostcalls::provides(import.module, import.name) ||
                                                wasi::Wasi::provides(import.module, import.name)))
      continue;
    if (++count > max_named) continue;
    missing +=
        (missing.empty() ? "" : ", ") + std::string(to_string(import.kind)) + " " + quoted(import.module, import.name);
  }
  if (count > max_named) missing += " and " + std::to_string(count - max_named) + " more";
  return missing;
}

std::string explain_entries(const Module& module) {
  std::string text = "exports neither run: () -> () nor _start: () -> ()";
  for (const std::string_view name : {"run", "_start"})
    if (const Export* item = find_function(module, name); item != nullptr)
      text += "; " + std::string(name) + " is " + to_string(module.function_type(item->index));
  return text;
}

}  // namespace

Result<FunctionKind> check_function(const Module& module) {
  if (const std::string missing = explain_missing(module); !missing.empty())
    return Error{ErrorKind::Unlinkable, "unknown import: " + missing};
  if (const std::string mismatch = hostcalls::Hostcalls::explain_mismatch(module); !mismatch.empty())
    return Error{ErrorKind::Unlinkable, mismatch};
  if (is_entry(module, find_function(module, "run"))) return FunctionKind::Hostcall;
  if (is_entry(module, find_function(module, "_start"))) return FunctionKind::Cgi;
  return Error{ErrorKind::Unlinkable, explain_entries(module)};
}

std::string sha256_of(const void* bytes, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(static_cast<const unsigned char*>(bytes), size, digest.data());
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += digits[byte >> 4];
    hex += digits[byte & 0xf];
  }
  return hex;
}

Result<std::shared_ptr<const ModuleVersion>> ModuleVersions::load(std::vector<std::uint8_t> bytes) {
  std::string hash = sha256_of(bytes.data(), bytes.size());
  const std::scoped_lock lock(mutex_);
  if (const auto found = versions_.find(hash); found != versions_.end())
    if (auto version = found->second.lock()) return version;

  const std::uint64_t size = bytes.size();
  if (size > max_total_bytes_ - std::min(total_bytes_->load(), max_total_bytes_))
    return Error{ErrorKind::Limit,
                 "all modules together are larger than " + std::to_string(max_total_bytes_) + " bytes"};
  auto module = engine_.load(std::move(bytes));
  if (!module.ok()) return module.error();
  const Result<FunctionKind> kind = check_function((*module)->module());
  if (!kind.ok()) return kind.error();

  *total_bytes_ += size;
  const auto release = [total = total_bytes_](const ModuleVersion* version) {
    *total -= version->bytes;
    delete version;
  };
  std::shared_ptr<const ModuleVersion> version(new ModuleVersion{hash, std::move(*module), *kind, size}, release);
  if (versions_.size() >= forget_at_) forget_unused();
  versions_[std::move(hash)] = version;
  return version;
}

void ModuleVersions::forget_unused() {
  std::erase_if(versions_, [](const auto& item) { return item.second.expired(); });
  forget_at_ = std::max<std::size_t>(64, versions_.size() * 2);
}

Result<std::vector<std::uint8_t>> read_file(int file, std::uint64_t max_bytes) {
  struct ::stat status;
  if (::fstat(file, &status) != 0) return Error{ErrorKind::Host, std::strerror(errno)};
  const auto too_large = [&] {
    return Error{ErrorKind::Limit, "the file is larger than " + std::to_string(max_bytes) + " bytes"};
  };
  if (static_cast<std::uint64_t>(status.st_size) > max_bytes) return too_large();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size) + 1);  // one more, to find the end
  std::size_t size = 0;
  for (;;) {
    const ssize_t got = ::pread(file, bytes.data() + size, bytes.size() - size, static_cast<off_t>(size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{ErrorKind::Host, std::strerror(errno)};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
    if (size > max_bytes) return too_large();
    if (size == bytes.size()) bytes.resize(size * 2);
  }
  bytes.resize(size);
  bytes.shrink_to_fit();
  return bytes;
}

}  // namespace tfvm::serve
