// Whatever a DNS server sends: the answer's parser keeps its promises on any bytes.
#include "hostcalls/dns_message.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace tfvm::hostcalls;

namespace {

void check(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  if (const std::optional<dns::Answer> answer = dns::read_answer(message)) {
    check(message.size() >= dns::header_bytes);
    check(answer->records.size() * 11 <= message.size());
    for (const dns::Record& record : answer->records) {
      check(!record.name.empty() && record.name.size() <= 255 && record.name.back() == '\0');
      check(record.time_to_live <= 0x7fffffff);
      if (const std::optional<std::string> text = dns::join_text(record.data)) check(text->size() < record.data.size());
    }
  }
  static_cast<void>(dns::is_truncated(message));
  const std::string query = dns::make_query(dns::encode_name("example.com"), dns::Type::A);
  check(!dns::is_answer_to(query, query));
  if (dns::is_answer_to(message, query)) check(message.size() >= query.size() - 1);
  if (dns::is_plain_query(message)) {
    std::string answer(message);
    answer[2] = static_cast<char>(answer[2] | 0x80);
    check(dns::is_answer_to(answer, message));
  }
  return 0;
}
