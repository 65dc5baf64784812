// Counters and the text that Prometheus reads.
#include "cli/serve/metrics.hpp"

#include <gtest/gtest.h>

namespace tfvm::serve {
namespace {

TEST(MetricsTest, DurationsFallIntoTheirBuckets) {
  Histogram histogram;
  for (const int microseconds : {1, 5, 6, 20, 5'000, 20'000'000})
    histogram.add(std::chrono::microseconds(microseconds));
  EXPECT_EQ(histogram.count(), 6u);
  EXPECT_EQ(histogram.bucket(0), 2u);
  EXPECT_EQ(histogram.bucket(1), 1u);
  EXPECT_EQ(histogram.bucket(2), 1u);
  EXPECT_EQ(histogram.bucket(Histogram::bounds.size()), 1u);
  EXPECT_DOUBLE_EQ(histogram.quantile(0.5), 10e-6);
  EXPECT_NEAR(histogram.sum_seconds(), 20.005032, 1e-9);
}

TEST(MetricsTest, TextHasEveryFamilyOnceAndEscapesNames) {
  ServerMetrics server;
  server.count_response(200);
  server.count_response(503);
  FunctionMetrics function;
  function.count_response(200);
  function.duration.add(std::chrono::microseconds(3));
  function.saw_memory(65'536);
  function.saw_memory(100);
  const std::string text = prometheus_text(server, {{"tfvm_test", "a test", 2.5}}, {{"a\"\n\\b", &function}});
  for (const char* const line : {"# TYPE tfvm_responses_total counter\n", "tfvm_responses_total{class=\"2xx\"} 1\n",
                                 "tfvm_responses_total{class=\"5xx\"} 1\n", "tfvm_test 2.5\n",
                                 "tfvm_function_responses_total{function=\"a\\\"\\n\\\\b\",class=\"2xx\"} 1\n",
                                 "tfvm_function_duration_seconds_bucket{function=\"a\\\"\\n\\\\b\",le=\"5e-06\"} 1\n",
                                 "tfvm_function_duration_seconds_bucket{function=\"a\\\"\\n\\\\b\",le=\"+Inf\"} 1\n",
                                 "tfvm_function_peak_memory_bytes{function=\"a\\\"\\n\\\\b\"} 65536\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_EQ(text.find("# TYPE tfvm_function_responses_total"), text.rfind("# TYPE tfvm_function_responses_total"));
}

}  // namespace
}  // namespace tfvm::serve
