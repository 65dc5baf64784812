// `tfvm run --hostcalls` from the outside: the request that the options make, the response that is printed, the errors.
#include "cli/hostcalls_run.hpp"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/child_process.hpp"

namespace tfvm::cli {
namespace {

const std::string examples = TFVM_SOURCE_DIR "/hostcalls/examples/c/";

ChildResult run_function(std::vector<std::string> options, const std::string& file, const std::string& input = {}) {
  options.insert(options.begin(), {"run", "--hostcalls"});
  options.push_back(file);
  return run_tfvm(options, {.standard_input = input});
}

TEST(HostcallsRun, PrintsTheResponse) {
  const ChildResult result = run_function({}, examples + "hello.wasm");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output,
            "HTTP/1.1 200 OK\ncontent-type: text/plain; charset=utf-8\ncontent-length: 14\n\n"
            "Hello, world!\n");
  EXPECT_EQ(result.errors, "");
}

TEST(HostcallsRun, PassesTheRequestAndKeepsTheGuestsOutputApart) {
  const ChildResult result =
      run_function({"--request", "POST /a%20b?c=d", "-H", "X-Name: one", "--header", "x-name:two", "--body", "-"},
                   testdata("echo_function.wasm"), "the body");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output,
            "HTTP/1.1 202 Accepted\nx-path: /a%20b?c=d\nx-name: one\nx-name: two\ncontent-length: 8\n\n"
            "the body");
  EXPECT_EQ(result.errors, "debug: hello\ntext\n");
}

TEST(HostcallsRun, HeadHasNoBody) {
  const ChildResult result =
      run_function({"--request", "HEAD /", "--body", "-"}, testdata("echo_function.wasm"), "the body");
  EXPECT_EQ(result.output, "HTTP/1.1 202 Accepted\nx-path: /\ncontent-length: 8\n\n");
}

TEST(HostcallsRun, ATrapPrintsNoResponse) {
  const ChildResult result = run_function({"--request", "DELETE /"}, testdata("echo_function.wasm"));
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_EQ(result.output, "");
  EXPECT_NE(result.errors.find("trap: unreachable"), std::string::npos) << result.errors;
}

TEST(HostcallsRun, LimitsHold) {
  const ChildResult result = run_function({"--fuel", "30"}, testdata("echo_function.wasm"));
  EXPECT_EQ(result.exit_code, 134);
  EXPECT_NE(result.errors.find("all fuel consumed"), std::string::npos) << result.errors;
}

TEST(HostcallsRun, ShowsTheCallsIfAsked) {
  const ChildResult result = run_function({"--trace-hostcalls"}, testdata("echo_function.wasm"));
  EXPECT_NE(result.errors.find("hostcall: hostcall_req_get_path(16, 20, 0)\nhostcall:   malloc(2) = 0x"),
            std::string::npos)
      << result.errors;
  EXPECT_NE(result.errors.find("hostcall: hostcall_resp_set_response_code(0, 202)\nhostcall:   => 0\n"),
            std::string::npos);
}

TEST(HostcallsRun, RunsCgiPrograms) {
  const ChildResult result = run_function(
      {"--request", "POST /x/y?a=b", "-H", "X-Name: v", "-H", "Proxy: evil", "--env", "MINE=1", "--body", "-"},
      testdata("cgi.wasm"), "input");
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(
      result.output.substr(0, result.output.find("\n\n")).find("HTTP/1.1 201 Created\nContent-Type: text/plain\n"), 0u)
      << result.output;
  for (const char* const line : {"\nREQUEST_METHOD=POST\n", "\nPATH_INFO=/x/y\n", "\nQUERY_STRING=a=b\n",
                                 "\nHTTP_X_NAME=v\n", "\nCONTENT_LENGTH=5\n", "\nSCRIPT_NAME=/cgi.wasm\n", "\nMINE=1\n",
                                 "\nGATEWAY_INTERFACE=CGI/1.1\n", "\nHTTP_HOST=localhost\ninput"})
    EXPECT_NE(result.output.find(line), std::string::npos) << line << result.output;
  EXPECT_EQ(result.output.find("HTTP_PROXY"), std::string::npos);
  EXPECT_EQ(result.output.find("Content-Length: 7"), std::string::npos);
}

TEST(HostcallsRun, SaysWhenACgiProgramWritesNoResponse) {
  const ChildResult result = run_function({}, TFVM_SOURCE_DIR "/cli/examples/hello.wasm");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.errors.find("where a field of its response should be"), std::string::npos) << result.errors;
}

TEST(HostcallsRun, KeepsTheKeyValueStoreInAFile) {
  std::string folder = testing::TempDir() + "tfvm-kv-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto visits = [&](const std::string& method) {
    const std::string output =
        run_function({"--kv", folder + "/store.db", "--request", method + " /"}, examples + "counter.wasm").output;
    return output.substr(output.find("\n\n") + 2);
  };
  EXPECT_EQ(visits("GET"), "{\"visits\": 0}\n");
  EXPECT_EQ(visits("POST"), "{\"visits\": 1}\n");
  EXPECT_EQ(visits("POST"), "{\"visits\": 2}\n");
  EXPECT_EQ(visits("GET"), "{\"visits\": 2}\n");
  std::filesystem::remove_all(folder);
}

TEST(HostcallsRun, WithoutAnAllowListNobodyIsReached) {
  const ChildResult result = run_function({"--request", "/?url=http://127.0.0.1:1/"}, examples + "proxy.wasm");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("{\"http://127.0.0.1:1/\": null}"), std::string::npos) << result.output;
  EXPECT_NE(result.errors.find("failure: hostcall_req_send_async: requests to others are off"), std::string::npos);
  EXPECT_NE(result.errors.find("--allow-outbound"), std::string::npos);
}

TEST(HostcallsRun, SaysWhatIsWrongWithTheOptions) {
  const struct {
    std::vector<std::string> options;
    const char* message;
  } cases[] = {
      {{"run", "--request", "GET /", examples + "hello.wasm"}, "--hostcalls is missing"},
      {{"run", "--hostcalls", "--request", "GET /a b", examples + "hello.wasm"}, "--request cannot be 'GET /a b'"},
      {{"run", "--hostcalls", "--request", "G:T /", examples + "hello.wasm"}, "--request cannot be"},
      {{"run", "--hostcalls", "-H", "no colon", examples + "hello.wasm"}, "--header cannot be 'no colon'"},
      {{"run", "--hostcalls", "--allow-outbound", "10.0.0.0/99", examples + "hello.wasm"},
       "--allow-outbound cannot be"},
      {{"run", "--hostcalls", "--invoke", "run", examples + "hello.wasm"}, "exclude each other"},
      {{"run", "--hostcalls", examples + "hello.wasm", "argument"}, "takes no arguments"},
  };
  for (const auto& each : cases) {
    const ChildResult result = run_tfvm(each.options);
    EXPECT_EQ(result.exit_code, 2) << each.message;
    EXPECT_NE(result.errors.find(each.message), std::string::npos) << result.errors;
    EXPECT_EQ(result.output, "");
  }
}

TEST(HostcallsRun, SaysWhatIsWrongWithTheModule) {
  const ChildResult program = run_tfvm({"run", examples + "hello.wasm"});
  EXPECT_EQ(program.exit_code, 1);
  EXPECT_NE(program.errors.find("tfvm run --hostcalls"), std::string::npos) << program.errors;
  const ChildResult library = run_function({}, testdata("library.wasm"));
  EXPECT_EQ(library.exit_code, 1);
  EXPECT_NE(library.errors.find("it exports neither run nor _start"), std::string::npos) << library.errors;
}

}  // namespace
}  // namespace tfvm::cli
