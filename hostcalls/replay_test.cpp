// The call sequences of the original programs against what was recorded of them (testdata/traces.txt): always for the
// C guests of testdata/replay.c, which make the same calls; and for the originals themselves, address by address, where
// a folder with them was named when the build was configured (TFVM_ORIGINALS).
#include <fstream>
#include <gtest/gtest.h>
#ifdef TFVM_ORIGINALS
#include <openssl/sha.h>
#endif

#include "hostcalls/test_guest.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

using World = TestGuest::World;
using Lines = std::vector<std::string>;

struct Recorded {
  std::string title;  ///< "hello.wasm mode=ref GET /hello.wasm?a=1&b=2"
  Lines calls;
  std::string run;
  std::string pages;
  std::string response;
};

std::vector<Recorded> recorded_traces() {
  std::ifstream file(TFVM_SOURCE_DIR "/hostcalls/testdata/traces.txt");
  std::vector<Recorded> traces;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) traces.push_back({line.substr(4), {}, {}, {}, {}});
    else if (line.starts_with("run: ")) traces.back().run = line.substr(5);
    else if (line.starts_with("pages: ")) traces.back().pages = line.substr(7);
    else if (line.starts_with("response: ")) traces.back().response = line.substr(10);
    else if (!traces.empty()) traces.back().calls.push_back(line);
  }
  return traces;
}

Recorded recorded(std::string_view title) {
  for (Recorded& each : recorded_traces())
    if (each.title == title) return std::move(each);
  ADD_FAILURE() << "no trace " << title;
  return {};
}

/// "hostcall_x(1048264, 0)" without arguments, "malloc(11)" without address: what another guest does in the same way.
Lines without_addresses(const Lines& calls) {
  Lines shapes;
  for (const std::string& line : calls) {
    if (line.starts_with("hostcall_")) shapes.push_back(line.substr(0, line.find('(')));
    else shapes.push_back(line.substr(0, line.find(" = ")));
  }
  return shapes;
}

/// The world of a trace: its request, and the upstream that it had.
struct ReplayedRequest {
  FakeHttpClient http{[this](const HttpRequest&) -> Result<HttpResponse> {
    if (upstream_fails) return Error{ErrorKind::Host, "connection refused"};
    return HttpResponse{200, {{"content-type", "application/json"}}, "{}"};
  }};
  bool upstream_fails = false;

  World world(const Recorded& trace, Headers headers) {
    World result;
    const std::size_t method = trace.title.find("mode=ref ") + 9;
    const std::size_t target = trace.title.find(' ', method) + 1;
    result.request.method = trace.title.substr(method, target - 1 - method);
    result.request.target = trace.title.substr(target);
    result.request.headers = std::move(headers);
    if (result.request.method == "POST") result.request.body = "my request";
    result.services.http = &http;
    return result;
  }
};

const Headers get_headers = {{"User-Agent", "curl/8.0"}, {"Accept", "*/*"}, {"X-Test", "one"}, {"X-Test", "two"}};
const Headers post_headers = {{"Content-Type", "text/plain"}, {"Content-Length", "10"}, {"Foo", "bar"}, {"Baz", "boo"}};

struct Program {
  const char* title;
  Headers headers;
  const char* replayed_by;
};
const Program programs[] = {
    {"hello.wasm mode=ref GET /hello.wasm?a=1&b=2", get_headers, "replay_hello.wasm"},
    {"hello.wasm mode=ref POST /hello.wasm", post_headers, "replay_hello.wasm"},
    {"hello.wasm mode=ref GET /", {{"X-Empty", ""}}, "replay_hello.wasm"},
    {"rust_wasm_simple.wasm mode=ref GET /hello.wasm?a=1&b=2", get_headers, "replay_simple.wasm"},
    {"rust_wasm_simple.wasm mode=ref POST /hello.wasm", post_headers, "replay_simple.wasm"},
    {"rust_wasm_simple.wasm mode=ref GET /", {}, "replay_simple.wasm"},
    {"cguest.wasm mode=ref GET /c.wasm?x", {}, "replay_c.wasm"},
};

/// The response as traces write it.
std::string response_text(const HttpResponse& response) {
  std::string headers;
  for (const HeaderField& field : response.headers)
    headers += (headers.empty() ? "[\"" : ",[\"") + field.name + "\",\"" + field.value + "\"]";
  return "status=" + std::to_string(response.status) + " headers=[" + headers + "] body=\"" + response.body + "\"";
}

/// Runs `module` as the trace says and checks how it ends; `guest` is left for more checks.
void run_and_check_end(TestGuest& guest, const Recorded& trace) {
  ASSERT_EQ(guest.error(), "");
  const HttpResponse response = guest.run();
  if (trace.run == "returned normally") {
    EXPECT_FALSE(guest.trap().has_value()) << guest.trap()->to_string();
    EXPECT_EQ(response_text(response), trace.response);
  } else {
    EXPECT_EQ(guest.trap_kind(), TrapKind::Unreachable);
    EXPECT_EQ(guest.hostcalls().panic_message(),
              "panicked at 'called `Result::unwrap()` on an `Err` value: Hostcall', src/libcore/result.rs:1165:5");
  }
}

class Replay : public testing::TestWithParam<Program> {};

/// Where the C guests are: as committed, and as compiled today where there is a compiler.
const char* const guest_folders[] = {
    TFVM_SOURCE_DIR "/hostcalls/testdata/",
#ifdef TFVM_COMPILED_C
    TFVM_COMPILED_C "/",
#endif
};

TEST_P(Replay, TheCGuestMakesTheRecordedCalls) {
  const Recorded trace = recorded(GetParam().title);
  for (const std::string folder : guest_folders) {
    ReplayedRequest request;
    request.upstream_fails = trace.run != "returned normally";
    TestGuest guest(read_file(folder + GetParam().replayed_by), request.world(trace, GetParam().headers));
    run_and_check_end(guest, trace);
    EXPECT_EQ(without_addresses(guest.traced()), without_addresses(trace.calls));
    if (!request.http.requests.empty() && request.http.requests.front().method == "POST") {
      EXPECT_EQ(request.http.requests.front().body, "secret!");
    }
  }
}

#ifdef TFVM_ORIGINALS

class OriginalReplay : public testing::TestWithParam<Program> {};

std::string sha256(const Bytes& bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(bytes.data(), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

/// An original, by the name that traces use.
Bytes original(std::string_view name) {
  const Bytes bytes = read_file(std::string(TFVM_ORIGINALS "/") + std::string(name));
  EXPECT_EQ(sha256(bytes), name == "hello.wasm" ? "a5c2abaf51fd3b85d828bd8586740501493126d045f57face2b3efdfdc7e910c"
                                                : "4be2f14868a84970b60b05f2d468e9c199d7ba975d08ea199e1d6011321d3bc6");
  return bytes;
}

TEST_P(OriginalReplay, MakesTheRecordedCallsAtTheRecordedAddresses) {
  const Recorded trace = recorded(GetParam().title);
  const std::string name = trace.title.substr(0, trace.title.find(' '));
  ReplayedRequest request;
  request.upstream_fails = trace.run != "returned normally";
  TestGuest guest(original(name), request.world(trace, GetParam().headers));
  run_and_check_end(guest, trace);
  EXPECT_EQ(guest.traced(), trace.calls);
  EXPECT_EQ(std::to_string(guest.memory().size() / page_size_bytes), trace.pages);
  if (name != "hello.wasm" && !request.http.requests.empty()) {
    EXPECT_EQ(request.http.requests.front().target, "https://api.weather.gov/stations/KSFO/observations/latest");
    EXPECT_EQ(find_field(request.http.requests.front().headers, "accept"), "application/ld+json");
  }
}

TEST(Originals, Check01_HelloLinksWith10Imports) {
  const auto module = Engine().load(original("hello.wasm"));
  ASSERT_TRUE(module.ok());
  EXPECT_EQ((*module)->module().imports.size(), 10u);
  EXPECT_EQ(Hostcalls::explain_mismatch((*module)->module()), "");
  EXPECT_EQ(TestGuest(original("hello.wasm")).error(), "");
}

TEST(Originals, Check02_SimpleLinksWith18Imports) {
  const auto module = Engine().load(original("rust_wasm_simple.wasm"));
  ASSERT_TRUE(module.ok());
  EXPECT_EQ((*module)->module().imports.size(), 18u);
  EXPECT_EQ(TestGuest(original("rust_wasm_simple.wasm")).error(), "");
}

TEST(Originals, BodiesOfManySizesAndManyHeaders) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1'000}, std::size_t{65'536}, std::size_t{1} << 20}) {
    World world;
    world.request.body = std::string(size, 'b');
    TestGuest guest(original("hello.wasm"), std::move(world));
    EXPECT_EQ(guest.run().body, "Hello World!") << size;
  }
  World world;
  for (int i = 0; i < 1'000; ++i) world.request.headers.push_back({"x-" + std::to_string(i), std::to_string(i)});
  TestGuest guest(original("hello.wasm"), std::move(world));
  EXPECT_EQ(guest.run().body, "Hello World!");
}

TEST(Originals, OneInstanceCanAnswerManyRequests) {
  TestGuest guest(original("hello.wasm"));
  for (int i = 0; i < 200; ++i) {
    guest.hostcalls().begin({"GET", "/", {{"a", "b"}}, "body"});
    EXPECT_EQ(guest.run().body, "Hello World!");
  }
  EXPECT_LT(guest.memory().size() / page_size_bytes, 30u);
}

#endif

std::string name_of(const testing::TestParamInfo<Program>& info) {
  std::string name;
  for (const char c : std::string(info.param.title))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  return name;
}
INSTANTIATE_TEST_SUITE_P(Traces, Replay, testing::ValuesIn(programs), name_of);
#ifdef TFVM_ORIGINALS
// The C program, the last one, was never published.
INSTANTIATE_TEST_SUITE_P(Traces, OriginalReplay, testing::ValuesIn(std::begin(programs), std::end(programs) - 1),
                         name_of);
#endif

}  // namespace
}  // namespace tfvm::hostcalls
