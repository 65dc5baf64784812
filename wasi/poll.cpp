// poll_oneoff: waits for clocks and descriptors together; the preview-1 and the wasi_unstable form.
#include <algorithm>
#include <cstring>
#include <poll.h>
#include <unordered_map>
#include <vector>

#include "wasi/handlers.hpp"

namespace tfvm::wasi {

namespace {

/// More than a program's descriptors and timers; bounds what a call makes the host allocate.
constexpr Size max_subscriptions = 1 << 16;

/// One poll: subscriptions in, events out. Times are nanoseconds from its start.
class Poll {
 public:
  Poll(Call& call, std::vector<Subscription> subscriptions)
      : call_(call), subscriptions_(std::move(subscriptions)), waits_(subscriptions_.size()) {}

  /// Waits until there is an event. Errors: the host's; any if the guest has ended.
  Errno run() {
    for (std::size_t i = 0; i < subscriptions_.size(); ++i) waits_[i] = prepare(subscriptions_[i]);
    const Timestamp begin = host_time();
    std::uint64_t passed = 0;
    while (true) {
      const auto timeout = next_timeout(passed);
      if (files_.empty() && timeout && call_.state.config.sleep) {
        call_.state.config.sleep(*timeout);
        if (call_.is_interrupted()) return Errno::Canceled;
        passed += *timeout;
      } else {
        const HostResult<int> ready = call_.wait(files_, timeout);
        if (!ready.ok()) return ready.error;
        passed = host_time() - begin;
      }
      for (std::size_t i = 0; i < subscriptions_.size(); ++i) collect(subscriptions_[i], waits_[i], passed);
      if (!events_.empty()) return Errno::Success;
    }
  }

  const std::vector<Event>& events() const { return events_; }

 private:
  /// What a subscription waits for: a time, a file, or nothing because it is wrong.
  struct Wait {
    Errno error = Errno::Success;
    std::uint64_t timeout = 0;   ///< clocks
    std::size_t file_index = 0;  ///< descriptors: in files_
    Stream* stream = nullptr;    ///< descriptors that are none of the host's
  };

  static Timestamp host_time() {
    struct ::timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<Timestamp>(time.tv_sec) * 1'000'000'000 + static_cast<Timestamp>(time.tv_nsec);
  }

  Wait prepare(const Subscription& subscription) {
    return subscription.type == EventType::Clock ? prepare_clock(subscription.clock) : prepare_file(subscription);
  }

  Wait prepare_clock(const SubscriptionClock& clock) {
    const auto id = static_cast<Clock>(clock.id);
    if (id == Clock::ProcessCpuTime || id == Clock::ThreadCpuTime) return {Errno::Notsup};
    const HostResult<Timestamp> now = clock_time(call_.state, clock.id);
    if (!now.ok()) return {now.error};
    if ((clock.flags & ~clock_absolute_time) != 0) return {Errno::Inval};
    if ((clock.flags & clock_absolute_time) == 0) return {Errno::Success, clock.timeout};
    return {Errno::Success, clock.timeout - std::min(clock.timeout, now.value)};
  }

  Wait prepare_file(const Subscription& subscription) {
    const bool reads = subscription.type == EventType::FdRead;
    const Fd fd = subscription.clock.id;
    const auto descriptor = call_.state.fds.require(fd, reads ? rights::fd_read : rights::fd_write);
    if (!descriptor.ok()) return {descriptor.error};
    if ((descriptor.value->base & rights::poll_fd_readwrite) == 0) return {Errno::Notcapable};
    // The host takes each file once, however often the guest asks for it.
    const auto [entry, is_new] = file_indices_.try_emplace(fd, files_.size());
    if (Stream* const stream = descriptor.value->stream; stream != nullptr) {
      if (is_new) files_.push_back(stream->is_ready() ? pollfd{-1, 0, 0} : stream->pending());
      return {Errno::Success, 0, entry->second, stream};
    }
    if (is_new) files_.push_back({descriptor.value->host.number(), 0, 0});
    files_[entry->second].events |= reads ? POLLIN : POLLOUT;
    return {Errno::Success, 0, entry->second};
  }

  /// Until the next clock; 0 if an event is certain; none if only files can end the wait.
  std::optional<std::uint64_t> next_timeout(std::uint64_t passed) const {
    std::optional<std::uint64_t> next;
    for (std::size_t i = 0; i < waits_.size(); ++i) {
      if (waits_[i].error != Errno::Success) return 0;
      if (waits_[i].stream != nullptr && files_[waits_[i].file_index].fd < 0) return 0;
      if (subscriptions_[i].type != EventType::Clock) continue;
      const std::uint64_t left = waits_[i].timeout - std::min(waits_[i].timeout, passed);
      next = std::min(next.value_or(left), left);
    }
    return next;
  }

  void collect(const Subscription& subscription, const Wait& wait, std::uint64_t passed) {
    Event event;
    event.user_data = subscription.user_data;
    event.error = wait.error;
    event.type = subscription.type;
    if (wait.error == Errno::Success) {
      const bool has_happened =
          subscription.type == EventType::Clock ? passed >= wait.timeout : fill_from_file(wait, event);
      if (!has_happened) return;
    }
    events_.push_back(event);
  }

  bool fill_from_file(const Wait& wait, Event& event) const {
    const struct ::pollfd& file = files_[wait.file_index];
    if (wait.stream != nullptr) {
      event.bytes = 1;  // at least; how many, nobody knows
      return file.fd < 0 || file.revents != 0;
    }
    const short wanted = event.type == EventType::FdRead ? POLLIN : POLLOUT;
    if ((file.revents & (wanted | POLLHUP | POLLERR | POLLNVAL)) == 0) return false;
    if ((file.revents & POLLNVAL) != 0) event.error = Errno::Badf;
    if ((file.revents & POLLHUP) != 0) event.flags = event_hangup;
    if (event.type == EventType::FdRead) event.bytes = readable_bytes(file.fd);
    return true;
  }

  Call& call_;
  std::vector<Subscription> subscriptions_;
  std::vector<Wait> waits_;
  std::vector<struct ::pollfd> files_;
  std::unordered_map<Fd, std::size_t> file_indices_;
  std::vector<Event> events_;
};

Subscription to_preview1(const Subscription& subscription) { return subscription; }
Subscription to_preview1(const unstable::Subscription& old) {
  Subscription subscription;
  subscription.user_data = old.user_data;
  subscription.type = old.type;
  subscription.clock = old.clock;
  if (old.type != EventType::Clock) subscription.clock.id = static_cast<Fd>(old.clock_user_data);
  return subscription;
}

template <class GuestSubscription>
Errno poll(Call& call, Pointer in, Pointer out, Size count, Pointer result) {
  if (count == 0) return Errno::Inval;
  const auto input = call.memory.bytes(in, std::uint64_t{count} * sizeof(GuestSubscription));
  const auto output = call.memory.bytes(out, std::uint64_t{count} * sizeof(Event));
  if (!input || !output || !call.memory.bytes(result, sizeof(Size))) return Errno::Fault;
  if (count > max_subscriptions) return Errno::Nomem;
  if (!call.charge(count)) return Errno::Canceled;
  std::vector<Subscription> subscriptions(count);  // copied: the events may overwrite them
  for (Size i = 0; i < count; ++i) {
    GuestSubscription guest;
    std::memcpy(&guest, input->data() + std::size_t{i} * sizeof(guest), sizeof(guest));
    if (guest.type > EventType::FdWrite) return Errno::Inval;
    subscriptions[i] = to_preview1(guest);
  }
  Poll poll(call, std::move(subscriptions));
  if (const Errno error = poll.run(); error != Errno::Success) return error;
  std::memcpy(output->data(), poll.events().data(), poll.events().size() * sizeof(Event));
  return call.store(result, static_cast<Size>(poll.events().size()));
}

}  // namespace

Errno handlers::poll_oneoff(Call& call, Pointer in, Pointer out, Size count, Pointer result) {
  return poll<Subscription>(call, in, out, count, result);
}

Errno unstable_handlers::poll_oneoff(Call& call, Pointer in, Pointer out, Size count, Pointer result) {
  return poll<unstable::Subscription>(call, in, out, count, result);
}

}  // namespace tfvm::wasi
