// Body validation: locals, the loop over the instructions, operands, and everything that opcodes.def says alone.
// Appendix "Validation Algorithm" of the standard.
#include "decoder/validate_code.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "decoder/decode_types.hpp"
#include "decoder/limits.hpp"

namespace tfvm {
namespace {

constexpr std::array<OpSignature, op_count> signatures = {{
#define OP(prefix, code, name, spelling, immediate, signature, width, feature, effect) parse_signature(signature),
#include "decoder/opcodes.def"
#undef OP
}};

}  // namespace

const OpSignature& signature_of(Op op) { return signatures[static_cast<std::size_t>(op)]; }

CodeValidator::CodeValidator(const Module& module, FeatureSet features, FeatureSet& features_used, ValidationPath path)
    : module_(module),
      features_(features),
      features_used_(features_used),
      path_(path),
      reader_(module.bytes(), 0, 0),
      operands_(256),
      limit_(operands_.data() + operands_.size()) {
  has_plain_memory_ = !module.memories.empty() && module.memories[0].address_type == AddressType::I32;
}

void CodeValidator::validate(std::uint32_t function_index) {
  const Function& function = module_.functions[function_index];
  function_ = &function.type->function();
  reader_ = Reader(module_.bytes(), function.body.offset, function.body.offset + function.body.size);
  instruction_.offset = function.body.offset;
  ++epoch_;
  initialized_.clear();
  top_ = operands_.data();
  frames_.clear();
  read_locals(function_->params);
  push_frame(Op::Block, {}, function_->results.size());
  run();
}

// Section 5.4.9 and 5.5.13. The declarations are kept as runs: three bytes can declare 50,000 locals, and writing them
// all out for each body would not be linear in the bytes. The first few, which bodies use most, are written out.
void CodeValidator::read_locals(Types params) {
  local_runs_.clear();
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto end = static_cast<std::uint32_t>(i + 1);
    if (i != 0 && params[i] == params[i - 1]) local_runs_.back().end = end;
    else local_runs_.push_back({end, params[i]});
  }
  const std::size_t body_size = reader_.remaining();
  std::uint64_t count = params.size();
  const std::uint32_t offset = reader_.offset();
  for (std::uint32_t runs = read_count(reader_, UINT32_MAX, "local declarations"); runs > 0; --runs) {
    const std::uint32_t run_offset = reader_.offset();
    count += reader_.u32();
    if (count > UINT32_MAX) fail_malformed("too many locals: more than 2^32-1", run_offset);
    const ValueType type = read_value_type(reader_, {module_}, features_);
    features_used_.add(feature_of(type));
    local_runs_.push_back({static_cast<std::uint32_t>(count), type});
  }
  if (count > limits::locals)
    fail(ErrorKind::Limit, "too many locals: " + std::to_string(count) + ", at most " + std::to_string(limits::locals),
         offset);
  local_count_ = static_cast<std::uint32_t>(count);
  const std::size_t written = std::min<std::size_t>(local_count_, 32 + 2 * body_size);
  locals_.clear();
  for (const LocalRun& run : local_runs_) locals_.resize(std::min<std::size_t>(run.end, written), run.type);
}

void CodeValidator::run() {
  while (!frames_.empty()) {
    if (path_ == ValidationPath::Fast) run_fast();
    step();
  }
  if (!reader_.at_end()) fail_malformed("section size mismatch: bytes behind the end of the body", reader_.offset());
}

void CodeValidator::step() {
  if (reader_.at_end()) fail_malformed("END opcode expected", reader_.offset());
  read_instruction(reader_, module_, features_, instruction_);
  const OpInfo& row = info(instruction_.op);
  features_used_.add(row.feature);
  const OpSignature& signature = signature_of(instruction_.op);
  if (signature.is_rule) apply_rule();
  else apply_signature(signature);
}

void CodeValidator::apply_signature(const OpSignature& signature) {
  const OpInfo& row = info(instruction_.op);
  ValueType address;
  switch (row.immediate) {
    case ImmediateKind::Memarg: check_memarg(row); [[fallthrough]];
    case ImmediateKind::Memory:
    case ImmediateKind::DataMemory: address = named_address(row); break;
    case ImmediateKind::Data: check_data(instruction_.index); break;
    case ImmediateKind::Element: element(instruction_.index); break;
    default: break;
  }
  if (row.immediate == ImmediateKind::DataMemory) check_data(instruction_.index);
  for (std::size_t i = signature.param_count; i-- > 0;)
    pop((signature.address_params >> i & 1) != 0 ? address : signature.params[i]);
  if (signature.result_count != 0) push(signature.has_address_result ? address : signature.result);
}

// The instructions whose signature in opcodes.def is "*".
void CodeValidator::apply_rule() {
  switch (instruction_.op) {
    case Op::Unreachable: return set_unreachable();
    case Op::Block:
    case Op::Loop:
    case Op::If: return apply_block();
    case Op::Else: return apply_else();
    case Op::End: return apply_end();
    case Op::Br: return apply_br();
    case Op::BrIf: return apply_br_if();
    case Op::BrTable: return apply_br_table();
    case Op::Return: return apply_return();
    case Op::Call: return apply_call(called_function());
    case Op::CallIndirect: return apply_call(called_indirect());
    case Op::CallRef: return apply_call(called_reference());
    case Op::ReturnCall: return apply_return_call(called_function());
    case Op::ReturnCallIndirect: return apply_return_call(called_indirect());
    case Op::ReturnCallRef: return apply_return_call(called_reference());
    case Op::Drop: pop_any(); return;
    case Op::Select: return apply_select();
    case Op::SelectTyped: return apply_select_typed();
    case Op::LocalGet: return apply_local_get();
    case Op::LocalSet: return apply_local_set(false);
    case Op::LocalTee: return apply_local_set(true);
    case Op::GlobalGet: return apply_global_get();
    case Op::GlobalSet: return apply_global_set();
    case Op::TableGet: return apply_table_get();
    case Op::TableSet: return apply_table_set();
    case Op::TableInit: return apply_table_init();
    case Op::TableCopy: return apply_table_copy();
    case Op::TableGrow: return apply_table_grow();
    case Op::TableSize: return apply_table_size();
    case Op::TableFill: return apply_table_fill();
    case Op::MemoryCopy: return apply_memory_copy();
    case Op::RefNull: return apply_ref_null();
    case Op::RefIsNull: return apply_ref_is_null();
    case Op::RefFunc: return apply_ref_func();
    case Op::RefEq: return apply_ref_eq();
    case Op::RefAsNonNull: return apply_ref_as_non_null();
    case Op::BrOnNull: return apply_br_on_null();
    case Op::BrOnNonNull: return apply_br_on_non_null();
    default:  // rows of features without rules yet, which a caller may have turned on all the same
      require_feature(FeatureSet::none(), info(instruction_.op).feature,
                      ("instruction " + std::string(info(instruction_.op).spelling)).c_str(), instruction_.offset);
  }
}

bool CodeValidator::is_subtype_of(ValueType sub, ValueType super) const {
  return is_subtype(*module_.registry(), sub, super);
}

ValueType CodeValidator::pop_any() {
  if (top_ != floor_) return *--top_;
  if (frames_.back().is_unreachable) return ValueKind::Bottom;
  fail_mismatch("a value", "nothing");
}

ValueType CodeValidator::pop_slow(ValueType expected) {
  if (top_ == floor_) {
    if (frames_.back().is_unreachable) return ValueKind::Bottom;
    fail_mismatch(to_string(expected), "nothing");
  }
  const ValueType found = *--top_;
  if (!is_subtype_of(found, expected)) fail_mismatch(to_string(expected), to_string(found));
  return found;
}

void CodeValidator::pop_all(Types types) {
  check_top(types);
  top_ -= std::min(types.size(), static_cast<std::size_t>(top_ - floor_));
}

void CodeValidator::push_all(Types types) {
  if (static_cast<std::size_t>(limit_ - top_) < types.size()) make_room(types.size());
  top_ = std::copy(types.begin(), types.end(), top_);
}

void CodeValidator::make_room(std::size_t more) {
  const auto height = static_cast<std::size_t>(top_ - operands_.data());
  if (height + more > limits::operand_height)
    fail(ErrorKind::Limit, "too many operands on the stack: more than " + std::to_string(limits::operand_height),
         instruction_.offset);
  operands_.resize(std::max(2 * operands_.size(), height + more));
  limit_ = operands_.data() + std::min<std::size_t>(operands_.size(), limits::operand_height);
  top_ = operands_.data() + height;
  set_floor();
}

// Whether the operands on top match `types`, without taking them: labels may be checked many times. Operands that
// unreachable code lacks match everything.
void CodeValidator::check_top(Types types) {
  const std::size_t there = std::min(types.size(), static_cast<std::size_t>(top_ - floor_));
  const std::size_t missing = types.size() - there;
  static_assert(sizeof(ValueType) == 4);
  if (there != 0 && std::memcmp(top_ - there, types.data() + missing, there * sizeof(ValueType)) != 0) {
    for (std::size_t i = there; i-- > 0;) {
      const ValueType found = *(top_ - there + i);
      const ValueType expected = types[missing + i];
      if (!is_subtype_of(found, expected)) fail_mismatch(to_string(expected), to_string(found));
    }
  }
  if (missing != 0 && !frames_.back().is_unreachable) fail_mismatch(to_string(types[missing - 1]), "nothing");
}

void CodeValidator::fail_invalid(std::string message) const {
  fail(ErrorKind::Invalid, std::move(message), instruction_.offset);
}

void CodeValidator::fail_mismatch(const std::string& expected, const std::string& found) const {
  fail_invalid("type mismatch: expected " + expected + ", found " + found);
}

void CodeValidator::fail_unknown(const char* what, std::uint32_t index) const {
  fail_invalid("unknown " + std::string(what) + " " + std::to_string(index));
}

}  // namespace tfvm
