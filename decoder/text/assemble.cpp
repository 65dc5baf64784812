// The outermost form of a text (assemble.hpp).
#include "decoder/text/assemble.hpp"

#include <string>

#include "decoder/text/module_assembler.hpp"
#include "decoder/text/token_stream.hpp"

namespace tfvm::text {
namespace {

/// Behind the last token of (module ...).
void expect_end(TokenStream& stream) {
  stream.expect(TokenKind::Close);
  if (!stream.is(TokenKind::End)) stream.fail_unexpected();
}

/// True: `bytes` is the module. False: the module is quoted, and `quoted` its text.
bool assemble(std::string_view text, std::vector<std::uint8_t>& bytes, std::string& quoted) {
  TokenStream stream(text);
  const bool is_form = stream.accept_form("module");
  if (is_form) {
    stream.accept_atom("definition");
    stream.accept_id();
    if (stream.accept_atom("binary")) {
      const std::string contents = stream.strings();
      expect_end(stream);
      bytes.assign(contents.begin(), contents.end());
      return true;
    }
    if (stream.accept_atom("quote")) {
      quoted = stream.strings();
      expect_end(stream);
      return false;
    }
  }
  ModuleAssembler assembler(stream);
  assembler.fields();
  if (is_form) expect_end(stream);
  else if (!stream.is(TokenKind::End)) stream.fail_unexpected();
  bytes = assembler.bytes();
  return true;
}

}  // namespace

Result<std::vector<std::uint8_t>> assemble_module(std::string_view text) {
  std::string current;
  try {
    std::vector<std::uint8_t> bytes;
    std::string quoted;
    while (!assemble(text, bytes, quoted)) {
      current = std::move(quoted);
      text = current;
    }
    return bytes;
  } catch (const TextFailure& failure) {
    return to_error(failure, text);
  }
}

}  // namespace tfvm::text
