// The loop over tokens and the stack of what is open (instruction_parser.hpp).
#include "decoder/text/instruction_parser.hpp"

#include <array>

#include "decoder/text/operands.hpp"

namespace tfvm::text {
namespace {

constexpr std::uint32_t else_code = 0x05;
constexpr std::uint32_t end_code = 0x0b;

bool has_body(const InstructionRow& row) {
  return row.operands == Operands::Block || row.operands == Operands::TryTable;
}
bool is_if(const InstructionRow& row) { return row.spelling == "if"; }

struct CatchClause {
  std::string_view keyword;
  std::uint8_t code;
  bool has_tag;
};
constexpr std::array catch_clauses = {CatchClause{"catch", 0, true}, CatchClause{"catch_ref", 1, true},
                                      CatchClause{"catch_all", 2, false}, CatchClause{"catch_all_ref", 3, false}};

}  // namespace

void InstructionParser::run(Bytes& out, bool is_one) {
  out_ = &out;
  do {
    switch (stream_.peek().kind) {
      case TokenKind::Open: open(); break;
      case TokenKind::Close:
        if (frames_.empty() && is_one) stream_.fail_unexpected();
        if (frames_.empty()) return;
        close();
        break;
      case TokenKind::Atom:
        if (is_one && frames_.empty()) stream_.fail_unexpected();
        flat();
        break;
      default: stream_.fail_unexpected();
    }
  } while (!is_one || !frames_.empty());
}

bool InstructionParser::takes_flat() const {
  if (frames_.empty()) return true;
  switch (frames_.back().kind) {
    case FrameKind::Block:
    case FrameKind::Then:
    case FrameKind::Else:
    case FrameKind::FlatBlock:
    case FrameKind::FlatIf:
    case FrameKind::FlatElse: return true;
    default: return false;
  }
}

/// The instruction whose name comes next, read.
const InstructionRow& InstructionParser::instruction() {
  const Token& token = stream_.peek();
  const InstructionRow* const row = token.kind == TokenKind::Atom ? find_instruction(stream_.text_of(token)) : nullptr;
  if (row == nullptr) stream_.fail_unexpected();
  stream_.next();
  return *row;
}

void InstructionParser::catches(Bytes& out) {
  Bytes clauses;
  std::uint32_t count = 0;
  const auto accept_clause = [&](const CatchClause& clause) {
    if (!stream_.accept_form(clause.keyword)) return false;
    clauses.byte(clause.code);
    if (clause.has_tag) clauses.u32(scope_.tags.index(stream_));
    clauses.u32(labels_.index(stream_));
    stream_.expect(TokenKind::Close);
    ++count;
    return true;
  };
  bool found = true;
  while (found) {
    found = false;
    for (const CatchClause& clause : catch_clauses) found = found || accept_clause(clause);
  }
  out.u32(count);
  out.append(clauses.span());
}

void InstructionParser::block_head(const InstructionRow& row, Bytes& out) {
  put_opcode(row.prefix, row.code, out);
  scope_.types.block_type(stream_, out);
  if (row.operands == Operands::TryTable) catches(out);
}

// ---- Folded instructions --------------------------------------------------------------------------------------------

void InstructionParser::open() {
  if (!frames_.empty()) {
    Frame& frame = frames_.back();
    if (frame.kind == FrameKind::Condition && stream_.accept_form("then")) {
      out_->append(pending_.from(frame.pending));
      pending_.truncate(frame.pending);
      labels_.push(std::move(frame.label));
      frame.kind = FrameKind::Then;
      return;
    }
    if (frame.kind == FrameKind::AfterThen && stream_.accept_form("else")) {
      out_->byte(else_code);
      frame.kind = FrameKind::Else;
      return;
    }
    if (frame.kind == FrameKind::AfterThen || frame.kind == FrameKind::AfterElse) stream_.fail_unexpected();
  }
  stream_.expect(TokenKind::Open);
  if (stream_.is_atom("else") || stream_.is_atom("end")) stream_.fail_unexpected();
  open_folded(instruction());
}

void InstructionParser::open_folded(const InstructionRow& row) {
  const std::size_t begin = pending_.size();
  if (!has_body(row)) {
    put_plain_instruction(stream_, row, scope_, locals_, labels_, pending_);
    frames_.push_back({FrameKind::Plain, begin});
    return;
  }
  std::optional<std::string> label = stream_.accept_id();
  if (is_if(row)) {
    block_head(row, pending_);
    frames_.push_back({FrameKind::Condition, begin, std::move(label)});
    return;
  }
  block_head(row, *out_);
  labels_.push(std::move(label));
  frames_.push_back({FrameKind::Block, begin});
}

void InstructionParser::close() {
  Frame& frame = frames_.back();
  switch (frame.kind) {
    case FrameKind::Plain:
      out_->append(pending_.from(frame.pending));
      pending_.truncate(frame.pending);
      break;
    case FrameKind::Then: frame.kind = FrameKind::AfterThen; return stream_.expect(TokenKind::Close);
    case FrameKind::Else: frame.kind = FrameKind::AfterElse; return stream_.expect(TokenKind::Close);
    case FrameKind::Block:
    case FrameKind::AfterThen:
    case FrameKind::AfterElse:
      out_->byte(end_code);
      labels_.pop();
      break;
    case FrameKind::Condition:
    case FrameKind::FlatBlock:
    case FrameKind::FlatIf:
    case FrameKind::FlatElse: stream_.fail_unexpected();
  }
  stream_.expect(TokenKind::Close);
  frames_.pop_back();
}

// ---- Flat instructions ----------------------------------------------------------------------------------------------

void InstructionParser::flat() {
  if (!takes_flat()) stream_.fail_unexpected();
  if (stream_.is_atom("else")) return flat_else();
  if (stream_.is_atom("end")) return flat_end();
  const InstructionRow& row = instruction();
  if (has_body(row)) return flat_block(row);
  put_plain_instruction(stream_, row, scope_, locals_, labels_, *out_);
}

void InstructionParser::flat_block(const InstructionRow& row) {
  std::optional<std::string> label = stream_.accept_id();
  block_head(row, *out_);
  labels_.push(std::move(label));
  frames_.push_back({is_if(row) ? FrameKind::FlatIf : FrameKind::FlatBlock, 0});
}

/// Behind else and end the label may stand again.
void InstructionParser::repeat_label() {
  const std::size_t offset = stream_.offset();
  const auto id = stream_.accept_id();
  if (id && id != labels_.innermost()) fail_text("mismatching label $" + *id, offset);
}

void InstructionParser::flat_else() {
  if (frames_.empty() || frames_.back().kind != FrameKind::FlatIf) stream_.fail_unexpected();
  stream_.next();
  repeat_label();
  out_->byte(else_code);
  frames_.back().kind = FrameKind::FlatElse;
}

void InstructionParser::flat_end() {
  const bool is_open =
      !frames_.empty() && (frames_.back().kind == FrameKind::FlatBlock || frames_.back().kind == FrameKind::FlatIf ||
                           frames_.back().kind == FrameKind::FlatElse);
  if (!is_open) stream_.fail_unexpected();
  stream_.next();
  repeat_label();
  out_->byte(end_code);
  labels_.pop();
  frames_.pop_back();
}

}  // namespace tfvm::text
