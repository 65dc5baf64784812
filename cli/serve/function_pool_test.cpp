// Places and sandboxes: bounds, turns, which sandboxes are kept.
#include "cli/serve/function_pool.hpp"

#include <gtest/gtest.h>

#include "cli/serve/test_server.hpp"

namespace tfvm::serve {
namespace {

class TestWaiter final : public Waiter {
 public:
  void resume(bool is_admitted) override { answers.push_back(is_admitted); }
  std::vector<bool> answers;
};

class FunctionPoolTest : public testing::Test {
 protected:
  std::shared_ptr<const Function> function(const std::string& name, std::uint32_t max_concurrent = 64) {
    auto made = std::make_shared<Function>();
    made->name = name;
    made->module = *engine_.load(test_module("hello.wasm"));
    auto settings = std::make_shared<FunctionSettings>();
    settings->max_concurrent = max_concurrent;
    made->settings = settings;
    services_.engine = &engine_;
    return made;
  }
  std::unique_ptr<Sandbox> sandbox(const std::shared_ptr<const Function>& of) {
    return std::make_unique<Sandbox>(of, services_);
  }
  Engine engine_;
  SandboxServices services_;
  std::shared_ptr<TestWaiter> waiter_ = std::make_shared<TestWaiter>();
  FunctionState* state_ = nullptr;
  std::unique_ptr<Sandbox> taken_;
};

TEST_F(FunctionPoolTest, GivesTheSandboxUsedLastOfTheSameVersion) {
  FunctionPool pool({});
  const auto old_version = function("f");
  const auto new_version = function("f");
  ASSERT_EQ(pool.enter(old_version, waiter_, state_, taken_), FunctionPool::Verdict::Run);
  EXPECT_EQ(taken_, nullptr);
  auto made = sandbox(old_version);
  const Sandbox* const first = made.get();
  pool.leave(*state_, std::move(made));
  EXPECT_EQ(pool.counts().idle, 1u);
  ASSERT_EQ(pool.enter(old_version, waiter_, state_, taken_), FunctionPool::Verdict::Run);
  EXPECT_EQ(taken_.get(), first);
  pool.leave(*state_, std::move(taken_));
  ASSERT_EQ(pool.enter(new_version, waiter_, state_, taken_), FunctionPool::Verdict::Run);
  EXPECT_EQ(taken_, nullptr) << "the old version's is gone";
  pool.leave(*state_, nullptr);
  EXPECT_EQ(pool.counts().idle, 0u);
}

TEST_F(FunctionPoolTest, DropsTheOldestBeyondTheBound) {
  PoolLimits limits;
  limits.max_idle = 2;
  FunctionPool pool(limits);
  const std::shared_ptr<const Function> functions[] = {function("a"), function("b"), function("c")};
  for (const auto& each : functions) {
    pool.enter(each, waiter_, state_, taken_);
    pool.leave(*state_, sandbox(each));
  }
  EXPECT_EQ(pool.counts().idle, 2u);
  EXPECT_EQ(pool.take(functions[0]), nullptr);
  EXPECT_NE(pool.take(functions[1]), nullptr);
  EXPECT_NE(pool.take(functions[2]), nullptr);
}

TEST_F(FunctionPoolTest, DropsTheOldestBeyondTheBytes) {
  PoolLimits limits;
  limits.max_idle_bytes = 2u << 16;
  FunctionPool pool(limits);
  boost::asio::io_context io;
  Workers workers(io, {});
  const std::shared_ptr<const Function> functions[] = {function("a"), function("b"), function("c")};
  for (const auto& each : functions) {
    pool.enter(each, waiter_, state_, taken_);
    auto made = sandbox(each);
    hostcalls::HttpResponse response;
    Sandbox::Limits run_limits;
    run_limits.workers = &workers;
    ASSERT_TRUE(made->run(hostcalls::HttpRequest(), response, run_limits).ok());
    EXPECT_EQ(made->memory_bytes(), 1u << 16);
    pool.leave(*state_, std::move(made));
  }
  EXPECT_EQ(pool.counts().idle, 2u);
  EXPECT_EQ(pool.take(functions[0]), nullptr);
}

TEST_F(FunctionPoolTest, DropsWhatNobodyUses) {
  FunctionPool pool({});
  const auto used = function("f");
  pool.enter(used, waiter_, state_, taken_);
  pool.leave(*state_, sandbox(used));
  pool.housekeeping(std::chrono::steady_clock::now());
  EXPECT_EQ(pool.counts().idle, 1u);
  pool.housekeeping(std::chrono::steady_clock::now() + std::chrono::hours(1));
  EXPECT_EQ(pool.counts().idle, 0u);
}

TEST_F(FunctionPoolTest, WaitersGetTheirTurnOrARefusal) {
  PoolLimits limits;
  limits.max_running = 2;
  limits.max_waiting = 2;
  FunctionPool pool(limits);
  const auto narrow = function("narrow", 1);
  const auto wide = function("wide");
  FunctionState* narrow_state = nullptr;
  ASSERT_EQ(pool.enter(narrow, waiter_, narrow_state, taken_), FunctionPool::Verdict::Run);
  const auto second_narrow = std::make_shared<TestWaiter>();
  ASSERT_EQ(pool.enter(narrow, second_narrow, state_, taken_), FunctionPool::Verdict::Wait);
  FunctionState* wide_state = nullptr;
  ASSERT_EQ(pool.enter(wide, waiter_, wide_state, taken_), FunctionPool::Verdict::Run) << "it need not wait for others";
  const auto second_wide = std::make_shared<TestWaiter>();
  ASSERT_EQ(pool.enter(wide, second_wide, state_, taken_), FunctionPool::Verdict::Wait);
  EXPECT_EQ(pool.enter(wide, waiter_, state_, taken_), FunctionPool::Verdict::Refused);
  pool.leave(*wide_state, nullptr);
  EXPECT_EQ(second_wide->answers, std::vector<bool>{true}) << "narrow still has all that it may";
  EXPECT_TRUE(second_narrow->answers.empty());
  pool.leave(*narrow_state, nullptr);
  EXPECT_EQ(second_narrow->answers, std::vector<bool>{true});
  EXPECT_EQ(pool.counts().running, 2u);
  const auto late = std::make_shared<TestWaiter>();
  ASSERT_EQ(pool.enter(narrow, late, state_, taken_), FunctionPool::Verdict::Wait);
  pool.housekeeping(std::chrono::steady_clock::now() + std::chrono::hours(1));
  EXPECT_EQ(late->answers, std::vector<bool>{false});
}

}  // namespace
}  // namespace tfvm::serve
