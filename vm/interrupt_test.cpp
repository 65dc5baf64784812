// Deadlines and interrupts: before a call, in a loop, in recursion, while a host function waits; and afterwards.
#include "vm/interrupt.hpp"

#include <cerrno>
#include <future>
#include <gtest/gtest.h>
#include <poll.h>
#include <thread>

#include "vm/test_instance.hpp"

namespace tfvm::test {
namespace {

using Clock = std::chrono::steady_clock;

const Bytes end = {0x0b};

/// "loop" never ends, "calls" makes tail calls for ever, "quick" returns 5, "wait" calls env.wait.
Bytes module_bytes() {
  ModuleBuilder builder;
  builder.import("env", "wait", Bytes{0x00} + unsigned_leb(builder.type({}, {})));
  export_function(builder, "loop", {}, {}, Bytes{0x03, empty_block, 0x0c, 0x00} + end, 1);
  export_function(builder, "calls", {}, {}, {0x12, 0x02}, 1);
  export_function(builder, "quick", {}, {i32}, i32_const(5), 1);
  export_function(builder, "wait", {}, {}, call_function(0), 1);
  return builder.build();
}

class Interrupt : public testing::Test {
 protected:
  void SetUp() override {
    world.linker.define_function("env", "wait", [this](Caller& caller) { return wait(caller); });
    instance = world.instantiate(module_bytes());
  }
  /// Waits for ever, as interrupt.hpp says.
  HostOutcome wait(Caller& caller) {
    const InterruptGuard guard;
    is_waiting.set_value();
    for (;;) {
      if (const TrapKind kind = caller.pending_interrupt(); kind != TrapKind::None) return HostOutcome::trap(kind);
      ppoll(nullptr, 0, nullptr, &guard.open_mask());
    }
  }

  std::promise<void> is_waiting;
  World world;
  ModuleInstance* instance = nullptr;
};

TEST_F(Interrupt, PassedDeadlineEndsEveryCallUntilItIsCleared) {
  world.store.set_deadline(Clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(world.call_trap(instance, "quick"), TrapKind::DeadlineExceeded);
  EXPECT_EQ(world.call_trap(instance, "quick"), TrapKind::DeadlineExceeded);
  world.store.clear_deadline();
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST_F(Interrupt, FutureDeadlineChangesNothingAndCanBeReplaced) {
  world.store.set_deadline(Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
  world.store.set_deadline(Clock::now());
  EXPECT_EQ(world.call_trap(instance, "quick"), TrapKind::DeadlineExceeded);
  world.store.set_deadline(Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST_F(Interrupt, DeadlineEndsEndlessLoopsAndCalls) {
  for (const char* name : {"loop", "calls"}) {
    world.store.set_deadline(Clock::now() + std::chrono::milliseconds(5));
    EXPECT_EQ(world.call_trap(instance, name), TrapKind::DeadlineExceeded) << name;
    world.store.clear_deadline();
    EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
  }
}

TEST_F(Interrupt, DeadlineEndsAWaitingHostFunction) {
  world.store.set_deadline(Clock::now() + std::chrono::milliseconds(5));
  EXPECT_EQ(world.call_trap(instance, "wait"), TrapKind::DeadlineExceeded);
}

TEST_F(Interrupt, AnotherThreadEndsALoop) {
  std::thread other([this] { world.store.interrupt(); });
  EXPECT_EQ(world.call_trap(instance, "loop"), TrapKind::Interrupted);
  other.join();
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST_F(Interrupt, AnotherThreadEndsAWaitingHostFunction) {
  for (int round = 0; round < 200; ++round) {  // the interrupt comes now before the wait, now in it
    is_waiting = {};
    std::thread other([this] {
      is_waiting.get_future().wait();
      world.store.interrupt();
    });
    EXPECT_EQ(world.call_trap(instance, "wait"), TrapKind::Interrupted);
    other.join();
  }
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST_F(Interrupt, WithNothingRunningTheNextCallEnds) {
  world.store.interrupt(TrapKind::Interrupted);
  EXPECT_EQ(world.call_trap(instance, "quick"), TrapKind::Interrupted);
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST_F(Interrupt, StoresAreInterruptedOneByOne) {
  World second;
  second.linker.define_function("env", "wait", [] {});
  ModuleInstance* const other_instance = second.instantiate(module_bytes());
  world.store.set_deadline(Clock::now() + std::chrono::milliseconds(2));
  second.store.set_deadline(Clock::now() + std::chrono::hours(1));
  EXPECT_EQ(world.call_trap(instance, "loop"), TrapKind::DeadlineExceeded);
  EXPECT_EQ(second.call_i32(other_instance, "quick"), 5u);
}

TEST_F(Interrupt, StoreMayDieWithADeadlineAhead) {
  for (int i = 0; i < 100; ++i) {
    World short_lived;
    short_lived.store.set_deadline(Clock::now() + std::chrono::microseconds(i));
  }
  EXPECT_EQ(world.call_i32(instance, "quick"), 5u);
}

TEST(InterruptGuardTest, NestsAndRestores) {
  sigset_t mask;
  {
    const InterruptGuard outer;
    const InterruptGuard inner;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    EXPECT_EQ(sigismember(&mask, interrupt_signal()), 1);
    EXPECT_EQ(sigismember(&inner.open_mask(), interrupt_signal()), 0);
  }
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, interrupt_signal()), 0);
}

}  // namespace
}  // namespace tfvm::test
