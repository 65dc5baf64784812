// For tests: what guests are given, in memory and under the test's control.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "hostcalls/hostcalls.hpp"

namespace tfvm::hostcalls {

/// Answers requests as the test says, at once or when the test releases them. Thread-safe where tests need it: release.
class FakeHttpClient : public HttpClient {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;
  explicit FakeHttpClient(Answer answer) : answer_(std::move(answer)) {}

  std::vector<HttpRequest> requests;  ///< in order
  bool holds_back = false;            ///< whether later requests wait for release()
  std::size_t cancelled = 0;          ///< destroyed before they were taken

  /// Lets the request of this number, from 0, be answered.
  void release(std::size_t number) { all_.at(number)->release(); }
  void release_all() {
    for (const auto& each : all_) each->release();
  }

  std::unique_ptr<PendingResponse> start(HttpRequest request, const OutboundPolicy&, const OutboundLimits&) override {
    auto answer = std::make_shared<Gate>();
    if (!holds_back) answer->release();
    all_.push_back(answer);
    auto pending = std::make_unique<Pending>(*this, std::move(answer), answer_(request));
    requests.push_back(std::move(request));
    return pending;
  }

 private:
  struct Gate {
    int file = ::eventfd(0, EFD_CLOEXEC);
    std::atomic<bool> is_open = false;
    Gate() = default;
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;
    ~Gate() { ::close(file); }
    void release() {
      is_open = true;
      const std::uint64_t one = 1;
      if (::write(file, &one, sizeof one) != sizeof one) std::abort();
    }
  };
  class Pending : public PendingResponse {
   public:
    Pending(FakeHttpClient& client, std::shared_ptr<Gate> gate, Result<HttpResponse> result)
        : client_(client), gate_(std::move(gate)), result_(std::move(result)) {}
    ~Pending() override { client_.cancelled += is_taken_ ? 0 : 1; }
    int ready_fd() const override { return gate_->file; }
    bool is_ready() const override { return gate_->is_open; }
    Result<HttpResponse> take() override {
      if (is_taken_) std::abort();
      is_taken_ = true;
      return std::move(result_);
    }

   private:
    FakeHttpClient& client_;
    std::shared_ptr<Gate> gate_;
    Result<HttpResponse> result_;
    bool is_taken_ = false;
  };
  Answer answer_;
  std::vector<std::shared_ptr<Gate>> all_;
};

/// A map; fails altogether if the test says so.
class FakeKeyValueStore : public KeyValueStore {
 public:
  std::map<std::pair<std::string, std::string>, std::string> values;  ///< by space and key
  bool fails = false;

  Result<std::optional<std::string>> get(std::string_view space, std::string_view key) override {
    if (fails) return broken();
    const auto found = values.find(id(space, key));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  Result<bool> put(std::string_view space, std::string_view key, std::string_view value,
                   const KeyValueLimits&) override {
    if (fails) return broken();
    return values.insert_or_assign(id(space, key), std::string(value)).second;
  }
  Result<bool> put_if_absent(std::string_view space, std::string_view key, std::string_view value,
                             const KeyValueLimits&) override {
    if (fails) return broken();
    return values.try_emplace(id(space, key), std::string(value)).second;
  }
  Result<bool> append(std::string_view space, std::string_view key, std::string_view value,
                      const KeyValueLimits&) override {
    if (fails) return broken();
    const auto [entry, is_new] = values.try_emplace(id(space, key));
    entry->second += value;
    return is_new;
  }
  Result<bool> remove(std::string_view space, std::string_view key) override {
    if (fails) return broken();
    return values.erase(id(space, key)) > 0;
  }

 private:
  static std::pair<std::string, std::string> id(std::string_view space, std::string_view key) {
    return {std::string(space), std::string(key)};
  }
  static Error broken() { return {ErrorKind::Host, "the disk is on fire"}; }
};

/// Knows the names that the test gives it; answers a raw query with the query behind "answer:".
class FakeResolver : public Resolver {
 public:
  std::map<std::string, std::vector<Address>, std::less<>> names;

  Addresses addresses(std::string_view name, bool v6, const IsCancelled&) override {
    const auto found = names.find(name);
    if (found == names.end()) return {LookupStatus::NoSuchName, {}};
    Addresses result{LookupStatus::Found, {}};
    for (const Address& address : found->second)
      if (address.is_v6 == v6) result.addresses.push_back(address);
    if (result.addresses.empty()) result.status = LookupStatus::NoData;
    return result;
  }
  Texts texts(std::string_view, const IsCancelled&) override { return {}; }
  Message query(std::string_view message, const IsCancelled&) override {
    if (message.empty()) return {LookupStatus::BadName, {}};
    return {LookupStatus::Found, "answer:" + std::string(message)};
  }
};

}  // namespace tfvm::hostcalls
