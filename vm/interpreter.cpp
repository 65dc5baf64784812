// Entry and exit of the tree interpreter (interpreter.hpp) and the services that handlers call out for (call_out.hpp).
#include "vm/interpreter.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <map>
#include <ucontext.h>

#include "vm/backtrace.hpp"
#include "vm/bulk.hpp"
#include "vm/call_host.hpp"
#include "vm/code_cache.hpp"
#include "vm/fault.hpp"
#include "vm/handlers/call_out.hpp"
#include "vm/handlers/control.hpp"
#include "vm/runtime.hpp"
#include "vm/translate/translator.hpp"

namespace tfvm::interpreter {
namespace {

constexpr std::uint32_t record_bytes = 16;

ResultClass result_class(const FunctionType& type) {
  if (type.results.size() != 1) return ResultClass::None;
  const ValueKind kind = type.results[0].kind();
  return kind == ValueKind::F32 || kind == ValueKind::F64 ? ResultClass::Float : ResultClass::Integer;
}

/// Handlers leave the upper half of an f32's slot as it was; the host sees zeros.
void clear_upper_halves(const std::vector<ValueType>& types, Byte* slots) {
  for (std::size_t i = 0; i < types.size(); ++i)
    if (types[i].kind() == ValueKind::F32) write<std::uint32_t>(slots + i * sizeof(Slot) + 4, 0);
}

/// Which code an instance runs.
CodeKey key_of_instance(const ModuleInstance& instance) {
  CodeKey key;
  key.counts_fuel = instance.store->context().fuel_enabled;
  key.guards_memory = !instance.memories.empty() && instance.memories[0]->kind == MemoryInstance::Kind::Guarded &&
                      instance.memories[0]->type.address_type == AddressType::I32;
  return key;
}

// ---- backtraces

/// The function whose code holds `pc`, and an instance of its module.
struct FoundCode {
  const ModuleInstance* instance = nullptr;
  const FunctionCode* function = nullptr;
};
FoundCode find_code(const tfvm::Store& store, const Byte* pc) {
  for (const auto& instance : store.instances())
    if (const FunctionCode* function = instance->module->code().find(pc)) return {instance.get(), function};
  return {};
}

/// Maps code back to wasm by translating a function again, which gives the same code.
class SourceMap {
 public:
  /// `kind` tells two parts of one instruction apart: one that accesses memory, one that computes.
  std::uint32_t module_offset(const FunctionCode& function, const Byte* pc, TrapKind kind) {
    auto [entry, is_new] = maps_.try_emplace(&function);
    if (is_new) {
      Translator translator(*function.variant);
      translator.translate(function.function_index);
      entry->second = translator.emitter().positions();
    }
    const auto offset = static_cast<std::uint32_t>(pc - function.code);
    const auto after =
        std::upper_bound(entry->second.begin(), entry->second.end(), offset,
                         [](std::uint32_t at, const SourcePosition& position) { return at < position.code_offset; });
    if (after == entry->second.begin()) return 0;
    const SourcePosition& position = *std::prev(after);
    return kind == TrapKind::OutOfBoundsMemoryAccess ? position.memory_offset : position.module_offset;
  }

 private:
  std::map<const FunctionCode*, std::vector<SourcePosition>> maps_;
};

bool is_exit_code(const Byte* pc) {
  return pc == exit_code(ResultClass::None) || pc == exit_code(ResultClass::Integer) ||
         pc == exit_code(ResultClass::Float);
}

/// The pcs of all frames of this invocation, innermost first. Return pcs are moved back into the call.
std::vector<const Byte*> frame_pcs(const ExecutionContext& context) {
  std::vector<const Byte*> pcs = {context.trap_pc};
  for (const Byte* record = context.trap_records; record != nullptr && record < context.stack_end;
       record += record_bytes) {
    const auto* pc = read<const Byte*>(record);
    if (is_exit_code(pc)) break;
    if (pc == restore_code()) record += record_bytes;
    else pcs.push_back(pc - 1);
  }
  return pcs;
}

void collect_backtrace(ExecutionContext& context) {
  const std::vector<const Byte*> pcs = frame_pcs(context);
  SourceMap map;
  // The frame of a host function that trapped is there already.
  const std::size_t first_frames = backtrace_end_frames - context.backtrace.size();
  const std::size_t kept = first_frames + backtrace_end_frames;
  for (std::size_t i = 0; i < pcs.size(); ++i) {
    if (pcs.size() > kept && i == first_frames) {
      context.omitted_frames += pcs.size() - kept;
      i = pcs.size() - backtrace_end_frames;
    }
    const FoundCode found = find_code(*context.store, pcs[i]);
    if (found.function == nullptr) continue;  // the function was just entered: its caller tells where
    context.backtrace.push_back(
        {found.instance, nullptr, found.function->function_index,
         map.module_offset(*found.function, pcs[i], i == 0 ? context.trap_kind : TrapKind::None)});
  }
}

// ---- signals

/// What the interrupted handler had in its registers, until the thread is back out of the signal handler.
struct Interrupted {
  const Byte* pc;
  Byte* records;
  TrapKind kind;
};
constinit thread_local Interrupted interrupted{};

/// Where the calling convention of handlers passes pc and records. The build proves that they are still there at every
/// access to linear memory (.ci/check_handlers.py).
#if defined(__x86_64__) && defined(TFVM_PRESERVE_NONE)
constexpr int pc_register = REG_R12;
constexpr int records_register = REG_R15;
#elif defined(__x86_64__)
constexpr int pc_register = REG_RDI;
constexpr int records_register = REG_RCX;
#else
#error "port leave_by_signal to this processor"
#endif

/// Goes on where a signal handler sent the thread. At an asynchronous interrupt the registers may hold something else
/// for a moment: then the backtrace is left out.
[[noreturn]] void resume_after_signal() {
  ExecutionContext& context = *active::context();
  context.in_handlers = false;
  const auto offset = static_cast<std::uintptr_t>(context.stack_end - interrupted.records);
  const bool is_record = interrupted.records >= context.stack_begin && interrupted.records < context.stack_end &&
                         offset % record_bytes == 0;
  raise_trap(interrupted.pc, is_record ? interrupted.records : nullptr, interrupted.kind);
}

}  // namespace

void leave_by_signal(ExecutionContext&, void* ucontext, TrapKind kind) {
  auto& registers = static_cast<ucontext_t*>(ucontext)->uc_mcontext.gregs;
  interrupted.pc = reinterpret_cast<const Byte*>(registers[pc_register]);
  interrupted.records = reinterpret_cast<Byte*>(registers[records_register]);
  interrupted.kind = kind;
  constexpr std::uintptr_t red_zone = 128;
  const std::uintptr_t stack = (static_cast<std::uintptr_t>(registers[REG_RSP]) - red_zone) & ~std::uintptr_t{15};
  registers[REG_RSP] = static_cast<greg_t>(stack - 8);  // as if called
  registers[REG_RIP] = reinterpret_cast<greg_t>(&resume_after_signal);
}

void raise_trap(const Byte* pc, Byte* records, TrapKind kind) {
  ExecutionContext& context = *active::context();
  context.in_handlers = false;
  context.trap_kind = kind;
  context.trap_pc = pc;
  context.trap_records = records;
  std::longjmp(*context.trap_exit, 1);
}

// ---- services of call_out.hpp

void raise_pending_interrupt(Machine m) {
  const auto kind = instance_of(m)->context->pending_interrupt.load(std::memory_order_acquire);
  raise_trap(m.pc, m.records, static_cast<TrapKind>(kind));
}

std::uint32_t host_frame_bytes(const FunctionInstance& function) {
  const FunctionType& type = function.type->function();
  return static_cast<std::uint32_t>(std::max<std::size_t>({type.params.size(), type.results.size(), 1}) * sizeof(Slot));
}

Byte* call_host_function(Machine m, FunctionInstance& function, Byte* slots) {
  TrapKind kind;
  {
    const CallOut out(m);
    ExecutionContext& context = out.context();
    context.frame_top = slots + host_frame_bytes(function);
    clear_upper_halves(function.type->function().params, slots);
    HostOutcome outcome = call_host(*context.store, instance_of(m)->owner, function, reinterpret_cast<Slot*>(slots));
    kind = outcome.kind;
    if (kind != TrapKind::None) [[unlikely]] {
      context.host_message = std::move(outcome.message);
      context.exit_code = outcome.exit_code;
      context.backtrace.clear();
      context.omitted_frames = 0;
      append_frame(context, {nullptr, &function, 0, 0});
    }
  }
  if (kind != TrapKind::None) [[unlikely]]
    raise_trap(m.pc, m.records, kind);
  after_call_out(m);
  return memory_base(instance_of(m));
}

FunctionCode& code_of(FunctionInstance& function) {
  if (function.code == nullptr) {
    const LoadedModule& module = *function.instance->module;
    CodeVariant& variant = module.code().variant(key_of_instance(*function.instance));
    function.code = &variant.functions[function.function_index - module.module().imported_functions];
  }
  return *function.code;
}

FunctionInstance* find_callee(Machine m, std::uint32_t table, std::uint64_t index, const DefinedType& type) {
  FunctionInstance* callee = nullptr;
  TrapKind kind;
  {
    const CallOut out(m);
    kind = bulk::find_callee(*instance_of(m)->owner, table, index, type, callee);
  }
  if (kind != TrapKind::None) raise_trap(m.pc, m.records, kind);
  return callee;
}

void translate_function(Machine m, FunctionCode& code) {
  bool done;
  {
    const CallOut out(m);
    done = code.variant->cache->translate(code);
  }
  if (!done) raise_trap(m.pc, m.records, TrapKind::OutOfMemory);
  after_call_out(m);
}

// ---- invocation

namespace {

/// Enters the threaded code; returns when the exit instruction does. Apart from execute() so that nothing that lives
/// across setjmp changes behind it.
[[gnu::noinline]] void run(ExecutionContext& context, FunctionInstance& function, Byte* frame, Byte* records) {
  InstanceBlock* instance = function.instance->block;
  const Byte* pc = function.code->entry.load(std::memory_order_acquire);
  Byte* memory = memory_base(instance);
#if !defined(TFVM_PRESERVE_NONE)
  running_instance = instance;
#endif
  context.in_handlers = true;
  if (const auto pending = context.pending_interrupt.load(std::memory_order_acquire)) [[unlikely]]
    raise_trap(nullptr, records, static_cast<TrapKind>(pending));
#if defined(TFVM_PRESERVE_NONE)
  read<Handler>(pc)(pc, frame, memory, records, instance, 0, 0, 0, 0, 0, 0);
#else
  read<Handler>(pc)(pc, frame, memory, records, 0, 0, 0, 0, 0);
#endif
  context.in_handlers = false;
}

/// Like run(), but gives the trap that ended it.
[[gnu::noinline]] TrapKind run_until_trap(ExecutionContext& context, FunctionInstance& function, Byte* frame,
                                          Byte* records) {
  std::jmp_buf exit;
  context.trap_exit = &exit;
  if (setjmp(exit) != 0) return context.trap_kind;
  run(context, function, frame, records);
  return TrapKind::None;
}

}  // namespace

TrapKind execute(ExecutionContext& context, FunctionInstance& function, Slot* slots) {
  const FunctionType& type = function.type->function();
  const FunctionCode& code = code_of(function);
  Byte* const frame = context.frame_top;
  const std::size_t slot_bytes = std::max(type.params.size(), type.results.size()) * sizeof(Slot);
  // Until the function is translated its frame is not known; the translation checks again.
  const std::size_t frame_bytes = std::max<std::size_t>(slot_bytes, code.frame_bytes) + sizeof(Slot);
  // The stack is empty, both ends null, where the host had no room for it.
  if (static_cast<std::size_t>(context.record_top - frame) < record_bytes + frame_bytes)
    return TrapKind::CallStackExhausted;
  Byte* const records = context.record_top - record_bytes;
  std::memcpy(frame, slots, type.params.size() * sizeof(Slot));
  write(records, exit_code(result_class(type)));
  write(records + 8, frame);

  std::jmp_buf* const outer_exit = context.trap_exit;
#if !defined(TFVM_PRESERVE_NONE)
  InstanceBlock* const outer_instance = running_instance;
#endif
  const TrapKind kind = run_until_trap(context, function, frame, records);
#if !defined(TFVM_PRESERVE_NONE)
  running_instance = outer_instance;
#endif
  context.trap_exit = outer_exit;
  if (kind == TrapKind::None) {
    std::memcpy(slots, frame, type.results.size() * sizeof(Slot));
    clear_upper_halves(type.results, reinterpret_cast<Byte*>(slots));
  } else if (kind != TrapKind::Exit) {
    collect_backtrace(context);
  }
  return kind;
}

}  // namespace tfvm::interpreter
