// The threads: who is replaced, who is told of a deadline, how they end.
#include "cli/serve/workers.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>

namespace tfvm::serve {
namespace {

/// A door that stays open.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

class WorkersTest : public testing::Test {
 protected:
  void start(unsigned loops, unsigned max_threads) {
    Workers::Config config;
    config.loops = loops;
    config.max_threads = max_threads;
    workers_ = std::make_unique<Workers>(io_, config);
    workers_->start();
  }
  template <class Work>
  void post(Work work) {
    boost::asio::post(io_, [this, work] {
      work();
      workers_->leave_if_replaced();
    });
  }
  void end() {
    work_.reset();
    workers_->join();
  }
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::unique_ptr<Workers> workers_;
};

TEST_F(WorkersTest, AThreadThatIsHeldUpIsReplaced) {
  start(1, 8);
  Gate others_ran;
  Gate ended;
  post([&] {
    const Workers::Section section(*workers_, std::chrono::steady_clock::now(), SteadyTime::max(), nullptr);
    others_ran.wait();  // would wait for ever if this were the only thread
  });
  post([&] { others_ran.open(); });
  post([&] { ended.open(); });
  ended.wait();
  EXPECT_EQ(workers_->threads(), 2u);
  EXPECT_EQ(workers_->replacements(), 1u);
  end();
}

TEST_F(WorkersTest, SparesAreUsedAgainAndBounded) {
  start(1, 3);
  for (int round = 0; round < 20; ++round) {
    // Shared: the thread that was held up may still be leaving when the next round begins.
    const auto others_ran = std::make_shared<Gate>();
    const auto others_ended = std::make_shared<Gate>();
    post([this, others_ran] {
      const Workers::Section section(*workers_, std::chrono::steady_clock::now(), SteadyTime::max(), nullptr);
      others_ran->wait();
    });
    post([others_ran] { others_ran->open(); });
    post([others_ended] { others_ended->open(); });
    others_ended->wait();
  }
  EXPECT_LE(workers_->threads(), 3u);
  end();
}

class Deadline final : public Watched {
 public:
  void on_deadline() override { passed.open(); }
  void on_slow() override { is_slow = true; }
  Gate passed;
  std::atomic<bool> is_slow{false};
};

TEST_F(WorkersTest, DeadlinesAreToldWhileTheSectionLasts) {
  start(1, 8);
  Deadline deadline;
  Gate ended;
  post([&] {
    {
      const auto now = std::chrono::steady_clock::now();
      const Workers::Section section(*workers_, now, now + std::chrono::milliseconds(20), &deadline);
      deadline.passed.wait();
    }
    ended.open();
  });
  ended.wait();
  EXPECT_TRUE(deadline.is_slow);
  end();
}

TEST_F(WorkersTest, OtherThreadsMayHaveSections) {
  start(1, 1);
  const Workers::Section section(*workers_, std::chrono::steady_clock::now(), SteadyTime::max(), nullptr);
  Gate ran;
  post([&] { ran.open(); });
  ran.wait();
  end();
}

}  // namespace
}  // namespace tfvm::serve
