// The process restricts itself: see self_sandbox.hpp.
#include "cli/self_sandbox.hpp"

#include <cerrno>
#include <cstring>
#include <sys/prctl.h>

#include "cli/landlock.hpp"
#include "cli/system_call_filter.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define TFVM_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define TFVM_UNDER_SANITIZER 1
#endif
#endif

namespace tfvm::cli {
namespace {

#if defined(TFVM_UNDER_SANITIZER)
constexpr bool is_under_sanitizer = true;
#else
constexpr bool is_under_sanitizer = false;
#endif

std::string landlock_text(int abi) {
  constexpr int abi_with_network = 4;
  constexpr int abi_with_scopes = 6;
  std::string text = "Landlock ABI " + std::to_string(abi) + " (files";
  if (abi >= abi_with_network) text += ", TCP";
  if (abi >= abi_with_scopes) text += ", signals";
  return text + ")";
}

void append_reason(std::string& text, const std::string& reason) { text += (text.empty() ? "" : "; ") + reason; }

}  // namespace

std::string SandboxReport::text() const {
  std::string parts = landlock;
  if (!landlock.empty() || !filter.empty()) parts += std::string(parts.empty() ? "" : ", ") + "no new privileges";
  if (!filter.empty()) parts += ", " + filter;
  if (parts.empty()) return "none: " + missing;
  return missing.empty() ? parts : parts + " (" + missing + ")";
}

SandboxReport restrict_process(const SandboxPlan& plan) {
  SandboxReport report;
  if (is_under_sanitizer) {
    report.missing = "this is a sanitizer build";
    return report;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    report.missing = std::string("no new privileges: ") + std::strerror(errno);
    return report;
  }
  const int abi = landlock_abi();
  if (const std::string reason = restrict_by_landlock(plan, abi); reason.empty()) report.landlock = landlock_text(abi);
  else append_reason(report.missing, reason);
  const FilterKind kind = plan.is_server           ? FilterKind::Server
                          : plan.makes_connections ? FilterKind::Network
                                                   : FilterKind::Guest;
  if (const std::string reason = install_filter(kind); reason.empty()) report.filter = "system call filter";
  else append_reason(report.missing, reason);
  return report;
}

}  // namespace tfvm::cli
