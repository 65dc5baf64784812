// The process's own sandbox: what its report promises holds, and what engine and guests need still works.
#include "cli/self_sandbox.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child_process.hpp"
#include "cli/landlock.hpp"
#include "cli/system_call_filter.hpp"

namespace tfvm::cli {
namespace {

const std::string hello = TFVM_SOURCE_DIR "/cli/examples/hello.wasm";

/// Runs `check` in a process of its own that has restricted itself, with the report; true if it gave true.
template <class Check>
bool holds(const SandboxPlan& plan, Check check) {
  const pid_t child = ::fork();
  if (child == 0) {
    const SandboxReport report = restrict_process(plan);
    ::_exit(check(report) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool opens(const std::string& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file >= 0) ::close(file);
  return file >= 0;
}

class SelfSandbox : public testing::Test {
 protected:
  SelfSandbox() {
    std::string name = (std::filesystem::temp_directory_path() / "tfvm-sandbox-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(folder_ + "/rw/sub");
    std::filesystem::create_directories(folder_ + "/ro");
    std::ofstream(folder_ + "/ro/file") << "x";
    std::ofstream(folder_ + "/outside") << "x";
    rw_ = ::open((folder_ + "/rw").c_str(), O_PATH | O_CLOEXEC);
    ro_ = ::open((folder_ + "/ro").c_str(), O_PATH | O_CLOEXEC);
    plan_.directories = {{rw_, false}, {ro_, true}};
  }
  ~SelfSandbox() override {
    ::close(rw_);
    ::close(ro_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string folder_;
  int rw_ = -1, ro_ = -1;
  SandboxPlan plan_;
};

TEST_F(SelfSandbox, FilesOutsideAreGone) {
  EXPECT_TRUE(holds(plan_, [&](const SandboxReport& report) {
    const bool is_open = report.landlock.empty();
    return opens(folder_ + "/outside", O_RDONLY) == is_open && opens("/etc/passwd", O_RDONLY) == is_open &&
           opens(folder_ + "/new", O_WRONLY | O_CREAT) == is_open;
  }));
}

TEST_F(SelfSandbox, FilesInsideAreThere) {
  EXPECT_TRUE(holds(plan_, [&](const SandboxReport&) {
    const std::string rw = folder_ + "/rw";
    return opens(rw + "/new", O_RDWR | O_CREAT) &&
           ::renameat(AT_FDCWD, (rw + "/new").c_str(), AT_FDCWD, (rw + "/sub/moved").c_str()) == 0 &&
           ::linkat(AT_FDCWD, (rw + "/sub/moved").c_str(), AT_FDCWD, (rw + "/linked").c_str(), 0) == 0 &&
           ::symlinkat("linked", AT_FDCWD, (rw + "/link").c_str()) == 0 && opens(rw + "/link", O_RDWR | O_TRUNC) &&
           ::mkdirat(AT_FDCWD, (rw + "/made").c_str(), 0700) == 0 &&
           ::unlinkat(AT_FDCWD, (rw + "/made").c_str(), AT_REMOVEDIR) == 0 &&
           ::unlinkat(AT_FDCWD, (rw + "/linked").c_str(), 0) == 0 && opens(rw, O_RDONLY | O_DIRECTORY);
  }));
}

TEST_F(SelfSandbox, ReadOnlyDirectoriesAreSoForTheProcessToo) {
  EXPECT_TRUE(holds(plan_, [&](const SandboxReport& report) {
    const bool is_open = report.landlock.empty();
    return opens(folder_ + "/ro/file", O_RDONLY) && opens(folder_ + "/ro/file", O_RDWR) == is_open &&
           opens(folder_ + "/ro/new", O_WRONLY | O_CREAT) == is_open &&
           (::unlinkat(AT_FDCWD, (folder_ + "/ro/file").c_str(), 0) == 0) == is_open;
  }));
}

TEST_F(SelfSandbox, PathsOfThePlanCanBeRead) {
  plan_.read_paths = {folder_ + "/outside", folder_ + "/not-there"};
  EXPECT_TRUE(holds(plan_, [&](const SandboxReport& report) {
    return opens(folder_ + "/outside", O_RDONLY) && opens(folder_ + "/outside", O_RDWR) == report.landlock.empty();
  }));
}

TEST_F(SelfSandbox, NoProgramsNoSocketsNoExecutableMemory) {
  EXPECT_TRUE(holds(plan_, [](const SandboxReport& report) {
    if (report.filter.empty()) return true;  // says so
    const auto is_refused = [](long result) { return result == -1 && errno == EPERM; };
    char* const nothing[] = {nullptr};
    return is_refused(::execve("/bin/true", nothing, nothing)) && is_refused(::syscall(SYS_vfork)) &&
           is_refused(::socket(AF_INET, SOCK_STREAM, 0)) && is_refused(::socket(AF_UNIX, SOCK_STREAM, 0)) &&
           ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
           is_refused(::kill(::getppid(), 0)) && is_refused(::syscall(SYS_ptrace, 0, 0, 0, 0)) &&
           is_refused(::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0));
  }));
}

TEST_F(SelfSandbox, ConnectionsIfThePlanMakesThem) {
  plan_.makes_connections = true;
  EXPECT_TRUE(holds(plan_, [](const SandboxReport& report) {
    const bool has_inet = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0;
    const bool has_unix = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0;
    return has_inet && has_unix == report.filter.empty();
  }));
}

TEST_F(SelfSandbox, ThreadsAndTheirSignalsWork) {
  EXPECT_TRUE(holds(plan_, [](const SandboxReport&) {
    static volatile std::sig_atomic_t has_come = 0;
    std::signal(SIGURG, [](int) { has_come = 1; });
    pthread_t thread;
    const pthread_t self = ::pthread_self();
    const auto body = [](void* target) -> void* {
      ::pthread_kill(*static_cast<pthread_t*>(target), SIGURG);
      return nullptr;
    };
    pthread_t target = self;
    if (::pthread_create(&thread, nullptr, body, &target) != 0) return false;
    ::pthread_join(thread, nullptr);
    return has_come == 1;
  }));
}

TEST_F(SelfSandbox, FilterKnowsWhatIsNeededAndWhatIsNot) {
  for (const long needed : std::initializer_list<long>{
           SYS_read, SYS_write, SYS_writev, SYS_rt_sigreturn, SYS_sigaltstack, SYS_madvise, SYS_munmap, SYS_futex,
           SYS_ppoll, SYS_openat, 437L /* openat2 */, SYS_exit_group, SYS_getrandom, SYS_clock_gettime, SYS_getdents64,
           SYS_accept4, SYS_restart_syscall, SYS_utimensat})
    for (const FilterKind kind : {FilterKind::Guest, FilterKind::Network, FilterKind::Server})
      EXPECT_TRUE(lets_through(kind, needed)) << needed;
  for (const long never : std::initializer_list<long>{
           SYS_execve,   SYS_execveat,          SYS_ptrace,  SYS_mount,    SYS_bpf,
           SYS_kill,     SYS_process_vm_writev, SYS_unshare, SYS_setns,    SYS_init_module,
           SYS_fchmodat, SYS_fchownat,          SYS_mknodat, SYS_setxattr, 425L /* io_uring_setup */,
           SYS_keyctl,   SYS_perf_event_open,   SYS_setuid,  9999L,        0x40000000L + SYS_read})
    for (const FilterKind kind : {FilterKind::Guest, FilterKind::Network, FilterKind::Server})
      EXPECT_FALSE(lets_through(kind, never)) << never;
  // What depends on arguments is not let through whatever they are.
  for (const long depends :
       std::initializer_list<long>{SYS_clone, SYS_mmap, SYS_mprotect, SYS_ioctl, SYS_prctl, SYS_tgkill})
    EXPECT_FALSE(lets_through(FilterKind::Guest, depends)) << depends;
  EXPECT_FALSE(lets_through(FilterKind::Guest, SYS_connect));
  EXPECT_TRUE(lets_through(FilterKind::Network, SYS_connect));
  EXPECT_FALSE(lets_through(FilterKind::Network, SYS_listen));
  EXPECT_TRUE(lets_through(FilterKind::Server, SYS_listen));
}

TEST_F(SelfSandbox, VerboseReportsItAndItCanBeTurnedOff) {
  const ChildResult on = run_tfvm({"-v", hello});
  EXPECT_NE(on.errors.find("info: self-sandbox: "), std::string::npos) << on.errors;
  const ChildResult off = run_tfvm({"-v", "--no-self-sandbox", hello});
  EXPECT_NE(off.errors.find("info: self-sandbox: off (--no-self-sandbox)\n"), std::string::npos) << off.errors;
  EXPECT_EQ(on.output, off.output);
}

TEST_F(SelfSandbox, ReportsReadWell) {
  EXPECT_EQ((SandboxReport{"Landlock ABI 7 (files)", "system call filter", ""}).text(),
            "Landlock ABI 7 (files), no new privileges, system call filter");
  EXPECT_EQ((SandboxReport{"", "", "the kernel has no Landlock"}).text(), "none: the kernel has no Landlock");
  EXPECT_EQ((SandboxReport{"", "system call filter", "the kernel has no Landlock"}).text(),
            "no new privileges, system call filter (the kernel has no Landlock)");
  EXPECT_NE(restrict_by_landlock({}, 0), "");
  EXPECT_NE(restrict_by_landlock({}, 1), "");
}

}  // namespace
}  // namespace tfvm::cli
