// DNS messages: RFC 1035, section 4. All reading goes through Cursor, which knows the end.
#include "hostcalls/dns_message.hpp"

#include <algorithm>

namespace tfvm::hostcalls::dns {
namespace {

constexpr std::size_t max_name_bytes = 255, max_label_bytes = 63;
constexpr std::uint16_t class_internet = 1;

char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

void put_u16(std::string& bytes, unsigned value) {
  bytes += static_cast<char>(value >> 8 & 0xff);
  bytes += static_cast<char>(value & 0xff);
}

/// Reads a message from front to back. After a failure all further reads fail.
class Cursor {
 public:
  explicit Cursor(std::string_view message) : message_(message) {}

  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }

  std::uint8_t u8() {
    if (!has(1)) return 0;
    return static_cast<std::uint8_t>(message_[position_++]);
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view bytes(std::size_t count) {
    if (!has(count)) return {};
    const std::string_view taken = message_.substr(position_, count);
    position_ += count;
    return taken;
  }
  void fail() { ok_ = false; }

  /// A name, its compression undone.
  WireName name() {
    WireName whole;
    std::size_t after_first_pointer = 0;
    std::size_t lowest = position_;  // pointers lead to before here, so that there is an end
    while (ok_) {
      const std::uint8_t length = u8();
      if (!ok_) break;
      if ((length & 0xc0) == 0xc0) {
        const std::size_t target = static_cast<std::size_t>(length & 0x3f) << 8 | u8();
        if (!ok_ || target >= lowest) return failed_name();
        if (after_first_pointer == 0) after_first_pointer = position_;
        position_ = lowest = target;
        continue;
      }
      if (length > max_label_bytes || whole.size() + length + 1 > max_name_bytes) return failed_name();
      whole += static_cast<char>(length);
      if (length == 0) {
        if (after_first_pointer != 0) position_ = after_first_pointer;
        return whole;
      }
      for (const char c : bytes(length)) whole += lower_case(c);
    }
    return failed_name();
  }

 private:
  bool has(std::size_t count) {
    ok_ = ok_ && count <= message_.size() - position_;
    return ok_;
  }
  WireName failed_name() {
    fail();
    return {};
  }

  std::string_view message_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

struct Header {
  std::uint16_t id, flags, questions, answers, authorities, additionals;

  bool is_response() const { return (flags & 0x8000) != 0; }
  unsigned opcode() const { return flags >> 11 & 0xf; }
  bool is_truncated() const { return (flags & 0x0200) != 0; }
  unsigned response_code() const { return flags & 0xf; }
};

Header read_header(Cursor& cursor) {
  Header header{};
  for (std::uint16_t* field :
       {&header.id, &header.flags, &header.questions, &header.answers, &header.authorities, &header.additionals}) {
    *field = cursor.u16();
  }
  return header;
}

struct Question {
  WireName name;
  std::uint16_t type = 0, question_class = 0;
  bool operator==(const Question&) const = default;
};

Question read_question(Cursor& cursor) {
  Question question;
  question.name = cursor.name();
  question.type = cursor.u16();
  question.question_class = cursor.u16();
  return question;
}

Record read_record(Cursor& cursor, std::string_view message, bool& is_internet) {
  Record record;
  record.name = cursor.name();
  record.type = cursor.u16();
  is_internet = cursor.u16() == class_internet;
  record.time_to_live = cursor.u32();
  // RFC 2181, section 8: with the highest bit it counts as 0.
  if (record.time_to_live > 0x7fff'ffff) record.time_to_live = 0;
  const std::uint16_t size = cursor.u16();
  const std::size_t begin = cursor.position();
  const std::string_view data = cursor.bytes(size);
  if (!cursor.ok()) return record;
  if (record.type == static_cast<std::uint16_t>(Type::Cname)) {
    Cursor inside(message.substr(0, begin + size));
    inside.bytes(begin);
    record.data = inside.name();
    if (!inside.ok() || inside.position() != begin + size) cursor.fail();
  } else {
    record.data = data;
  }
  return record;
}

}  // namespace

WireName encode_name(std::string_view text) {
  WireName name;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    text.remove_prefix(std::min(label.size() + 1, text.size()));
    name += static_cast<char>(label.size());
    for (const char c : label) name += lower_case(c);
  }
  name += '\0';
  return name;
}

std::string make_query(const WireName& name, Type type) {
  std::string message;
  constexpr unsigned recursion_desired = 0x0100;
  for (const unsigned field : {0u, recursion_desired, 1u, 0u, 0u, 0u}) put_u16(message, field);
  message += name;
  put_u16(message, static_cast<unsigned>(type));
  put_u16(message, class_internet);
  return message;
}

std::uint16_t transaction_id(std::string_view message) { return Cursor(message).u16(); }

void set_transaction_id(std::string& message, std::uint16_t id) {
  message[0] = static_cast<char>(id >> 8);
  message[1] = static_cast<char>(id & 0xff);
}

bool is_plain_query(std::string_view message) {
  if (message.size() > max_message_bytes) return false;
  Cursor cursor(message);
  const Header header = read_header(cursor);
  const Question question = read_question(cursor);
  // Additional records are for EDNS. Types from 249 are not about data: transfers of whole zones, keys, all at once.
  return cursor.ok() && !header.is_response() && header.opcode() == 0 && header.questions == 1 && header.answers == 0 &&
         header.authorities == 0 && (question.type < 249 || question.type > 255);
}

bool is_answer_to(std::string_view message, std::string_view query) {
  Cursor question_cursor(query), answer_cursor(message);
  const Header asked = read_header(question_cursor), answered = read_header(answer_cursor);
  if (!answered.is_response() || answered.id != asked.id || answered.opcode() != asked.opcode()) return false;
  if (answered.questions != 1) return false;
  return read_question(answer_cursor) == read_question(question_cursor) && answer_cursor.ok() && question_cursor.ok();
}

bool is_truncated(std::string_view message) {
  Cursor cursor(message);
  return read_header(cursor).is_truncated();
}

std::optional<Answer> read_answer(std::string_view message) {
  Cursor cursor(message);
  const Header header = read_header(cursor);
  for (unsigned i = 0; i < header.questions && cursor.ok(); ++i) read_question(cursor);
  Answer answer;
  answer.code = static_cast<ResponseCode>(header.response_code());
  for (unsigned i = 0; i < header.answers && cursor.ok(); ++i) {
    bool is_internet = false;
    Record record = read_record(cursor, message, is_internet);
    if (cursor.ok() && is_internet) answer.records.push_back(std::move(record));
  }
  if (!cursor.ok()) return std::nullopt;
  return answer;
}

std::optional<std::string> join_text(std::string_view data) {
  if (data.empty()) return std::nullopt;
  std::string text;
  Cursor cursor(data);
  while (cursor.position() < data.size()) {
    const std::uint8_t length = cursor.u8();
    text += cursor.bytes(length);
    if (!cursor.ok()) return std::nullopt;
  }
  return text;
}

}  // namespace tfvm::hostcalls::dns
