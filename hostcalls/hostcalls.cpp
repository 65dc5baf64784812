// Hostcalls: from the table of functions to definitions in a linker, from one request to the next (hostcalls.hpp).
#include "hostcalls/hostcalls.hpp"

#include <algorithm>
#include <iterator>

#include "hostcalls/handlers/handlers.hpp"

namespace tfvm::hostcalls {

namespace {

constexpr std::string_view import_module = "env";
constexpr std::string_view name_prefix = "hostcall_";

/// The C++ type of a result as a wasm type of the host (vm/host_function.hpp).
template <class R>
struct ResultType {
  using Type = R;
};
template <>
struct ResultType<bool> {
  using Type = std::uint32_t;
};
template <>
struct ResultType<Status> {
  using Type = std::uint32_t;
};

/// Between slots and the C++ types of a handler.
template <auto handler, class Function>
struct Binding;
template <auto handler, class R, class... Args>
struct Binding<handler, R (*)(Call&, Args...)> {
  static FunctionType type() { return host::function_type<typename ResultType<R>::Type(Args...)>(); }
  /// "(1024, 3, -1)"
  static std::string arguments(const Slot* slots) {
    std::string text;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((text += (I == 0 ? "" : ", ") + std::to_string(host::from_slot<Args>(slots[I]))), ...);
    }(std::index_sequence_for<Args...>{});
    return "(" + text + ")";
  }
  /// "1"; empty without one
  static std::string result(const Slot* slots) {
    if constexpr (std::is_void_v<R>) return {};
    else return std::to_string(host::from_slot<typename ResultType<R>::Type>(slots[0]));
  }
  static void enter(Call& call, Slot* slots) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_void_v<R>) {
        handler(call, host::from_slot<Args>(slots[I])...);
      } else {
        const R result = handler(call, host::from_slot<Args>(slots[I])...);
        slots[0] = host::to_slot(static_cast<typename ResultType<R>::Type>(result));
      }
    }(std::index_sequence_for<Args...>{});
  }
};

struct FunctionRow {
  std::string_view name;
  std::uint32_t fuel;
  FunctionType (*type)();
  void (*enter)(Call&, Slot*);
  std::string (*arguments)(const Slot*);
  std::string (*result)(const Slot*);
};

template <auto handler>
constexpr FunctionRow row(std::string_view name, std::uint32_t fuel) {
  using Bound = Binding<handler, decltype(handler)>;
  return {name, fuel, &Bound::type, &Bound::enter, &Bound::arguments, &Bound::result};
}

constexpr FunctionRow functions[] = {
#define HOSTCALL(name, fuel, result, ...) row<&handlers::name>(#name, fuel),
#include "hostcalls/functions.def"
#undef HOSTCALL
};
static_assert(std::size(functions) == 32);
static_assert(std::is_sorted(std::begin(functions), std::end(functions),
                             [](const FunctionRow& left, const FunctionRow& right) { return left.name < right.name; }));

const FunctionRow* find(std::string_view module, std::string_view name) {
  if (module != import_module || !name.starts_with(name_prefix)) return nullptr;
  name.remove_prefix(name_prefix.size());
  const auto* const found =
      std::lower_bound(std::begin(functions), std::end(functions), name,
                       [](const FunctionRow& each, std::string_view wanted) { return each.name < wanted; });
  return found != std::end(functions) && found->name == name ? found : nullptr;
}

HostOutcome enter(const FunctionRow& function, State& state, Caller& caller, Slot* slots) {
  Call call(state, caller, function.name);
  const auto& trace = state.services.trace;
  if (trace) trace(std::string(name_prefix) + std::string(function.name) + function.arguments(slots));
  if (call.charge(function.fuel)) function.enter(call, slots);
  if (trace && !call.has_ended())
    if (const std::string result = function.result(slots); !result.empty()) trace("  => " + result);
  return call.take_outcome();
}

}  // namespace

Hostcalls::Hostcalls(HostcallServices services) : state_(std::make_unique<State>()) {
  state_->services = std::move(services);
  state_->begin({});
}
Hostcalls::~Hostcalls() = default;

void Hostcalls::add_imports_of(Linker& linker, const Module& module) {
  for (const Import& import : module.imports) {
    if (import.kind != ExternKind::Function) continue;
    const FunctionRow* const function = find(import.module, import.name);
    if (function == nullptr) continue;
    linker.define_host_function(std::string(import.module), std::string(import.name), function->type(),
                                [&state = *state_, function](Caller& caller, Slot* slots) -> HostOutcome {
                                  return enter(*function, state, caller, slots);
                                });
  }
}

bool Hostcalls::provides(std::string_view module, std::string_view name) { return find(module, name) != nullptr; }

std::string Hostcalls::explain_mismatch(const Module& module) {
  std::string text;
  for (const Import& import : module.imports) {
    const FunctionRow* const function = find(import.module, import.name);
    if (function == nullptr) continue;
    std::string found = std::string("a ") + to_string(import.kind);
    if (import.kind == ExternKind::Function) {
      const FunctionType& type = module.function_type(import.index);
      if (type == function->type()) continue;
      found = to_string(type);
    }
    text += (text.empty() ? "" : "\n") + std::string(import.name) + " is imported as " + found + ", but it is " +
            to_string(function->type());
  }
  if (text.empty()) return text;
  return text +
         "\nTerrarium's AssemblyScript library had hostcalls of the same names over objects of its own; they are "
         "not provided here";
}

void Hostcalls::begin(HttpRequest request) { state_->begin(std::move(request)); }

HttpResponse Hostcalls::take_response() {
  HttpResponse response = std::move(writable(state_->responses.front()));
  std::optional<std::string> panic_message = std::move(state_->panic_message);
  state_->begin({});
  state_->panic_message = std::move(panic_message);
  return response;
}

const std::optional<std::string>& Hostcalls::panic_message() const { return state_->panic_message; }

}  // namespace tfvm::hostcalls
