// One run of a program (run.hpp).
#include "vm/fuzz/run.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <span>

#include "vm/execution_context.hpp"
#include "vm/fuzz/random_module.hpp"
#include "vm/oracle/oracle.hpp"

namespace tfvm::fuzz {
namespace {

constexpr std::uint64_t most_fuel_per_call = 3000;
constexpr std::size_t most_calls = 24;
constexpr unsigned calls_per_function = 2;
constexpr unsigned most_nested_calls = 3;
/// Room for a frame per unit of fuel, so that fuel ends first.
constexpr std::uint64_t stack_bytes = 512u << 20;

StoreLimits limits(const Configuration& configuration) {
  StoreLimits limits;
  limits.max_memory_bytes = 64u << 20;
  limits.max_table_elements = 10'000;
  limits.max_stack_bytes = stack_bytes;
  limits.allow_guarded_memory = configuration.guards_memory;
  if (configuration.counts_fuel) limits.fuel = most_fuel_per_call;
  return limits;
}

bool is_nan(ValueType type, Slot slot) {
  if (type.kind() == ValueKind::F32) return slot.as_f32() != slot.as_f32();
  return type.kind() == ValueKind::F64 && slot.as_f64() != slot.as_f64();
}

/// The bits of a number, NaNs alike. The upper half of an f32's slot says nothing.
std::uint64_t number_bits(ValueType type, Slot slot) {
  if (type.kind() == ValueKind::F32) return is_nan(type, slot) ? 0x7fc00000 : slot.as_i32();
  return is_nan(type, slot) ? 0x7ff8000000000000 : slot.bits;
}

ValueType value_type(TypeByte type) {
  switch (type) {
    case test::i32: return ValueKind::I32;
    case test::i64: return ValueKind::I64;
    case test::f32: return ValueKind::F32;
    default: return ValueKind::F64;
  }
}

void add_trap(Event& event, const Trap& trap) {
  event.trap = trap.kind;
  event.frames = trap.backtrace.size();
  if (trap.backtrace.empty()) return;
  event.trap_function = trap.backtrace[0].function_index;
  event.trap_offset = trap.backtrace[0].offset;
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

void Hash::add(std::uint64_t value) { state_ = (std::rotl(state_, 23) ^ value) * 0x9e3779b97f4a7c15; }

void Hash::add(std::span<const std::uint8_t> bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    add(word);
  }
  for (; i < bytes.size(); ++i) add(bytes[i]);
}

bool Event::agrees_with(const Event& other) const {
  constexpr std::size_t most = 2 * backtrace_end_frames;
  const bool may_be_later = trap == TrapKind::OutOfBoundsMemoryAccess;
  const bool is_near = may_be_later || other.trap_offset <= trap_offset;
  return is_near && (other.trap_offset != 0) == (trap_offset != 0) && what == other.what &&
         instance == other.instance && index == other.index && trap == other.trap &&
         trap_function == other.trap_function && std::min(frames, most) == std::min(other.frames, most) &&
         fuel == other.fuel && seen_by_host == other.seen_by_host && values == other.values;
}

std::string Event::to_string() const {
  const auto number = [](std::uint64_t value) {
    char text[32];
    std::snprintf(text, sizeof text, " 0x%llx", static_cast<unsigned long long>(value));
    return std::string(text);
  };
  std::string text(what);
  text += " " + std::to_string(index) + " of instance " + std::to_string(instance);
  for (const std::uint64_t argument : arguments) text += number(argument);
  text += ":";
  if (trap != TrapKind::None)
    text += " trap '" + std::string(tfvm::to_string(trap)) + "' in function " + std::to_string(trap_function) + " at" +
            number(trap_offset) + ", " + std::to_string(frames) + " frames";
  for (const std::uint64_t value : values) text += number(value);
  return text + ", fuel " + std::to_string(fuel) + ", host" + number(seen_by_host);
}

Run::Run(const Engine& engine, const Configuration& configuration)
    : store_(engine, limits(configuration)), linker_(store_) {
  if (configuration.is_oracle) store_.set_execute(&oracle::execute);
  define_host_functions();
}

Transcript Run::run(const std::vector<std::shared_ptr<const LoadedModule>>& modules, std::uint64_t seed) {
  fuel_per_call_ = seed % 4 == 1 ? seed / 4 % 200 : most_fuel_per_call;
  for (const auto& module : modules) instantiate(module);
  instantiate(modules.back());
  Random random(seed);
  for (const auto& instance : store_.instances()) call_all(*instance, random);
  describe_state();
  return std::move(transcript_);
}

// ---- the host

void Run::define_host_functions() {
  for (const HostFunctionShape& shape : host_functions()) {
    FunctionType type;
    for (const TypeByte byte : shape.signature.params) type.params.push_back(value_type(byte));
    for (const TypeByte byte : shape.signature.results) type.results.push_back(value_type(byte));
    const std::vector<ValueType> params = type.params;
    const std::string_view name = shape.name;
    linker_.define_host_function("host", shape.name, std::move(type),
                                 [this, params, name](Caller& caller, Slot* slots) {
                                   seen_.add(static_cast<std::uint8_t>(name[0]));
                                   for (std::size_t i = 0; i < params.size(); ++i)
                                     seen_.add(number_bits(params[i], slots[i]));
                                   return host_call(name, caller, slots);
                                 });
  }
}

HostOutcome Run::host_call(std::string_view name, Caller& caller, Slot* slots) {
  if (name == "mix") slots[0].bits = slots[0].bits * 31 + slots[1].bits;
  if (name == "pair") {
    const float value = slots[0].as_f32();
    slots[0] = Slot::i32(value == value ? std::bit_cast<std::uint32_t>(value) : 7);
    slots[1] = Slot::f64(value == value ? value : 1.5);
  }
  if (name == "choose") slots[0] = slots[2].as_i32() % 2 != 0 ? slots[1] : Slot::f64(-2.5);
  if (name == "trap_if") {
    if (slots[0].as_i32() % 8 == 5) return HostOutcome::trap(TrapKind::HostFunctionFailed, "asked to");
    slots[0] = Slot::i32(slots[0].as_i32() + 1);
  }
  if (name == "grow") {
    MemoryInstance* const memory = caller.instance() == nullptr ? nullptr : caller.instance()->memory_for_host;
    slots[0] = Slot::i32(memory == nullptr ? 77 : static_cast<std::uint32_t>(memory->grow(1)));
  }
  if (name == "call") return call_back(caller, slots);
  return HostOutcome::ok();
}

/// Calls a function of the caller, with zeros.
HostOutcome Run::call_back(Caller& caller, Slot* slots) {
  const std::uint32_t number = slots[0].as_i32();
  slots[0] = Slot::i32(3);
  if (caller.instance() == nullptr || nested_calls_ == most_nested_calls) return HostOutcome::ok();
  const auto functions = static_cast<std::uint32_t>(caller.instance()->module->module().functions.size());
  FunctionInstance& function = *caller.instance()->function(number % functions);
  const FunctionType& type = function.type->function();
  std::vector<Slot> values(std::max<std::size_t>({type.params.size(), type.results.size(), 1}));
  ++nested_calls_;
  const std::optional<Trap> trap = store_.invoke(function, values.data());
  --nested_calls_;
  if (trap) return HostOutcome::trap(trap->kind);
  if (!type.results.empty() && type.results[0].kind() == ValueKind::I32) slots[0] = values[0];
  return HostOutcome::ok();
}

// ---- what happens

void Run::instantiate(const std::shared_ptr<const LoadedModule>& module) {
  refill();
  Event event{.what = "instantiate", .instance = static_cast<std::uint32_t>(store_.instances().size())};
  auto result = linker_.try_instantiate(module);
  if (!result) {
    event.values.push_back(1 + static_cast<std::uint64_t>(result.error().kind));
  } else {
    if (store_.instances().size() == 1) linker_.define_instance("a", *result->instance);
    if (result->trap) add_trap(event, *result->trap);
  }
  finish(std::move(event));
}

void Run::call_all(ModuleInstance& instance, Random& random) {
  for (const Export& entry : instance.module->module().exports) {
    if (entry.kind != ExternKind::Function || entry.index < instance.module->module().imported_functions) continue;
    for (unsigned i = 0; i < calls_per_function; ++i)
      call(instance, *instance.exported(entry).function, entry.index, random);
  }
}

void Run::call(ModuleInstance& instance, FunctionInstance& function, std::uint32_t index, Random& random) {
  if (calls_++ >= most_calls) return;
  refill();
  Event event{.what = "call", .instance = ordinal(&instance), .index = index};
  const FunctionType& type = function.type->function();
  std::vector<Slot> slots(std::max<std::size_t>({type.params.size(), type.results.size(), 1}));
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    slots[i] = argument(type.params[i], instance, random);
    event.arguments.push_back(portable(type.params[i], slots[i]));
  }
  const std::optional<Trap> trap = store_.invoke(function, slots.data());
  if (trap) add_trap(event, *trap);
  else
    for (std::size_t i = 0; i < type.results.size(); ++i) event.values.push_back(portable(type.results[i], slots[i]));
  finish(std::move(event));
}

void Run::refill() {
  if (store_.fuel()) store_.set_fuel(fuel_per_call_);
  for (const auto& instance : store_.instances())
    if (const auto steps = Store::find_export(*instance, "steps")) *steps->global.cell = Slot::i32(steps_per_call);
}

void Run::finish(Event event) {
  event.fuel = store_.fuel().value_or(0);
  event.seen_by_host = seen_.value();
  transcript_.push_back(std::move(event));
}

Slot Run::argument(ValueType type, ModuleInstance& instance, Random& random) {
  static constexpr std::uint64_t integers[] = {0, 1, 2, 5, 8, 100, 65535, 0x7fffffff, 0x80000000, 0xffffffff};
  static constexpr double floats[] = {0, 1, -1.5, 3e9, -3e9, 1e19, -0.0, 100};
  const std::uint64_t bits = random.next();
  const std::uint64_t integer = bits % 5 == 0 ? bits : integers[bits >> 8 & 7] + (bits >> 16 & 1) * (bits >> 20 & 1);
  switch (type.kind()) {
    case ValueKind::I32: return Slot::i32(static_cast<std::uint32_t>(integer));
    case ValueKind::I64: return Slot::i64(bits % 7 == 0 ? 0 - integer : integer);
    case ValueKind::F32: return Slot::f32(static_cast<float>(floats[bits % 8]));
    case ValueKind::F64: return Slot::f64(floats[bits % 8]);
    default: break;
  }
  if (bits % 3 == 0) return Slot::null();
  if (type.heap() == HeapKind::Extern) return Slot::external(bits % 100);
  std::vector<FunctionInstance*> functions;
  for (const Export& entry : instance.module->module().exports)
    if (entry.kind == ExternKind::Function) functions.push_back(instance.function(entry.index));
  return functions.empty() ? Slot::null() : Slot::function(functions[bits % functions.size()]);
}

// ---- the final state

std::uint32_t Run::ordinal(const ModuleInstance* instance) const {
  for (std::uint32_t i = 0; i < store_.instances().size(); ++i)
    if (store_.instances()[i].get() == instance) return i;
  return UINT32_MAX;
}

/// A value without addresses, NaNs of results alike.
std::uint64_t Run::portable(ValueType type, Slot slot) const {
  if (!type.is_ref()) return number_bits(type, slot);
  if (slot.is_null() || type.heap() == HeapKind::Extern) return slot.bits;
  const FunctionInstance& function = *slot.as_function();
  if (function.instance == nullptr)  // "host.name"
    return static_cast<std::uint8_t>((*function.host_name)[function.host_name->rfind('.') + 1]);
  return std::uint64_t{1 + ordinal(function.instance)} << 32 | function.function_index;
}

void Run::describe_state() {
  std::uint32_t memories = 0;
  for (const auto& memory : store_.memories()) {
    Hash hash;
    hash.add(std::span<const std::uint8_t>(memory->base, memory->size));
    transcript_.push_back({.what = "memory", .index = memories++, .values = {memory->size, hash.value()}});
  }
  for (const auto& instance : store_.instances()) {
    const std::uint32_t number = ordinal(instance.get());
    std::uint32_t index = 0;
    for (const GlobalInstance& global : instance->globals)
      transcript_.push_back({.what = "global",
                             .instance = number,
                             .index = index++,
                             .values = {portable(global.type.value, *global.cell)}});
    index = 0;
    for (const TableInstance* table : instance->tables) {
      Event event{.what = "table", .instance = number, .index = index++};
      for (std::uint64_t i = 0; i < table->size; ++i)
        event.values.push_back(portable(table->type.element, table->elements[i]));
      transcript_.push_back(std::move(event));
    }
  }
}

}  // namespace tfvm::fuzz
