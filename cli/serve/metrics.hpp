// What the server counts, in all and by function, and its text for Prometheus. Counting takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::serve {

/// Durations in buckets.
class Histogram {
 public:
  /// Upper bounds in microseconds; one more bucket holds all beyond.
  static constexpr std::array<std::uint32_t, 18> bounds = {5,      10,      20,      50,      100,       200,
                                                           500,    1'000,   2'000,   5'000,   10'000,    20'000,
                                                           50'000, 100'000, 200'000, 500'000, 1'000'000, 10'000'000};
  void add(std::chrono::nanoseconds duration);
  std::uint64_t count() const;
  double sum_seconds() const { return static_cast<double>(sum_.load(std::memory_order_relaxed)) * 1e-9; }
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].load(std::memory_order_relaxed); }
  /// The bound, in seconds, below which `share` of all durations lie.
  double quantile(double share) const;

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> sum_{0};  ///< nanoseconds
};

/// Of one function, all its versions.
struct FunctionMetrics {
  std::array<std::atomic<std::uint64_t>, 5> responses{};  ///< by first digit of the status, 1xx first
  std::atomic<std::uint64_t> traps{0};
  std::atomic<std::uint64_t> deadlines{0};
  std::atomic<std::uint64_t> fuel{0};
  std::atomic<std::uint64_t> peak_memory_bytes{0};
  std::atomic<std::uint64_t> response_bytes{0};
  Histogram duration;       ///< from the accepted request to the response handed over
  Histogram instantiation;  ///< of fresh or renewed instances
  Histogram time_to_guest;  ///< from the accepted request to the guest's first instruction

  void count_response(std::uint16_t status);
  void saw_memory(std::uint64_t bytes);
};

/// Of the server.
struct ServerMetrics {
  std::array<std::atomic<std::uint64_t>, 5> responses{};
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> refused_requests{0};  ///< 503 because the queue was full
  std::atomic<std::uint64_t> timeouts{0};          ///< of clients
  std::atomic<std::uint64_t> tls_failures{0};
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();

  void count_response(std::uint16_t status);
};

/// Values of the moment, and texts, beside the counters.
struct Gauge {
  std::string_view name;
  std::string_view help;
  double value = 0;
};
struct NamedMetrics {
  std::string name;
  const FunctionMetrics* metrics = nullptr;
};

/// The text format of Prometheus, version 0.0.4.
std::string prometheus_text(const ServerMetrics& server, const std::vector<Gauge>& gauges,
                            const std::vector<NamedMetrics>& functions);

}  // namespace tfvm::serve
