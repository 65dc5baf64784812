// The guests of wasi/guests, programs of C against wasi-libc: each checks what it sees and ends with 0 if all was as it
// should be. On both ways to resolve paths where they use any.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "wasi/test_directory.hpp"
#include "wasi/test_guest.hpp"
#include "wasi/test_resolvers.hpp"

namespace tfvm::wasi {
namespace {

struct Outcome {
  std::int32_t exit_code = -1;
  std::string output;
  std::string trap;  ///< other than an exit
};

struct Ends {
  HostFile read, write;
  Ends() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read = HostFile::own(ends[0]);
    write = HostFile::own(ends[1]);
  }
};

std::vector<std::uint8_t> guest_bytes(const std::string& name) {
  std::ifstream file(TFVM_SOURCE_DIR "/wasi/guests/" + name + ".wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs a guest from its _start to its end. Its output must fit into a pipe.
Outcome run_guest(const std::string& name, WasiConfig config) {
  Ends output;
  config.stdout_fd = output.write.number();
  config.arguments.insert(config.arguments.begin(), name);
  Outcome outcome;
  {
    Engine engine;
    Store store(engine);
    auto system = Wasi::create(std::move(config));
    auto module = engine.load(guest_bytes(name));
    if (!system || !module) {
      ADD_FAILURE() << (system ? module.error() : system.error()).to_string();
      return outcome;
    }
    Linker linker(store);
    (*system)->add_imports_of(linker, (*module)->module());
    auto instance = linker.instantiate(*module);
    if (!instance) {
      ADD_FAILURE() << instance.error().to_string();
      return outcome;
    }
    const Store::Results results = store.call(*instance->find_function("_start"), {});
    outcome.exit_code = results.trap ? results.trap->exit_code : 0;
    if (results.trap && results.trap->kind != TrapKind::Exit) outcome.trap = results.trap->to_string();
  }
  output.write = HostFile();
  char buffer[4096];
  for (ssize_t count; (count = ::read(output.read.number(), buffer, sizeof(buffer))) > 0;)
    outcome.output.append(buffer, static_cast<std::size_t>(count));
  return outcome;
}

void expect_end(const Outcome& outcome, const std::string& last_words) {
  EXPECT_EQ(outcome.output, last_words);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.trap, "");
}

class GuestsTest : public testing::TestWithParam<PathResolver::Method> {
 protected:
  WasiConfig config(std::vector<Preopen> preopens) const {
    WasiConfig result;
    result.preopens = std::move(preopens);
    result.path_resolution = GetParam();
    return result;
  }
  TestDirectory host_;
};

TEST_P(GuestsTest, Escape) {
  host_.make_directory("jail");
  host_.make_directory("outside");
  host_.write("secret", "secret");
  host_.write("outside/x", "secret");
  host_.link("../secret", "jail/escape");
  host_.link("../outside", "jail/escape-dir");
  host_.link(host_ / "secret", "jail/absolute");
  WasiConfig given = config({{host_ / "jail", "/", false}});
  given.arguments = {host_.path()};
  expect_end(run_guest("escape", std::move(given)), "nothing led out\n");
  EXPECT_EQ(host_.read("secret"), "secret");
  EXPECT_EQ(host_.read("outside/x"), "secret");
  std::size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(host_.path())) entries += entry.exists() ? 1 : 0;
  EXPECT_EQ(entries, 3u);
}

TEST_P(GuestsTest, ReadOnly) {
  host_.make_directory("ro/dir");
  host_.write("ro/file", "text");
  host_.link("file", "ro/link");
  host_.make_directory("rw");
  host_.write("rw/file", "more");
  expect_end(run_guest("readonly", config({{host_ / "ro", "/ro", true}, {host_ / "rw", "/rw", false}})),
             "nothing changed\n");
  EXPECT_EQ(host_.read("ro/file"), "text");
  EXPECT_EQ(host_.read("rw/file"), "more");
  EXPECT_FALSE(host_.exists("ro/new"));
}

TEST_P(GuestsTest, HugeDirectory) {
  WasiConfig given = config({{host_.path(), "/", false}});
  given.arguments = {"5000"};
  expect_end(run_guest("directory", std::move(given)), "listed\n");
}

INSTANTIATE_TEST_SUITE_P(All, GuestsTest, testing::ValuesIn(resolver_methods()), resolver_name);

TEST(GuestTest, Polls) {
  const TestDirectory host;
  Ends input;
  ASSERT_EQ(::write(input.write.number(), "hello", 5), 5);
  input.write = HostFile();
  WasiConfig config;
  config.preopens = {{host.path(), "/", false}};
  config.stdin_fd = input.read.number();
  expect_end(run_guest("poll", std::move(config)), "all waits ended\n");
}

TEST(GuestTest, AsksForMuchAtOnce) {
  const TestDirectory host;
  WasiConfig config;
  config.preopens = {{host.path(), "/", false}};
  config.arguments = {"50"};
  config.max_open_fds = 50;
  expect_end(run_guest("vectors", std::move(config)), "bounded\n");
}

TEST(GuestTest, Serves) {
  const HostFile listener = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  struct ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(::bind(listener.number(), reinterpret_cast<struct ::sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  ASSERT_EQ(::getsockname(listener.number(), reinterpret_cast<struct ::sockaddr*>(&address), &length), 0);
  std::string answer;
  std::thread client([&] {
    const HostFile file = HostFile::own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(file.number(), reinterpret_cast<struct ::sockaddr*>(&address), length) != 0) return;
    const std::string_view request = "hello over tcp";
    if (::send(file.number(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return;
    ::shutdown(file.number(), SHUT_WR);
    char buffer[100];
    for (ssize_t count; (count = ::recv(file.number(), buffer, sizeof(buffer), 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(count));
  });
  WasiConfig config;
  config.listeners = {listener.number()};
  expect_end(run_guest("server", std::move(config)), "listening\nserved\n");
  client.join();
  EXPECT_EQ(answer, "HELLO OVER TCP");
}

TEST(GuestTest, WithoutDirectoriesThereAreNoFiles) {
  WasiConfig config;
  config.arguments = {"/tmp"};
  const Outcome outcome = run_guest("escape", std::move(config));
  EXPECT_EQ(outcome.exit_code, 1);  // its first open fails
  EXPECT_NE(outcome.output.find("not so: file >= 0"), std::string::npos) << outcome.output;
}

TEST(GuestTest, WithoutAListenerNothingIsAccepted) {
  const Outcome outcome = run_guest("server", WasiConfig());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.output.find("not so: connection > 3"), std::string::npos) << outcome.output;
}

}  // namespace
}  // namespace tfvm::wasi
