// A CGI/1.1 program (RFC 3875) for one request of the command line: its environment, its standard input, and the
// response that it writes. The server has its own, which streams.
#pragma once

#include <string>

#include "hostcalls/http.hpp"
#include "wasi/stream.hpp"
#include "wasi/wasi.hpp"

namespace tfvm::cli {

/// The streams of one CGI program.
class CgiStreams {
 public:
  /// `body` is borrowed.
  explicit CgiStreams(const std::string& body) : input_(body) {}

  /// Gives the program its streams and variables. They must outlive the program.
  void prepare(wasi::WasiConfig& config, const hostcalls::HttpRequest& request, const std::string& file);
  /// What the program wrote, as a response (section 6): fields up to an empty line, then the body; status 200 unless
  /// Status or Location says otherwise. Throws Failure: there is no head.
  hostcalls::HttpResponse response() const;

 private:
  struct Input : wasi::Stream {
    explicit Input(const std::string& text) : rest(text) {}
    Outcome read(std::span<std::uint8_t> buffer) override;
    std::string_view rest;
  };
  struct Output : wasi::Stream {
    Outcome write(std::span<const std::uint8_t> bytes) override;
    std::string text;
  };
  Input input_;
  Output output_;
};

}  // namespace tfvm::cli
