// Counters and their text (metrics.hpp).
#include "cli/serve/metrics.hpp"

#include <algorithm>
#include <cstdio>

namespace tfvm::serve {
namespace {

constexpr std::array<std::string_view, 5> classes = {"1xx", "2xx", "3xx", "4xx", "5xx"};

std::size_t class_of(std::uint16_t status) { return std::clamp<std::size_t>(status / 100, 1, 5) - 1; }

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.9g", value);
  return text;
}

// A label's value: backslash, quote and newline escaped; other control characters replaced.
std::string label(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') result += '\\';
    if (c == '\n') result += "\\n";
    else result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return result;
}

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::string_view labels, double value, std::string_view suffix = {}) {
    text_.append(name_).append(suffix);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(number(value)).append("\n");
  }
  void histogram(const std::string& labels, const Histogram& histogram) {
    const std::string separator = labels.empty() ? "" : ",";
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
      sum += histogram.bucket(i);
      sample(labels + separator + "le=\"" + number(Histogram::bounds[i] * 1e-6) + '"', static_cast<double>(sum),
             "_bucket");
    }
    sum += histogram.bucket(Histogram::bounds.size());
    sample(labels + separator + "le=\"+Inf\"", static_cast<double>(sum), "_bucket");
    sample(labels, histogram.sum_seconds(), "_sum");
    sample(labels, static_cast<double>(sum), "_count");
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string_view name_;
};

double value_of(const std::atomic<std::uint64_t>& counter) {
  return static_cast<double>(counter.load(std::memory_order_relaxed));
}

template <class Give>
void by_function(Text& text, const std::vector<NamedMetrics>& functions, Give give) {
  for (const NamedMetrics& function : functions)
    give(text, "function=\"" + label(function.name) + '"', *function.metrics);
}

void add_function_families(Text& text, const std::vector<NamedMetrics>& functions) {
  text.family("tfvm_function_responses_total", "counter", "Responses by function and class of status.");
  by_function(text, functions, [](Text& out, const std::string& labels, const FunctionMetrics& metrics) {
    for (std::size_t i = 0; i < classes.size(); ++i)
      if (metrics.responses[i].load(std::memory_order_relaxed) != 0)
        out.sample(labels + ",class=\"" + std::string(classes[i]) + '"', value_of(metrics.responses[i]));
  });
  const auto counter = [&](std::string_view name, std::string_view type, std::string_view help,
                           std::atomic<std::uint64_t> FunctionMetrics::* member) {
    text.family(name, type, help);
    by_function(text, functions, [&](Text& out, const std::string& labels, const FunctionMetrics& metrics) {
      out.sample(labels, value_of(metrics.*member));
    });
  };
  counter("tfvm_function_traps_total", "counter", "Runs that ended in a trap.", &FunctionMetrics::traps);
  counter("tfvm_function_deadlines_total", "counter", "Runs that the time limit ended.", &FunctionMetrics::deadlines);
  counter("tfvm_function_fuel_total", "counter", "Fuel used, where it is counted.", &FunctionMetrics::fuel);
  counter("tfvm_function_peak_memory_bytes", "gauge", "Most bytes of linear memory that a run had.",
          &FunctionMetrics::peak_memory_bytes);
  const auto histogram = [&](std::string_view name, std::string_view help, Histogram FunctionMetrics::* member) {
    text.family(name, "histogram", help);
    by_function(text, functions, [&](Text& out, const std::string& labels, const FunctionMetrics& metrics) {
      out.histogram(labels, metrics.*member);
    });
  };
  histogram("tfvm_function_duration_seconds", "From the accepted request to the response.", &FunctionMetrics::duration);
  histogram("tfvm_function_instantiation_seconds", "Making or renewing the instance.", &FunctionMetrics::instantiation);
  histogram("tfvm_function_start_seconds", "From the accepted request to the guest's first instruction.",
            &FunctionMetrics::time_to_guest);
}

}  // namespace

void Histogram::add(std::chrono::nanoseconds duration) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), (count + 999) / 1'000);
  buckets_[static_cast<std::size_t>(bound - bounds.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(count, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

double Histogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(count());
  double sum = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    sum += static_cast<double>(bucket(i));
    if (sum >= wanted) return bounds[i] * 1e-6;
  }
  return bounds.back() * 1e-6;
}

void FunctionMetrics::count_response(std::uint16_t status) {
  responses[class_of(status)].fetch_add(1, std::memory_order_relaxed);
}

void FunctionMetrics::saw_memory(std::uint64_t bytes) {
  std::uint64_t known = peak_memory_bytes.load(std::memory_order_relaxed);
  while (known < bytes && !peak_memory_bytes.compare_exchange_weak(known, bytes, std::memory_order_relaxed)) {
  }
}

void ServerMetrics::count_response(std::uint16_t status) {
  responses[class_of(status)].fetch_add(1, std::memory_order_relaxed);
}

std::string prometheus_text(const ServerMetrics& server, const std::vector<Gauge>& gauges,
                            const std::vector<NamedMetrics>& functions) {
  Text text;
  text.family("tfvm_responses_total", "counter", "Responses by class of status.");
  for (std::size_t i = 0; i < classes.size(); ++i)
    text.sample("class=\"" + std::string(classes[i]) + '"', value_of(server.responses[i]));
  text.family("tfvm_connections_total", "counter", "Connections accepted.");
  text.sample({}, value_of(server.connections));
  text.family("tfvm_refused_connections_total", "counter", "Connections closed because there were too many.");
  text.sample({}, value_of(server.refused_connections));
  text.family("tfvm_refused_requests_total", "counter", "Requests answered 503 because too many ran and waited.");
  text.sample({}, value_of(server.refused_requests));
  text.family("tfvm_client_timeouts_total", "counter", "Connections closed because the client was too slow.");
  text.sample({}, value_of(server.timeouts));
  text.family("tfvm_tls_failures_total", "counter", "TLS handshakes that failed.");
  text.sample({}, value_of(server.tls_failures));
  for (const Gauge& gauge : gauges) {
    text.family(gauge.name, "gauge", gauge.help);
    text.sample({}, gauge.value);
  }
  add_function_families(text, functions);
  return text.take();
}

}  // namespace tfvm::serve
