// Reading of module files (module_file.hpp), with read(2) alone: nothing to initialise, nothing to flush.
#include "cli/module_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/failure.hpp"
#include "cli/text.hpp"
#include "decoder/error.hpp"
#include "decoder/limits.hpp"

namespace tfvm::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ > STDERR_FILENO) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string quoted(const std::string& path) { return path == "-" ? "standard input" : "'" + printable(path) + "'"; }

std::string hint_for_open(int error) {
  if (error == ENOENT) return "is the path right? It is taken from the current directory";
  if (error == EACCES) return "the file's permissions do not allow reading it";
  return {};
}

[[noreturn]] void fail_too_large(const std::string& path) {
  fail(quoted(path) + " is too large for a module",
       "a module may have up to " + std::to_string(limits::module_size_bytes >> 20) + " MiB");
}

std::size_t read_some(int descriptor, std::uint8_t* to, std::size_t size, const std::string& path) {
  for (;;) {
    const ssize_t got = ::read(descriptor, to, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("cannot read " + quoted(path) + ": " + std::strerror(errno));
  }
}

constexpr std::array<std::uint8_t, 4> module_magic = {0x00, 'a', 's', 'm'};

bool begins_with(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> prefix) {
  return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

}  // namespace

std::vector<std::uint8_t> read_module_file(const std::string& path) {
  const Descriptor file(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    const int error = errno;
    fail("cannot open " + quoted(path) + ": " + std::strerror(error), hint_for_open(error));
  }
  struct stat status;
  if (::fstat(file.number(), &status) != 0) fail("cannot read " + quoted(path) + ": " + std::strerror(errno));
  if (S_ISDIR(status.st_mode)) fail(quoted(path) + " is a directory", "name the .wasm file inside it");

  // The size is a first guess: pipes and devices have none, and a file may change while it is read.
  constexpr std::size_t first_guess = 64 * 1024;
  std::size_t capacity = first_guess;
  if (S_ISREG(status.st_mode)) {
    if (static_cast<std::uint64_t>(status.st_size) > limits::module_size_bytes) fail_too_large(path);
    capacity = static_cast<std::size_t>(status.st_size) + 1;  // the one byte more finds the end in the same loop
  }
  std::vector<std::uint8_t> bytes(capacity);
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(std::min<std::size_t>(bytes.size() * 2, limits::module_size_bytes + 1));
    const std::size_t got = read_some(file.number(), bytes.data() + size, bytes.size() - size, path);
    if (got == 0) break;
    size += got;
    if (size > limits::module_size_bytes) fail_too_large(path);
  }
  bytes.resize(size);
  return bytes;
}

std::string hint_for_non_module(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return "the file is empty";
  constexpr std::array<std::uint8_t, 4> component_version = {0x0d, 0x00, 0x01, 0x00};
  if (begins_with(bytes, module_magic)) {
    if (begins_with(bytes.subspan(module_magic.size()), component_version))
      return "this is a component; tfvm runs core modules (build for the target wasm32-wasip1)";
    return {};
  }
  constexpr std::array<std::uint8_t, 4> elf_magic = {0x7f, 'E', 'L', 'F'};
  constexpr std::array<std::uint8_t, 2> gzip_magic = {0x1f, 0x8b};
  if (begins_with(bytes, elf_magic))
    return "this is a native program; compile it for WebAssembly (--target=wasm32-wasi)";
  if (begins_with(bytes, gzip_magic)) return "this is compressed; unpack it first (gunzip)";
  return "a WebAssembly module starts with the bytes 00 61 73 6d";
}

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view file_stem(std::string_view path) {
  if (path == "-") return "stdin";
  const std::string_view name = file_name(path);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

}  // namespace tfvm::cli
