// Runs pieces of work in child processes, several at a time: a crash or an endless loop ends one piece, not the run.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include "spectests/report.hpp"

namespace tfvm::spectests {

struct JobOptions {
  std::size_t parallel = 1;
  std::chrono::milliseconds time_limit{120'000};  ///< for one piece
};

/// Calls work(i) for each i below `count`, in a child process, and then done(i, report) here, in the order of i.
/// A piece that crashes, hangs or throws gets a report with one more failure that says so.
/// REQUIRES: the calling process has one thread.
void run_jobs(std::size_t count, const JobOptions& options, const std::function<Report(std::size_t)>& work,
              const std::function<void(std::size_t, const Report&)>& done);

}  // namespace tfvm::spectests
