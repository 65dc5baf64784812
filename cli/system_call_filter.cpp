// The filter's programs: see system_call_filter.hpp. A program finds the number in a tree of ranges; a leaf jumps to
// the part that ends with its verdict, at once or after a look at an argument.
//   load nr | >= 131 ? (>= 299 ? ...) : (>= 57 ? ...) | refuse | allow | clone: flags | mmap: protection | ...
// Loading a program costs what the kernel takes to compile it, and to run it for every number, in order to cache the
// verdicts. The first step reads an argument, which ends those runs: 20 us to load instead of 50, for 16 ns more a
// call.
#include "cli/system_call_filter.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

namespace tfvm::cli {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t architecture = 0;
#endif

constexpr std::uint32_t openat2_number = 437;
constexpr std::uint32_t clone3_number = 435;

// Whatever the arguments. Those of the engine first, then of WASI.
constexpr std::uint32_t guest_calls[] = {SYS_munmap,
                                         SYS_mremap,
                                         SYS_madvise,
                                         SYS_brk,
                                         SYS_rt_sigaction,
                                         SYS_rt_sigprocmask,
                                         SYS_rt_sigreturn,
                                         SYS_sigaltstack,
                                         SYS_futex,
                                         SYS_set_robust_list,
                                         SYS_rseq,
                                         SYS_exit,
                                         SYS_exit_group,
                                         SYS_restart_syscall,
                                         SYS_gettid,
                                         SYS_getpid,
                                         SYS_membarrier,
                                         SYS_sched_getaffinity,
                                         SYS_getrusage,
                                         SYS_clock_gettime,
                                         SYS_gettimeofday,
                                         SYS_clock_getres,
                                         SYS_clock_nanosleep,
                                         SYS_nanosleep,
                                         SYS_getrandom,
                                         SYS_sched_yield,
                                         SYS_read,
                                         SYS_write,
                                         SYS_readv,
                                         SYS_writev,
                                         SYS_pread64,
                                         SYS_pwrite64,
                                         SYS_preadv,
                                         SYS_pwritev,
                                         SYS_preadv2,
                                         SYS_pwritev2,
                                         SYS_close,
                                         SYS_fcntl,
                                         SYS_fstat,
                                         SYS_newfstatat,
                                         SYS_statx,
                                         SYS_lseek,
                                         SYS_getdents64,
                                         SYS_ftruncate,
                                         SYS_fallocate,
                                         SYS_fadvise64,
                                         SYS_fsync,
                                         SYS_fdatasync,
                                         SYS_openat,
                                         openat2_number,
                                         SYS_mkdirat,
                                         SYS_unlinkat,
#if defined(SYS_renameat)
                                         SYS_renameat,
#endif
                                         SYS_renameat2,
                                         SYS_linkat,
                                         SYS_symlinkat,
                                         SYS_readlinkat,
                                         SYS_utimensat,
                                         SYS_ppoll,
#if defined(SYS_poll)
                                         SYS_poll,
#endif
                                         SYS_accept4,
                                         SYS_recvfrom,
                                         SYS_recvmsg,
                                         SYS_sendto,
                                         SYS_sendmsg,
                                         SYS_shutdown,
                                         SYS_getsockopt};

// What has a number between those and can do no more than they: fewer ranges make a shorter program.
constexpr std::uint32_t harmless_calls[] = {
#if defined(__x86_64__)
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_pipe,
    SYS_select,
    SYS_msync,
    SYS_mincore,
    SYS_dup,
    SYS_dup2,
    SYS_pause,
    SYS_getitimer,
    SYS_alarm,
    SYS_setitimer,
    SYS_flock,
    SYS_truncate,
    SYS_getdents,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_rename,
    SYS_mkdir,
    SYS_rmdir,
    SYS_creat,
    SYS_link,
    SYS_unlink,
    SYS_symlink,
    SYS_readlink,
    SYS_getrlimit,
    SYS_sysinfo,
    SYS_times,
    SYS_sched_setaffinity,
    SYS_set_tid_address,
    SYS_faccessat,
    SYS_pselect6,
    SYS_get_robust_list,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_mlock2,
    SYS_copy_file_range,
    SYS_io_pgetevents,
    SYS_close_range,
#endif
};

constexpr std::uint32_t network_calls[] = {
    SYS_connect,    SYS_bind,     SYS_getsockname,   SYS_getpeername, SYS_setsockopt,     SYS_recvmmsg,
    SYS_sendmmsg,   SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl,   SYS_epoll_pwait,
#if defined(SYS_epoll_wait)
    SYS_epoll_wait, SYS_select,
#endif
    SYS_eventfd2,   SYS_pipe2,    SYS_dup,           SYS_dup3,        SYS_timerfd_create, SYS_timerfd_settime,
    SYS_faccessat,  SYS_getuid,   SYS_geteuid,       SYS_uname};

constexpr std::uint32_t server_calls[] = {SYS_listen,           SYS_inotify_init1,     SYS_inotify_add_watch,
                                          SYS_inotify_rm_watch, SYS_sendfile,          SYS_splice,
                                          SYS_sysinfo,          SYS_sched_setaffinity, SYS_flock,
                                          SYS_rt_sigtimedwait,  SYS_signalfd4};

constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t pretend_missing = SECCOMP_RET_ERRNO | ENOSYS;

/// Behind all numbers that system calls have.
constexpr std::uint32_t end_of_numbers = 470;

/// Verdicts that depend on an argument are parts of a program of their own, behind the tree.
enum class Verdict : std::uint8_t { Refuse, Allow, Missing, Thread, Memory, Protection, Ioctl, Prctl, Signal, Socket };

/// A range of numbers with one verdict; it ends where the next begins.
struct Range {
  std::uint32_t begin = 0;
  Verdict verdict = Verdict::Refuse;
};

/// The verdicts of all numbers.
struct Ranges {
  std::array<Range, 256> values{};
  std::size_t size = 0;
};

/// A program that is written from front to back: the tree, then the parts that its leaves jump to.
struct Program {
  static constexpr std::size_t verdicts = 10;
  std::array<struct ::sock_filter, 255> steps{};
  std::size_t size = 0;
  std::size_t process_id_step = 0;  ///< its k is the process's number, known only when it runs
  std::array<std::size_t, verdicts> parts{};
  struct Leaf {
    std::size_t step = 0;
    bool is_if_true = false;
    Verdict verdict{};
  };
  std::array<Leaf, 256> leaves{};
  std::size_t leaf_count = 0;

  constexpr void add(std::uint32_t code, std::uint32_t k, std::size_t if_true = 0, std::size_t if_false = 0) {
    steps[size++] = {static_cast<std::uint16_t>(code), offset(if_true), offset(if_false), k};
  }
  constexpr void load(std::size_t at) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(at)); }
  constexpr void end(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  static constexpr std::uint8_t offset(std::size_t steps_ahead) {
    if (steps_ahead > 255) throw "a jump is too long";  // does not compile
    return static_cast<std::uint8_t>(steps_ahead);
  }
  constexpr void jump_from(std::size_t step, bool is_if_true, std::size_t to) {
    (is_if_true ? steps[step].jt : steps[step].jf) = offset(to - step - 1);
  }
};

constexpr std::size_t argument_offset(std::size_t index) {
  return offsetof(struct ::seccomp_data, args) + index * sizeof(std::uint64_t);  // the low half: little-endian
}

/// The step that tells the ranges begin..end apart, and all behind it. It splits where as many numbers lie on both
/// sides as can be. REQUIRES: there are two at least.
constexpr void add_tree(Program& program, const Ranges& ranges, std::size_t begin, std::size_t end) {
  const std::uint32_t last = end < ranges.size ? ranges.values[end].begin : end_of_numbers;
  const std::uint32_t middle = (ranges.values[begin].begin + last) / 2;
  const auto distance = [&](std::size_t at) {
    const std::uint32_t number = ranges.values[at].begin;
    return number < middle ? middle - number : number - middle;
  };
  std::size_t split = begin + 1;
  for (std::size_t at = begin + 1; at < end; ++at)
    if (distance(at) < distance(split)) split = at;
  const std::size_t branch = program.size;
  program.add(BPF_JMP | BPF_JGE | BPF_K, ranges.values[split].begin);
  const auto add_side = [&](std::size_t from, std::size_t to, bool is_if_true) {
    if (to - from == 1) {
      program.leaves[program.leaf_count++] = {branch, is_if_true, ranges.values[from].verdict};
      return;
    }
    program.jump_from(branch, is_if_true, program.size);
    add_tree(program, ranges, from, to);
  };
  add_side(begin, split, false);
  add_side(split, end, true);
}

/// A part for calls whose argument must be one of `values`.
template <std::size_t count>
constexpr void add_values_part(Program& program, Verdict verdict, std::size_t argument,
                               const std::uint32_t (&values)[count]) {
  program.parts[static_cast<std::size_t>(verdict)] = program.size;
  program.load(argument_offset(argument));
  for (std::size_t i = 0; i < count; ++i) {
    program.add(BPF_JMP | BPF_JEQ | BPF_K, values[i], count - 1 - i + 1, 0);  // to the last step: allow
  }
  program.end(refuse);
  program.end(allow);
}

/// A part for calls whose argument must have, or must not have, one of the bits.
constexpr void add_bits_part(Program& program, Verdict verdict, std::size_t argument, std::uint32_t bits,
                             std::uint32_t if_set, std::uint32_t if_not) {
  program.parts[static_cast<std::size_t>(verdict)] = program.size;
  program.load(argument_offset(argument));
  program.add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
  program.end(if_set);
  program.end(if_not);
}

constexpr void add_end_part(Program& program, Verdict verdict, std::uint32_t end) {
  program.parts[static_cast<std::size_t>(verdict)] = program.size;
  program.end(end);
}

struct Numbers {
  std::array<Verdict, end_of_numbers> verdicts{};
  constexpr void set(std::span<const std::uint32_t> numbers, Verdict verdict) {
    for (const std::uint32_t each : numbers) verdicts[each] = verdict;
  }
  constexpr Ranges ranges() const {
    Ranges result;
    for (std::uint32_t number = 0; number <= end_of_numbers; ++number) {
      const Verdict verdict = number < end_of_numbers ? verdicts[number] : Verdict::Refuse;
      if (number == 0 || verdict != result.values[result.size - 1].verdict)
        result.values[result.size++] = {number, verdict};
    }
    return result;
  }
};

constexpr Ranges ranges_of(FilterKind kind) {
  Numbers numbers;
  numbers.set(guest_calls, Verdict::Allow);
  numbers.set(harmless_calls, Verdict::Allow);
  if (kind != FilterKind::Guest) numbers.set(network_calls, Verdict::Allow);
  if (kind == FilterKind::Server) numbers.set(server_calls, Verdict::Allow);
  // Threads, no processes. clone3 hides its flags in memory: libraries fall back on clone.
  numbers.verdicts[SYS_clone] = Verdict::Thread;
  numbers.verdicts[clone3_number] = Verdict::Missing;
  // An interpreter never needs memory that can be executed.
  numbers.verdicts[SYS_mmap] = Verdict::Memory;
  numbers.verdicts[SYS_mprotect] = Verdict::Protection;
  numbers.verdicts[SYS_ioctl] = Verdict::Ioctl;
  numbers.verdicts[SYS_prctl] = Verdict::Prctl;
  numbers.verdicts[SYS_tgkill] = Verdict::Signal;
  if (kind != FilterKind::Guest) numbers.verdicts[SYS_socket] = Verdict::Socket;
  return numbers.ranges();
}

consteval Program make_program(FilterKind kind) {
  Program program;
  program.load(argument_offset(0));
  program.load(offsetof(struct ::seccomp_data, arch));
  program.add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  program.end(SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(struct ::seccomp_data, nr));
  const Ranges ranges = ranges_of(kind);
  add_tree(program, ranges, 0, ranges.size);
  add_end_part(program, Verdict::Refuse, refuse);
  add_end_part(program, Verdict::Allow, allow);
  add_end_part(program, Verdict::Missing, pretend_missing);
  add_bits_part(program, Verdict::Thread, 0, CLONE_THREAD, allow, refuse);
  add_bits_part(program, Verdict::Memory, 2, PROT_EXEC, refuse, allow);
  program.parts[static_cast<std::size_t>(Verdict::Protection)] =
      program.parts[static_cast<std::size_t>(Verdict::Memory)];
  add_values_part(program, Verdict::Ioctl, 1, {FIONREAD, TCGETS, FIONBIO});
  add_values_part(program, Verdict::Prctl, 0, {PR_SET_NAME});
  program.process_id_step = program.size + 1;
  add_values_part(program, Verdict::Signal, 0, {0});
  add_values_part(program, Verdict::Socket, 0, {AF_INET, AF_INET6});
  for (std::size_t i = 0; i < program.leaf_count; ++i) {
    const Program::Leaf& leaf = program.leaves[i];
    program.jump_from(leaf.step, leaf.is_if_true, program.parts[static_cast<std::size_t>(leaf.verdict)]);
  }
  return program;
}

/// What the kernel takes of a program.
struct FinishedProgram {
  std::array<struct ::sock_filter, 255> steps{};
  std::size_t size = 0;
  std::size_t process_id_step = 0;
};

consteval FinishedProgram finish(const Program& program) {
  return {program.steps, program.size, program.process_id_step};
}

constexpr FinishedProgram guest_program = finish(make_program(FilterKind::Guest));
constexpr FinishedProgram network_program = finish(make_program(FilterKind::Network));
constexpr FinishedProgram server_program = finish(make_program(FilterKind::Server));

const FinishedProgram& program_of(FilterKind kind) {
  switch (kind) {
    case FilterKind::Guest: return guest_program;
    case FilterKind::Network: return network_program;
    case FilterKind::Server: break;
  }
  return server_program;
}

}  // namespace

bool lets_through(FilterKind kind, long system_call) {
  const FinishedProgram& program = program_of(kind);
  std::uint32_t loaded = 0;
  for (std::size_t at = 0; at < program.size; ++at) {
    const struct ::sock_filter& step = program.steps[at];
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        if (step.k == offsetof(struct ::seccomp_data, arch)) loaded = architecture;
        else if (step.k == offsetof(struct ::seccomp_data, nr)) loaded = static_cast<std::uint32_t>(system_call);
        else if (at > 0) return false;  // depends on an argument
        break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += loaded == step.k ? step.jt : step.jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += loaded >= step.k ? step.jt : step.jf; break;
      default: return step.k == allow;
    }
  }
  return false;
}

std::string install_filter(FilterKind kind) {
  if (architecture == 0) return "no filter of system calls for this machine";
  FinishedProgram program = program_of(kind);
  program.steps[program.process_id_step].k = static_cast<std::uint32_t>(::getpid());
  const struct ::sock_fprog loaded{static_cast<unsigned short>(program.size), program.steps.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &loaded) == 0) return {};
  return std::string("system call filter: ") + std::strerror(errno);
}

}  // namespace tfvm::cli
