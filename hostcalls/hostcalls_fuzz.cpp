// Random hostcalls with random arguments, by a guest with little memory whose allocator gives any address, traps, grows
// memory and calls back: no crash, no hang, no leak, and a response that a server can send.
#include "hostcalls/hostcalls.hpp"

#include <array>
#include <cstdlib>
#include <cstring>

#include "hostcalls/abi.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

struct Row {
  std::string name;
  std::string params;  ///< an i32 or i64 each, in the binary format
  std::string results;
};

template <class R, class... Args>
Row describe(std::string_view name) {
  Row row{std::string(name), std::string{(sizeof(Args) == 8 ? '\x7e' : '\x7f')...}, {}};
  if constexpr (!std::is_void_v<R>) row.results = sizeof(R) == 8 ? "\x7e" : "\x7f";
  return row;
}

const std::vector<Row> rows = {
#define HOSTCALL(name, fuel, result, ...) describe<result __VA_OPT__(, ) __VA_ARGS__>("hostcall_" #name),
#include "hostcalls/functions.def"
#undef HOSTCALL
};

std::string leb(std::size_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes + static_cast<char>(value);
}
std::string name_bytes(std::string_view name) { return leb(name.size()) + std::string(name); }
std::string section(char id, const std::string& contents) { return id + leb(contents.size()) + contents; }

/// Imports every hostcall and fuzz.malloc; exports for each a function that passes its arguments on, the memory (1 page
/// to 4), and fuzz.malloc as "malloc", which stands in table 0 at 1, too.
std::vector<std::uint8_t> guest_module() {
  const std::size_t count = rows.size();
  std::string types = leb(count + 1), imports = leb(count + 1), indices = leb(count), exports = leb(count + 2),
              code = leb(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Row& row = rows[i];
    types += '\x60' + leb(row.params.size()) + row.params + leb(row.results.size()) + row.results;
    imports += name_bytes("env") + name_bytes(row.name) + '\0' + leb(i);
    indices += leb(i);
    exports += name_bytes(row.name) + '\0' + leb(count + 1 + i);
    std::string body(1, '\0');
    for (std::size_t parameter = 0; parameter < row.params.size(); ++parameter) body += '\x20' + leb(parameter);
    body += '\x10' + leb(i) + '\x0b';
    code += leb(body.size()) + body;
  }
  types += std::string("\x60\1\x7f\1\x7f", 5);
  imports += name_bytes("fuzz") + name_bytes("malloc") + '\0' + leb(count);
  exports += name_bytes("memory") + std::string("\2\0", 2) + name_bytes("malloc") + '\0' + leb(count);
  const std::string bytes = std::string("\0asm\1\0\0\0", 8) + section(1, types) + section(2, imports) +
                            section(3, indices) + section(4, std::string("\1\x70\0\4", 4)) +
                            section(5, std::string("\1\1\1\4", 4)) + section(7, exports) +
                            section(9, std::string("\1\0\x41\1\x0b\1", 6) + leb(count)) + section(10, code);
  return {bytes.begin(), bytes.end()};
}

/// What the input decides, byte by byte; zeros at its end.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool is_empty() const { return left_ == 0; }
  std::uint32_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  std::uint32_t word() { return byte() | byte() << 8 | byte() << 16 | byte() << 24; }
  /// An argument: a handle, an address near to something, a length, or anything.
  std::uint32_t argument() {
    const std::uint32_t kind = byte();
    switch (kind % 8) {
      case 0: return byte() % 8 - 2;
      case 1: return byte() * 4;
      case 2: return 0x1'0000 - byte() % 16;
      case 3: return byte() % 64;
      case 4: return 1024 + byte() * 16;
      case 5: return UINT32_MAX - byte() % 32;
      case 6: return byte() % 2;
      default: return word();
    }
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

class FuzzedGuest {
 public:
  FuzzedGuest(Choices& choices, const Engine& engine, const std::shared_ptr<const LoadedModule>& module)
      : choices_(choices), store_(engine, limits()), hostcalls_(services()) {
    resolver_.names["a"] = {Address{}, Address{{1}, true}};
    Linker linker(store_);
    hostcalls_.add_imports_of(linker, module->module());
    linker.define_function("fuzz", "malloc",
                           [this](Caller& caller, std::uint32_t size) { return allocate(caller, size); });
    auto instance = linker.instantiate(module);
    require(instance.ok(), "the guest links");
    instance_ = &instance->get();
    fill_memory();
  }

  void run() {
    for (int calls = 0; calls < 64 && !choices_.is_empty(); ++calls) {
      const std::uint32_t choice = choices_.byte();
      if (choice == 255) check(hostcalls_.take_response());
      else if (choice == 254)
        hostcalls_.begin({"GET", "/", {{"Host", "a"}, {"x", ""}, {":p", "q"}, {"X", "\1"}}, "body"});
      else if (choice == 253) fill_memory();
      else call(choice % rows.size());
    }
    check(hostcalls_.take_response());
  }

 private:
  static StoreLimits limits() {
    StoreLimits limits;
    limits.fuel = 300'000;
    limits.max_stack_bytes = 64 << 10;
    limits.allow_guarded_memory = false;  // so that AddressSanitizer sees what leaves it
    return limits;
  }

  HostcallServices services() {
    HostcallServices services;
    services.http = &http_;
    services.resolver = &resolver_;
    services.key_value = &store_of_values_;
    services.key_value_space = "fuzz";
    services.limits.max_response_bytes = 70'000;
    services.limits.max_headers = 8;
    services.limits.max_header_bytes = 256;
    services.limits.max_outbound_requests = 6;
    services.limits.max_outbound_bytes = 1'000;
    services.limits.max_received_bytes = 200;
    services.limits.max_log_lines = 20;
    services.limits.max_log_line_bytes = 100;
    services.log = [this](HostcallServices::LogKind, std::string_view line) {
      require(++lines_ <= 20 * 65, "few lines");
      require(line.size() <= 100, "short lines");
      for (const char c : line) require(static_cast<unsigned char>(c) >= ' ', "printable lines");
    };
    return services;
  }

  /// Texts that calls can use, and random bytes.
  void fill_memory() {
    const GuestMemory memory(*instance_->memories.front());
    const std::string text = std::string("GET\0http://a/x\0name\0value\0a\0\r\n", 30);
    for (std::uint32_t at = 1024; at + text.size() < 6'000; at += 64)
      std::memcpy(memory.bytes(at, text.size())->data(), text.data(), text.size());
    for (std::uint32_t at = 0; at < 128; at += 4) require(memory.store(at, choices_.argument()), "a word fits");
  }

  void call(std::size_t number) {
    const Row& row = rows[number];
    // Nothing would answer while this thread waits.
    const bool waits = row.name.find("wait") != std::string::npos || row.name.find("select") != std::string::npos;
    http_.holds_back = row.name != "hostcall_req_send" && choices_.byte() % 2 == 0;
    if (waits) http_.release_all();
    std::array<Slot, 8> slots{};
    for (std::size_t i = 0; i < row.params.size(); ++i) slots[i] = Slot::i32(choices_.argument());
    const auto function = Store::find_export(*instance_, row.name);
    const std::optional<Trap> trap = store_.invoke(*function->function, slots.data());
    if (trap || row.results.empty()) return;
    const auto result = static_cast<std::int32_t>(slots[0].as_i32());
    if (row.name.find("_set_") != std::string::npos) require(result == 0 || result == 1, "a status");
    if (row.name.find("send") != std::string::npos) require(result == -1 || result > 0, "a handle");
  }

  std::uint32_t allocate(Caller& caller, std::uint32_t size) {
    require(size != 0, "no allocation of nothing");
    const std::uint32_t choice = choices_.byte();
    if (choice % 8 == 0) return choices_.argument();
    if (choice % 8 == 1) call(choices_.byte() % rows.size());
    if (choice % 8 == 2) static_cast<void>(instance_->memories.front()->grow(1));
    if (choice % 32 == 3) throw std::runtime_error("a trap in malloc");
    static_cast<void>(caller);
    top_ = (top_ + size + 7) & ~7u;
    return 8'192 + (top_ - ((size + 7) & ~7u)) % 57'344;
  }

  static void check(const HttpResponse& response) {
    require(response.status >= 200 && response.status <= 599, "a status of a final response");
    require(response.body.size() <= 70'000, "a body within the limit");
    require(response.headers.size() <= 8, "few fields");
    for (const HeaderField& field : response.headers)
      require(is_token(field.name) && is_field_value(field.value) && !is_framing_field(field.name), "legal fields");
  }

  Choices& choices_;
  FakeHttpClient http_{[](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.body.size() % 3 == 1) return Error{ErrorKind::Host, "refused\r\n"};
    return HttpResponse{404, {{"A", "b"}, {"a", ""}, {"bad name", "x"}}, "answer to " + request.method};
  }};
  FakeResolver resolver_;
  FakeKeyValueStore store_of_values_;
  int lines_ = 0;
  std::uint32_t top_ = 0;
  Store store_;
  Hostcalls hostcalls_;
  ModuleInstance* instance_ = nullptr;
};

}  // namespace
}  // namespace tfvm::hostcalls

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tfvm::hostcalls;
  static const tfvm::Engine engine;
  static const auto module = engine.load(guest_module());
  require(module.ok(), "the guest is valid");
  Choices choices(data, size);
  FuzzedGuest(choices, engine, *module).run();
  return 0;
}
