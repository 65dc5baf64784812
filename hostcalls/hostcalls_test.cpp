// Loading, life cycle and isolation of guests with hostcalls: checks 1 to 10 and 44 to 52 of the ABI, as far as they
// need no server; fuel and tracing.
#include "hostcalls/hostcalls.hpp"

#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <thread>

#include "hostcalls/test_guest.hpp"
#include "hostcalls/test_services.hpp"

namespace tfvm::hostcalls {
namespace {

using LogKind = HostcallServices::LogKind;
using World = TestGuest::World;

/// As wasm.fastlylabs.com's template: run asks for one header; no memory, no allocator is exported.
const char* const wat_template = R"((module
  (import "env" "hostcall_req_get_header" (func $req_get_header (param i32 i32 i32 i32 i32)))
  (memory 1)
  (data (i32.const 100) "X-Answer")
  (func (export "run")
    (call $req_get_header (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 100) (i32.const 8)))))";

std::string import_of(const std::string& name, const std::string& type) {
  return "(module (import \"env\" \"" + name + "\" (func " + type + ")))";
}

TEST(Hostcalls, ProvidesExactlyTheThirtyTwo) {
  int count = 0;
#define HOSTCALL(name, fuel, result, ...)                          \
  EXPECT_TRUE(Hostcalls::provides("env", "hostcall_" #name));      \
  EXPECT_FALSE(Hostcalls::provides("wasi", "hostcall_" #name));    \
  EXPECT_FALSE(Hostcalls::provides("env", #name));                 \
  EXPECT_FALSE(Hostcalls::provides("env", "hostcall_" #name "x")); \
  ++count;
#include "hostcalls/functions.def"
#undef HOSTCALL
  EXPECT_EQ(count, 32);
  EXPECT_FALSE(Hostcalls::provides("env", ""));
  EXPECT_FALSE(Hostcalls::provides("env", "hostcall_"));
}

TEST(Hostcalls, Check03_AnUnknownHostcallIsALinkErrorThatNamesIt) {
  TestGuest guest(wat(import_of("hostcall_req_get_cookie", "(param i32)")));
  EXPECT_NE(guest.error().find("env.hostcall_req_get_cookie"), std::string::npos) << guest.error();
}

TEST(Hostcalls, Check04_AnotherTypeIsALinkErrorThatIsExplained) {
  const Bytes module = wat(import_of("hostcall_req_get_method", "(param i32) (result i32)"));
  TestGuest guest(module);
  EXPECT_NE(guest.error().find("incompatible import type"), std::string::npos) << guest.error();
  const auto loaded = Engine().load(module);
  const std::string text = Hostcalls::explain_mismatch((*loaded)->module());
  EXPECT_NE(text.find("hostcall_req_get_method is imported as (i32) -> (i32), but it is (i32, i32, i32) -> ()"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("AssemblyScript"), std::string::npos);
  const auto right = Engine().load(wat(import_of("hostcall_req_get_method", "(param i32 i32 i32)")));
  EXPECT_EQ(Hostcalls::explain_mismatch((*right)->module()), "");
  const auto global = Engine().load(wat("(module (import \"env\" \"hostcall_debug\" (global i32)))"));
  EXPECT_NE(Hostcalls::explain_mismatch((*global)->module()).find("is imported as a global"), std::string::npos);
}

TEST(Hostcalls, Check05_ImportsThatNobodyCallsAreTypeCheckedToo) {
  for (const char* const type : {"(param i32)", "(param i32 i64)", "(param i32 i32) (result i32)"}) {
    TestGuest guest(
        wat(std::string("(module (import \"env\" \"hostcall_debug\" (func ") + type + ")) (func (export \"run\")))"));
    EXPECT_NE(guest.error(), "") << type;
  }
}

TEST(Hostcalls, Check06_AModuleWithoutRunIsNoCrash) {
  for (const char* const text :
       {"(module)", "(module (func (export \"run\") (param i32)))", "(module (memory (export \"run\") 1))"}) {
    const Bytes module = wat(text);
    Engine engine;
    Store store(engine);
    Linker linker(store);
    const auto instance = linker.instantiate(*engine.load(module));
    ASSERT_TRUE(instance.ok());
    EXPECT_FALSE(instance->get_function<void()>("run").ok());
  }
}

TEST(Hostcalls, Check07_WithoutExportedMemoryAMissingHeaderIsFine) {
  TestGuest guest(wat(wat_template));
  const HttpResponse response = guest.run();
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(guest.load(0), 0u);
  EXPECT_EQ(guest.load(4), 0u);
}

TEST(Hostcalls, Check07_WithoutAllocatorAHeaderThatIsThereEndsTheGuest) {
  World setup;
  setup.request.headers = {{"x-answer", "42"}};
  TestGuest guest(wat(wat_template), std::move(setup));
  guest.run();
  ASSERT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed);
  EXPECT_NE(guest.trap()->message.find("the guest's allocator is missing"), std::string::npos);
}

TEST(Hostcalls, Check08_TheStartFunctionMayCallInitMm) {
  World setup;
  setup.request.method = "PUT";
  TestGuest guest(wat("(module " + all_imports() + R"((memory 1) (table 4 funcref) (elem (i32.const 3) $alloc)
    (func $alloc (param i32) (result i32) (i32.const 512))
    (func $start (call $init_mm (i32.const 3) (i32.const 0)))
    (start $start)
    (func (export "run") (call $req_get_method (i32.const 0) (i32.const 4) (i32.const 0)))))"),
                  std::move(setup));
  guest.run();
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(guest.load(0), 512u);
  EXPECT_EQ(guest.text(512, 4), std::string("PUT\0", 4));
}

TEST(Hostcalls, Check08_TheStartFunctionMayReadTheRequest) {
  World setup;
  setup.request.target = "/early";
  TestGuest guest(program("(func $start (call $req_get_path (i32.const 16) (i32.const 20) (i32.const 0)))"
                          "(start $start)"),
                  std::move(setup));
  EXPECT_EQ(guest.result(), "/early");
}

TEST(Hostcalls, Check09_AStartFunctionThatTrapsEndsTheInstantiationOnly) {
  TestGuest guest(wat("(module (func $start unreachable) (start $start) (func (export \"run\")))"));
  EXPECT_EQ(guest.error(), "");
  EXPECT_EQ(guest.trap_kind(), TrapKind::Unreachable);
}

TEST(Hostcalls, Check10_OutputOfCurrentCompilersLoads) {
  const auto module = wat(R"((module
    (memory (export "memory") 1)
    (global $g (export "g") (mut i32) (i32.const 5))
    (table $t 2 funcref) (table $e 2 externref)
    (func $two (result i32 i32) (i32.const 1) (i32.const 2))
    (func (export "run")
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 4))
      (memory.copy (i32.const 8) (i32.const 0) (i32.const 4))
      (drop (i32.extend8_s (i32.const 200)))
      (drop (i32.trunc_sat_f32_s (f32.const nan)))
      (table.set $e (i32.const 0) (ref.null extern))
      (drop (drop (call $two))))))");
  TestGuest guest(module);
  EXPECT_EQ(guest.error(), "");
  guest.run();
  EXPECT_FALSE(guest.trap().has_value());
  EXPECT_EQ(guest.text(8, 4), "\7\7\7\7");
}

TEST(Hostcalls, Check44_NothingOfATrappedGuestsResponseIsAskedFor) {
  TestGuest guest(program(R"((data (i32.const 100) "secret")
    (func (export "run")
      (drop (call $resp_set_body (i32.const 0) (i32.const 100) (i32.const 6)))
      (unreachable)))"));
  guest.call("run");
  EXPECT_EQ(guest.trap_kind(), TrapKind::Unreachable);
  // What the server does then: the next request starts over.
  guest.hostcalls().begin({});
  EXPECT_EQ(guest.hostcalls().take_response().body, "");
}

TEST(Hostcalls, Check45_APanicIsLoggedAndRemembered) {
  TestGuest guest(program(R"((data (i32.const 100) "panicked at 'boom\n\1b[31m', lib.rs:1")
    (func (export "run")
      (call $panic_hook (i32.const 100) (i32.const 34))
      (unreachable)))"));
  guest.call("run");
  EXPECT_EQ(guest.trap_kind(), TrapKind::Unreachable);
  const std::string message = "panicked at 'boom\\0a\\1b[31m', lib.rs:1";
  EXPECT_EQ(guest.hostcalls().panic_message(), message);
  EXPECT_EQ(guest.log(), (std::vector<TestGuest::LogLine>{{LogKind::Panic, message}}));
  guest.hostcalls().take_response();
  EXPECT_EQ(guest.hostcalls().panic_message(), message) << "the server may ask late";
  guest.hostcalls().begin({});
  EXPECT_FALSE(guest.hostcalls().panic_message().has_value());
}

TEST(Hostcalls, Check46_ADeadlineEndsALoopAndALoopInsideOfMalloc) {
  const std::string loop = "(loop $forever (br $forever))";
  for (const Bytes& module :
       {wat("(module (memory 1) (func (export \"run\") " + loop + "))"),
        wat("(module " + all_imports() + "(memory 1) (func (export \"malloc\") (param i32) (result i32) " + loop +
            " (i32.const 0)) (func (export \"run\") (call $req_get_path (i32.const 0) (i32.const 4) (i32.const "
            "0))))")}) {
    TestGuest guest(module);
    guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    guest.run();
    EXPECT_EQ(guest.trap_kind(), TrapKind::DeadlineExceeded);
  }
}

TEST(Hostcalls, Check46_ADeadlineEndsAWaitForAResponse) {
  FakeHttpClient http([](const HttpRequest&) { return HttpResponse{}; });
  http.holds_back = true;
  World setup;
  setup.services.http = &http;
  TestGuest guest(puppet(), std::move(setup));
  for (const bool asynchronous : {false, true}) {
    const std::int32_t request = guest.create("GET", "http://example.com/");
    const std::int32_t pending = asynchronous ? guest.call_i32("req_send_async", request) : 0;
    guest.put_u32(64, static_cast<std::uint32_t>(pending));
    guest.store().set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    if (asynchronous) guest.call("pending_req_select", 64, 1, 68);
    else guest.call("req_send", request);
    EXPECT_EQ(guest.trap_kind(), TrapKind::DeadlineExceeded);
    guest.store().clear_deadline();
  }
  guest.hostcalls().begin({});
  EXPECT_EQ(http.cancelled, 2u);
}

TEST(Hostcalls, Check47_MemoryEndsAtTheCapInsideOfTheGuest) {
  World setup;
  setup.limits.max_memory_bytes = 8 * page_size_bytes;
  TestGuest guest(program(R"((func (export "run")
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (i32.store (i32.const 16) (memory.size))
    (drop (call $resp_set_body (i32.const 0) (i32.const 16) (i32.const 4)))))"),
                  std::move(setup));
  EXPECT_EQ(guest.run().body, std::string("\10\0\0\0", 4));
  EXPECT_FALSE(guest.trap().has_value());
}

TEST(Hostcalls, Check48_RecursionEndsAlsoThroughMalloc) {
  TestGuest deep(program("(func $deep (export \"run\") (call $deep))"));
  deep.run();
  EXPECT_EQ(deep.trap_kind(), TrapKind::CallStackExhausted);

  World setup;
  setup.request.body = "x";
  const auto malloc_that_calls = [](const std::string& calls) {
    return wat("(module " + all_imports() + "(memory (export \"memory\") 1) (global $depth (mut i32) (i32.const 0))" +
               "(func $get (export \"run\") (call $req_get_body (i32.const 0) (i32.const 4) (i32.const 0)))" +
               "(func (export \"malloc\") (param i32) (result i32) " + calls + " (i32.const 64)))");
  };
  TestGuest reentrant(malloc_that_calls("(call $get)"), std::move(setup));
  reentrant.run();
  EXPECT_EQ(reentrant.trap_kind(), TrapKind::CallStackExhausted);
  reentrant.run();
  EXPECT_EQ(reentrant.trap_kind(), TrapKind::None) << "without a body nothing is allocated";

  World three;
  three.request.body = "x";
  TestGuest bounded(malloc_that_calls("(global.set $depth (i32.add (global.get $depth) (i32.const 1)))"
                                      "(if (i32.lt_u (global.get $depth) (i32.const 3)) (then (call $get)))"),
                    std::move(three));
  bounded.run();
  EXPECT_FALSE(bounded.trap().has_value()) << "a getter inside of malloc is no mistake";
}

TEST(Hostcalls, Check49_NothingPersistsInANewInstance) {
  const Bytes module = program(R"((global $count (mut i32) (i32.const 48))
    (func (export "run")
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (i32.store8 (i32.const 16) (global.get $count))
      (i32.store8 (i32.const 17) (i32.add (i32.load8_u (i32.const 17)) (i32.const 49)))
      (drop (call $resp_set_body (i32.const 0) (i32.const 16) (i32.const 2)))))");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(TestGuest(module).run().body, "11");
}

TEST(Hostcalls, Check50_GuestsOnManyThreadsNeverMix) {
  const Bytes module = program(R"((func (export "run")
    (call $req_get_path (i32.const 16) (i32.const 20) (i32.const 0))
    (drop (call $resp_set_body (i32.const 0) (i32.load (i32.const 16)) (i32.load (i32.const 20))))))");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t number = 0; number < wrong.size(); ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < 250; ++i) {
        World setup;
        setup.request.target = "/" + std::to_string(number) + "/" + std::to_string(i);
        const std::string target = setup.request.target;
        if (TestGuest(module, std::move(setup)).run().body != target) ++wrong[number];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(Hostcalls, Check51_HandlesAndAllocatorOfARequestAreUnknownInTheNext) {
  FakeHttpClient http([](const HttpRequest&) { return HttpResponse{404, {}, "no"}; });
  World setup;
  setup.services.http = &http;
  TestGuest guest(puppet(), std::move(setup));
  const std::int32_t response = guest.call_i32("req_send", guest.create("GET", "http://a/"));
  const std::int32_t request = guest.create("GET", "http://a/");
  EXPECT_EQ(guest.call("resp_get_response_code", response), 404u);
  guest.hostcalls().begin({});
  EXPECT_EQ(guest.set_body("req_set_body", request, "x"), 1u);
  EXPECT_EQ(guest.call_i32("req_send", request), -1);
  guest.call("resp_get_response_code", response);
  EXPECT_EQ(guest.trap_kind(), TrapKind::HostFunctionFailed);
  EXPECT_EQ(guest.create("GET", "http://a/"), 1);
}

TEST(Hostcalls, Check52_RequestsLeaveNothingBehind) {
  FakeHttpClient http([](const HttpRequest&) { return HttpResponse{}; });
  World setup;
  setup.services.http = &http;
  TestGuest guest(puppet(), std::move(setup));
  for (int i = 0; i < 1'000; ++i) {
    guest.hostcalls().begin({"GET", "/", {{"a", "b"}}, std::string(1'000, 'x')});
    EXPECT_EQ(guest.create("GET", "http://a/"), 1);
    EXPECT_EQ(guest.call_i32("req_send_async", 1), 1);
    guest.set_body("resp_set_body", 0, "answer");
    EXPECT_EQ(guest.hostcalls().take_response().body, "answer");
  }
  EXPECT_EQ(http.cancelled, 1'000u);
}

TEST(Hostcalls, WorkOfTheHostCostsFuel) {
  World setup;
  setup.request.body = std::string(1'600, 'b');
  setup.limits.fuel = 1'000'000;
  TestGuest guest(puppet(), std::move(setup));
  const auto cost = [&guest](auto&&... call) {
    const std::uint64_t before = *guest.store().fuel();
    guest.call(call...);
    return before - *guest.store().fuel();
  };
  const std::uint64_t code = cost("resp_set_response_code", 0, 200);
  EXPECT_LT(code, 20u);
  const std::uint64_t empty_body = cost("resp_set_body", 0, 0, 0);
  EXPECT_EQ(cost("resp_set_body", 0, 0, 16'000), empty_body + 1'000);
  EXPECT_GT(cost("req_get_body", 16, 20, 0), 100u);
  EXPECT_GE(cost("kvstore_remove", 0, 0), 2'000u);
  guest.store().set_fuel(1'999);
  guest.call("kvstore_remove", 0, 0);
  EXPECT_EQ(guest.trap_kind(), TrapKind::OutOfFuel);
  guest.store().set_fuel(100);
  guest.call("resp_set_body", 0, 0, 16'000);
  EXPECT_EQ(guest.trap_kind(), TrapKind::OutOfFuel);
}

/// What the README's tariff says of a call: the row whose names, or whose beginnings of names ("req_get_*"), fit first.
std::uint64_t fuel_in_readme(const std::string& name) {
  std::ifstream readme(TFVM_SOURCE_DIR "/hostcalls/README.md");
  const std::regex row(R"(\| (`.*`) \| ([0-9,]+) \|)");
  const std::regex quoted("`([a-z_0-9]+)(\\*?)`");
  for (std::string line; std::getline(readme, line);) {
    std::smatch columns;
    if (!std::regex_match(line, columns, row)) continue;
    const std::string names = columns[1];
    std::string fuel = columns[2];
    std::erase(fuel, ',');
    for (auto each = std::sregex_iterator(names.begin(), names.end(), quoted); each != std::sregex_iterator(); ++each)
      if ((*each)[2].length() > 0 ? name.starts_with((*each)[1].str()) : name == (*each)[1].str())
        return std::stoull(fuel);
  }
  return 0;
}

TEST(Hostcalls, TheReadmeHasTheTariff) {
#define HOSTCALL(name, fuel, result, ...) EXPECT_EQ(fuel_in_readme(#name), fuel) << #name;
#include "hostcalls/functions.def"
#undef HOSTCALL
}

TEST(Hostcalls, TraceShowsCallsAllocationsAndResults) {
  World setup;
  setup.request.method = "GET";
  TestGuest guest(puppet(), std::move(setup));
  guest.call("req_get_method", 16, 20, 0);
  guest.call("resp_set_body", -1, 16, 0);
  EXPECT_EQ(guest.traced(), (std::vector<std::string>{"hostcall_req_get_method(16, 20, 0)", "  malloc(4) = 0x2000",
                                                      "hostcall_resp_set_body(-1, 16, 0)", "  => 1"}));
}

}  // namespace
}  // namespace tfvm::hostcalls
