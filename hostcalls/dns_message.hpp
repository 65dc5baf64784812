// DNS messages as bytes (RFC 1035, section 4): making queries, reading answers of whoever sent them. No sockets here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfvm::hostcalls::dns {

enum class Type : std::uint16_t { A = 1, Cname = 5, Txt = 16, Aaaa = 28 };

inline constexpr std::size_t max_message_bytes = 65'535;  // what TCP's length field can say
inline constexpr std::size_t header_bytes = 12;

/// A name as in a message, without compression: lengths and labels in lower case, ended by 0.
using WireName = std::string;

/// REQUIRES: is_host_name(text) (outbound_policy.hpp)
WireName encode_name(std::string_view text);

/// A recursive query of class IN with one question. Transaction id 0.
std::string make_query(const WireName& name, Type type);

/// The id is the first two bytes. REQUIRES: two bytes at least.
std::uint16_t transaction_id(std::string_view message);
void set_transaction_id(std::string& message, std::uint16_t id);

/// True if the message is a query (opcode 0) with exactly one question and nothing that a client has no business with:
/// what a guest may send through the host.
bool is_plain_query(std::string_view message);

/// True if `message` answers `query`: same id, a response to the same opcode and the same question (names compared
/// without case). REQUIRES: is_plain_query(query)
bool is_answer_to(std::string_view message, std::string_view query);

/// Cut off by the transport: ask again by TCP. REQUIRES: is_answer_to
bool is_truncated(std::string_view message);

/// One record of the answer section, class IN.
struct Record {
  WireName name;
  std::uint16_t type = 0;
  std::uint32_t time_to_live = 0;  ///< seconds
  std::string data;                ///< RDATA; of a CNAME the whole name
};

enum class ResponseCode : std::uint8_t { NoError = 0, NameError = 3 };

struct Answer {
  ResponseCode code = ResponseCode::NoError;  ///< any of RFC 1035's, named or not
  std::vector<Record> records;
};

/// Reads the answer section. None if anything up to its end is malformed: a name or record beyond the end, a name that
/// is too long, compression that does not point backwards.
std::optional<Answer> read_answer(std::string_view message);

/// The strings of a TXT record's data, joined; none if malformed.
std::optional<std::string> join_text(std::string_view data);

}  // namespace tfvm::hostcalls::dns
