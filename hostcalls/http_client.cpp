// HttpClient over Beast and OpenSSL: hands requests to the client's thread (http_exchange.hpp) and results back.
#include "hostcalls/http_client.hpp"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hostcalls/http_exchange.hpp"

namespace tfvm::hostcalls {
namespace {

/// Where the client's thread puts a result for the thread that waits.
class Outcome {
 public:
  Outcome() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Outcome() {
    if (event_ >= 0) ::close(event_);
  }
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;

  int event() const { return event_; }
  void set(Result<HttpResponse> result) {
    const std::lock_guard lock(mutex_);
    result_.emplace(std::move(result));
    const std::uint64_t one = 1;
    static_cast<void>(!::write(event_, &one, sizeof(one)));
  }
  bool is_set() const {
    const std::lock_guard lock(mutex_);
    return result_.has_value();
  }
  Result<HttpResponse> take() {
    const std::lock_guard lock(mutex_);
    return std::move(*result_);
  }

 private:
  const int event_;
  mutable std::mutex mutex_;
  std::optional<Result<HttpResponse>> result_;
};

class Pending final : public PendingResponse {
 public:
  Pending(std::shared_ptr<Outcome> outcome, int fallback_event)
      : outcome_(std::move(outcome)), fallback_event_(fallback_event) {}
  ~Pending() override {
    if (!exchange_ || outcome_->is_set()) return;
    exchange_->cancel();
    core_->post([exchange = exchange_] { exchange->abandon(); });
  }

  void run(const std::shared_ptr<HttpClientCore>& core, std::shared_ptr<HttpExchange> exchange) {
    core_ = core;
    exchange_ = std::move(exchange);
    if (core->post([started = exchange_] { started->start(); })) return;
    outcome_->set(Error{ErrorKind::Host, "outbound request: the client is being closed"});
  }

  int ready_fd() const override { return outcome_->event() >= 0 ? outcome_->event() : fallback_event_; }
  bool is_ready() const override { return outcome_->is_set(); }
  Result<HttpResponse> take() override { return outcome_->take(); }

 private:
  std::shared_ptr<Outcome> outcome_;
  int fallback_event_;
  std::shared_ptr<HttpClientCore> core_;  // the exchange's timers are the core's: it must go first
  std::shared_ptr<HttpExchange> exchange_;
};

class BeastHttpClient final : public HttpClient {
 public:
  explicit BeastHttpClient(Resolver& resolver) : core_(std::make_shared<HttpClientCore>(resolver)) {}
  ~BeastHttpClient() override { core_->stop(); }

  std::unique_ptr<PendingResponse> start(HttpRequest request, const OutboundPolicy& policy,
                                         const OutboundLimits& limits) override {
    auto outcome = std::make_shared<Outcome>();
    auto pending = std::make_unique<Pending>(outcome, core_->always_ready());
    if (outcome->event() < 0) {
      outcome->set(Error{ErrorKind::Host, std::string("outbound request: ") + std::strerror(errno)});
      return pending;
    }
    auto on_result = [outcome](Result<HttpResponse> result) { outcome->set(std::move(result)); };
    pending->run(core_,
                 std::make_shared<HttpExchange>(*core_, std::move(request), policy, limits, std::move(on_result)));
    return pending;
  }

 private:
  std::shared_ptr<HttpClientCore> core_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(Resolver& resolver) { return std::make_unique<BeastHttpClient>(resolver); }

}  // namespace tfvm::hostcalls
