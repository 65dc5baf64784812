// Child processes: reports in order, crashes and hangs as failures, programs with all ways to end.
#include "spectests/jobs.hpp"

#include <csignal>
#include <gtest/gtest.h>
#include <stdexcept>
#include <unistd.h>

#include "spectests/process.hpp"

namespace tfvm::spectests {
namespace {

Report passed(std::uint64_t count) {
  Report report;
  report.passed = count;
  return report;
}

std::vector<Report> run_all(std::size_t count, std::size_t parallel, const std::function<Report(std::size_t)>& work,
                            std::chrono::milliseconds time_limit = std::chrono::minutes(5)) {
  std::vector<Report> reports;
  run_jobs(count, JobOptions{parallel, time_limit}, work, [&](std::size_t index, const Report& report) {
    EXPECT_EQ(index, reports.size());
    reports.push_back(report);
  });
  return reports;
}

TEST(Jobs, ReportsComeInOrder) {
  const auto reports = run_all(20, 3, [](std::size_t index) { return passed(index * 1000); });
  ASSERT_EQ(reports.size(), 20u);
  for (std::size_t i = 0; i < reports.size(); ++i) EXPECT_EQ(reports[i].passed, i * 1000);
}

TEST(Jobs, ACrashIsOneFailure) {
  const auto reports = run_all(3, 2, [](std::size_t index) {
    if (index == 1) raise(SIGKILL);
    return passed(1);
  });
  ASSERT_EQ(reports.size(), 3u);
  EXPECT_EQ(reports[1].failed, 1u);
  EXPECT_NE(reports[1].failures.at(0).find("crash"), std::string::npos);
  EXPECT_EQ(reports[2].failed, 0u);
}

TEST(Jobs, AHangIsOneFailure) {
  const auto reports = run_all(
      1, 1,
      [](std::size_t) {
        while (true) pause();
        return passed(1);
      },
      std::chrono::milliseconds(100));
  EXPECT_EQ(reports.at(0).failed, 1u);
  EXPECT_EQ(reports.at(0).failures.at(0), "the time limit is over");
}

TEST(Jobs, AnExceptionAndAnEarlyExitAreFailures) {
  const auto reports = run_all(2, 1, [](std::size_t index) -> Report {
    if (index == 0) throw std::runtime_error("no");
    _exit(0);
  });
  EXPECT_EQ(reports.at(0).failures.at(0), "exception: no");
  EXPECT_EQ(reports.at(1).failures.at(0), "the process ended before the end of the script");
}

TEST(Jobs, LargeReportsArriveWhole) {
  const auto reports = run_all(1, 1, [](std::size_t) {
    Report report;
    for (int i = 0; i < 10'000; ++i) report.failures.push_back("failure with some text, number " + std::to_string(i));
    report.failed = 10'000;
    return report;
  });
  EXPECT_EQ(reports.at(0).failures.size(), 10'000u);
}

TEST(Report, SurvivesSerialisation) {
  Report report;
  report.passed = 5;
  report.failed = 1;
  report.skipped = {{"needs gc", 2}, {"text format", 3}};
  report.failures = {"a:1: two\nlines"};
  const Report read = deserialize(serialize(report));
  EXPECT_TRUE(read.complete);
  EXPECT_EQ(read.summary(true), "5 passed, 1 failed, 5 skipped (2 needs gc, 3 text format)");
  EXPECT_EQ(read.failures.at(0), "a:1: two lines");
}

TEST(Report, WithoutItsEndItIsIncomplete) {
  const std::string text = serialize(passed(5));
  EXPECT_FALSE(deserialize(text.substr(0, text.size() - 7)).complete);
  EXPECT_FALSE(deserialize("").complete);
  EXPECT_FALSE(deserialize("garbage\n\x01 \n").complete);
}

TEST(Process, ExitCodesSignalsAndErrorOutput) {
  const auto limit = std::chrono::minutes(1);
  EXPECT_TRUE(run_process({"true"}, "/", limit)->ok());
  EXPECT_EQ(run_process({"false"}, "/", limit)->exit_code, 1);
  const auto killed = run_process({"sh", "-c", "kill -SEGV $$"}, "/", limit);
  EXPECT_EQ(killed->signal, SIGSEGV);
  EXPECT_TRUE(killed->crashed());
  EXPECT_EQ(run_process({"sh", "-c", "echo $0 >&2", "a b"}, "/", limit)->error_output, "a b\n");
}

TEST(Process, TheTimeLimitKills) {
  const auto result = run_process({"sleep", "600"}, "/", std::chrono::milliseconds(50));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->timed_out);
  EXPECT_FALSE(result->ok());
}

TEST(Process, WhatDoesNotExistIsAnError) {
  EXPECT_FALSE(run_process({"no-such-program-here"}, "/", std::chrono::minutes(1)).ok());
  EXPECT_FALSE(run_process({"true"}, "/no/such/folder", std::chrono::minutes(1)).ok());
}

TEST(Process, HugeErrorOutputIsCutAndDoesNotBlock) {
  const auto result = run_process({"sh", "-c", "head -c 5000000 /dev/zero >&2"}, "/", std::chrono::minutes(1));
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->ok());
  EXPECT_LT(result->error_output.size(), 2'000'000u);
}

}  // namespace
}  // namespace tfvm::spectests
