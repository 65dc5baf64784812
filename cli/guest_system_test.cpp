// What `tfvm run` gives a guest of the system, seen from the outside: environment, sockets, traces, hints, limits,
// determinism.
#include "cli/guest_system.hpp"

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cli/running_child.hpp"

namespace tfvm::cli {
namespace {

using std::string_literals::operator""s;

std::string guest(const std::string& name) { return TFVM_SOURCE_DIR "/wasi/guests/" + name + ".wasm"; }

class GuestSystem : public testing::Test {
 protected:
  GuestSystem() {
    std::string name = (std::filesystem::temp_directory_path() / "tfvm-cli-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~GuestSystem() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(GuestSystem, EnvironmentOfFilesAndOfTheHost) {
  const ChildInput input{.environment = {"HOST=1", "COPIED=yes", "BOTH=host"}};
  const std::string file = write("one.env", "# comment\n\nA=from file\nCOPIED\nABSENT\nBOTH=file\nQUOTED=\"x\"\r\n");
  const std::string environment = testdata("environment.wasm");
  EXPECT_EQ(run_tfvm({"--env-file", file, environment}, input).output,
            "A=from file\0COPIED=yes\0BOTH=file\0QUOTED=\"x\"\0"s);
  EXPECT_EQ(run_tfvm({"--env", "A=option", "--env-file", file, environment}, input).output,
            "A=option\0COPIED=yes\0BOTH=file\0QUOTED=\"x\"\0"s);
  EXPECT_EQ(run_tfvm({"--inherit-env", environment}, input).output, "HOST=1\0COPIED=yes\0BOTH=host\0"s);
  EXPECT_EQ(run_tfvm({"--inherit-env", "--env-file", file, "--env", "HOST=2", environment}, input).output,
            "HOST=2\0COPIED=yes\0BOTH=file\0A=from file\0QUOTED=\"x\"\0"s);
  EXPECT_EQ(run_tfvm({"--env", "N\xc3\xa9=\xff\xfe", environment}, input).output, "N\xc3\xa9=\xff\xfe\0"s);
  EXPECT_EQ(run_tfvm({"--env", "A=1", "--env", "A=2", environment}, input).output, "A=2\0"s);
  EXPECT_EQ(run_tfvm({testdata("arguments.wasm"), "\xc3\xa9", "\xff\xfe"}).output,
            "arguments.wasm\0\xc3\xa9\0\xff\xfe\0"s);
}

TEST_F(GuestSystem, EnvironmentFilesThatAreWrong) {
  const ChildResult missing = run_tfvm({"--env-file", "nowhere.env", testdata("environment.wasm")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.errors.find("cannot read 'nowhere.env': No such file"), std::string::npos) << missing.errors;
  const std::string file = write("bad.env", "A=1\n=2\n");
  const ChildResult bad = run_tfvm({"--env-file", file, testdata("environment.wasm")});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_NE(bad.errors.find("bad.env, line 2 cannot be '=2'"), std::string::npos) << bad.errors;
}

TEST_F(GuestSystem, ListensWhereItIsTold) {
  RunningChild child({"-v", "--tcp-listen", "127.0.0.1:0", guest("server")}, RunningChild::Streams::Pipes);
  const std::string said = child.read_errors_until("; 0 environment");
  const std::size_t at = said.find("listening sockets: 127.0.0.1:");
  ASSERT_NE(at, std::string::npos) << said;
  struct ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(said.substr(said.find("127.0.0.1:", at) + 10))));
  const int file = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(file, reinterpret_cast<struct ::sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::send(file, "abc", 3, MSG_NOSIGNAL), 3);
  ::shutdown(file, SHUT_WR);
  char answer[4] = {};
  EXPECT_EQ(::recv(file, answer, 3, MSG_WAITALL), 3);
  EXPECT_STREQ(answer, "ABC");
  ::close(file);
  EXPECT_NE(child.read_until("served"), "");
  EXPECT_EQ(child.wait(), 0);
}

TEST_F(GuestSystem, ListensOnlyOnAddressesInNumbers) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:80"), (ListenAddress{"127.0.0.1", 80}));
  EXPECT_EQ(parse_listen_address("[::1]:0"), (ListenAddress{"::1", 0}));
  EXPECT_EQ(parse_listen_address("localhost:65535"), (ListenAddress{"127.0.0.1", 65535}));
  for (const char* wrong : {"", "80", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "127.1:80",
                            "::1:80", "[::1]", "[127.0.0.1]:80", "example.org:80", "1.2.3.4:-1", "0x7f000001:80"})
    EXPECT_FALSE(parse_listen_address(wrong)) << wrong;
  const ChildResult busy = run_tfvm({"--tcp-listen", "203.0.113.1:1", guest("server")});
  EXPECT_EQ(busy.exit_code, 1);
  EXPECT_NE(busy.errors.find("cannot listen on 203.0.113.1:1: "), std::string::npos) << busy.errors;
  EXPECT_EQ(run_tfvm({"--tcp-listen", "everywhere", guest("server")}).exit_code, 2);
}

TEST_F(GuestSystem, TracesEachCall) {
  const ChildResult result = run_tfvm({"--trace-wasi", testdata("arguments.wasm"), "x"});
  EXPECT_NE(result.errors.find("wasi: args_sizes_get() = success, 2, 17\n"), std::string::npos) << result.errors;
  EXPECT_NE(result.errors.find("wasi: proc_exit(2): ends the program: exit\n"), std::string::npos) << result.errors;
  EXPECT_EQ(run_tfvm({testdata("arguments.wasm"), "x"}).errors, "");
}

TEST_F(GuestSystem, VerboseNamesTheOptionThatWouldHelp) {
  const ChildResult without = run_tfvm({"-v", guest("escape"), "/tmp"});
  EXPECT_NE(without.errors.find("has none: --dir HOST::GUEST gives it one"), std::string::npos) << without.errors;
  const ChildResult outside = run_tfvm({"-v", "--dir", folder_ + "::/", guest("escape"), "/tmp"});
  EXPECT_NE(outside.errors.find("'../secret' was refused: it leads out of '/': --dir HOST::GUEST"), std::string::npos)
      << outside.errors;
  write("file", "text");
  const ChildResult read_only =
      run_tfvm({"-v", "--dir", folder_ + "::/ro::ro", "--dir", folder_ + "::/rw", guest("readonly")});
  EXPECT_NE(read_only.errors.find("is only for reading: --dir without ::ro would allow it"), std::string::npos)
      << read_only.errors;
  const ChildResult socket = run_tfvm({"-v", guest("server")});
  EXPECT_NE(socket.errors.find("sock_accept was refused: the program has no listening socket: --tcp-listen"),
            std::string::npos)
      << socket.errors;
  const ChildResult many = run_tfvm({"-v", "--max-fds=20", "--dir", folder_ + "::/", guest("vectors"), "20"});
  EXPECT_EQ(many.exit_code, 0) << many.output;
  EXPECT_NE(many.errors.find("too many descriptors are open: --max-fds N allows more"), std::string::npos)
      << many.errors;
  EXPECT_EQ(run_tfvm({guest("server")}).errors, "");
}

TEST_F(GuestSystem, DeterministicRunsAreTheSame) {
  const auto times = [this](const std::string& seed) {
    const ChildResult result =
        run_tfvm({"--deterministic", "--seed", seed, "--trace-wasi", "--dir", folder_ + "::/", guest("poll")},
                 {.standard_input = "hello"});
    EXPECT_EQ(result.output, "all waits ended\n");
    std::string lines;
    for (std::size_t at = 0; (at = result.errors.find("wasi: clock_time_get", at)) != std::string::npos; ++at)
      lines += result.errors.substr(at, result.errors.find('\n', at) - at + 1);
    return lines;
  };
  const std::string first = times("1");
  EXPECT_NE(first.find("clock_time_get(realtime, "), std::string::npos) << first;
  EXPECT_NE(first.find(" = success, 94668480"), std::string::npos) << first;
  EXPECT_EQ(times("1"), first);
}

TEST_F(GuestSystem, MoreDescriptorsThanTheHostGivesAreAskedFor) {
  const ChildResult result = run_tfvm({"--max-fds", "3000", "--dir", folder_ + "::/", guest("vectors"), "3000"});
  EXPECT_EQ(result.output, "bounded\n");
  EXPECT_EQ(run_tfvm({"--max-fds", "-1", guest("vectors")}).exit_code, 2);
  EXPECT_EQ(run_tfvm({"--max-fds", "2000000", guest("vectors")}).exit_code, 2);
}

TEST_F(GuestSystem, HelpSaysWhatNetworkThereIs) {
  const std::string help = run_tfvm({"run", "--help"}).output;
  EXPECT_NE(help.find("no outbound connections"), std::string::npos);
  EXPECT_NE(help.find("outbound HTTP"), std::string::npos);
  for (const char* option : {"--tcp-listen", "--env-file", "--inherit-env", "--max-fds", "--deterministic",
                             "--trace-wasi", "--no-self-sandbox", "--argv0", "--plain-terminal"})
    EXPECT_NE(help.find(option), std::string::npos) << option;
}

}  // namespace
}  // namespace tfvm::cli
