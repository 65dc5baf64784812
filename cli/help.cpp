// Help texts (help.hpp).
#include "cli/help.hpp"

#include <algorithm>
#include <boost/program_options/cmdline.hpp>

#include "cli/descriptions.hpp"

namespace tfvm::cli {
namespace {

namespace po = boost::program_options;

constexpr std::size_t text_column = 30;

// "  -v, --verbose" or "      --fuel N"
std::string option_heading(const po::option_description& option) {
  const std::string name = option.canonical_display_name(po::command_line_style::allow_dash_for_short);
  const bool has_short_name = name.size() == 2 && name[0] == '-';
  std::string heading = has_short_name ? "  " + name + ", " : "      ";
  heading += "--" + option.long_name();
  if (option.semantic()->max_tokens() != 0) heading += ' ' + option.format_parameter();
  return heading;
}

void append_option(std::string& text, const po::option_description& option) {
  std::string line = option_heading(option);
  if (line.size() + 2 > text_column) {
    text += line + '\n';
    line.clear();
  }
  line.resize(text_column, ' ');
  for (const char c : option.description()) {
    line += c;
    if (c == '\n') line += std::string(text_column, ' ');
  }
  text += line + '\n';
}

template <class Options>
std::string option_list() {
  Options unused;
  const Descriptions descriptions = describe(unused);
  std::string text;
  auto caption = descriptions.captions.begin();
  for (const po::options_description& group : descriptions.groups) {
    text += '\n' + *caption++ + '\n';
    for (const auto& option : group.options()) append_option(text, *option);
  }
  return text;
}

}  // namespace

std::string version_text() { return "tfvm " TFVM_VERSION "\n"; }

std::string help_overview() {
  return "tfvm " TFVM_VERSION R"(: runs WebAssembly programs

usage: tfvm FILE [ARGUMENTS...]           run a program; short for 'tfvm run'
       tfvm COMMAND [OPTIONS] ...

Commands
  run FILE [ARGUMENTS...]     run a WASI program, or call one of its functions
  serve DIR                   answer HTTP requests with the functions in a folder
  validate FILE...            check modules without running them
  inspect FILE                show what is in a module
  text FILE                   print a module in the text format
  binary FILE                 turn a module in the text format into a binary one
  help COMMAND                explain a command and its options

Options
  -h, --help                  print this help; 'tfvm run --help' is the same as 'tfvm help run'
  -V, --version               print the version

Examples
  tfvm hello.wasm
  tfvm run --dir data::/data::ro --env LANG=C count.wasm /data/words.txt
  tfvm run --timeout 2s --max-memory 64MiB untrusted.wasm <input >output
  tfvm run --invoke add sum.wasm 2 40
)";
}

std::string help_for_run() {
  return R"(usage: tfvm run [OPTIONS] FILE [ARGUMENTS...]
       tfvm [OPTIONS] FILE [ARGUMENTS...]

Runs the WebAssembly module in FILE ('-': from standard input). A program built for WASI (preview 1) starts at its
_start; any exported function can be called with --invoke. Options of tfvm end at FILE: all behind it belongs to the
program, options or not. '--' in front of FILE ends them too.
)" + option_list<RunOptions>() +
         R"(
Exit codes
  the program's own; 134 if it trapped; 124 if --timeout ended it; 130 if Ctrl-C did; 1 if tfvm could not run it;
  2 for wrong usage

Network
  A program makes no outbound connections: WASI preview 1 has none. It may accept those to the sockets of --tcp-listen.
  What gives a program outbound HTTP are the hostcalls ('tfvm help serve').

Environment
  TFVM_LOG=LEVEL              off, error, warn (default), info, debug or trace, as -v does
  NO_COLOR, CLICOLOR_FORCE    never or always colour messages; else only on a terminal

Examples
  tfvm run hello.wasm
  tfvm run --dir . --dir /usr/share/dict::/dict::ro grep.wasm -i 'needle' /dict/words
  tfvm run --invoke fib fib.wasm 30
  tfvm run --fuel 1000000 --max-memory 16MiB untrusted.wasm
  tfvm run --tcp-listen 127.0.0.1:8080 --env-file server.env server.wasm
  tfvm run --invoke add add.wat 1 2
)";
}

std::string help_for_serve() {
  return R"(usage: tfvm serve [OPTIONS] DIR|FILE

Answers HTTP requests: http://HOST:PORT/path/name.wasm runs DIR/path/name.wasm, other files are sent as they are. A file
is a function the moment that it is there; one that is replaced answers the next request with its new code. A module that
exports run is a hostcall function; one that exports _start is a CGI program: it reads the request's body from standard
input and writes a header, an empty line and a body to standard output. Every request gets a fresh instance. What a
function may do and use stands in name.toml beside it.
)" + option_list<ServeOptions>() +
         R"(
Protocols
  HTTP/1.1 and HTTP/1.0, over TLS 1.2 and 1.3 where certificates are given. No HTTP/2: a proxy in front can speak it.

Signals
  SIGTERM, SIGINT             stop accepting, finish what is under way, end; the second one ends at once
  SIGHUP                      read certificates and configuration again, open the access log again

Environment
  PORT                        the port to listen on, instead of 3000, where --listen names none
  NO_COLOR, CLICOLOR_FORCE    never or always colour messages; else only on a terminal

Exit codes
  0 after a signal; 1 if it cannot begin; 2 for wrong usage

Examples
  tfvm serve functions/
  tfvm serve --listen 0.0.0.0:80 --admin-listen 127.0.0.1:9000 --domains sites/
  tfvm serve --tls-listen 0.0.0.0:443 --tls-certs /etc/letsencrypt/live --redirect-listen 0.0.0.0:80 \
             --acme-webroot /var/www/acme functions/
)";
}

std::string help_for_validate() {
  return R"(usage: tfvm validate [OPTIONS] FILE...

Decodes and validates modules as WebAssembly's standard says, and runs nothing. Silent if all is well. Each bad module
gives one line with the reason and where it is: byte offset, section, function; one in the text format line and column.
)" + option_list<ValidateOptions>() +
         R"(
Exit codes
  0 if all files are valid modules; 1 if one is not or cannot be read; 2 for wrong usage

Examples
  tfvm validate *.wasm && echo fine
)";
}

std::string help_for_inspect() {
  return R"(usage: tfvm inspect [OPTIONS] FILE

Shows what is in the module in FILE ('-': from standard input): its sections with their sizes, imports and exports with
their types, memories, tables, globals, the features of WebAssembly that it uses, and its custom sections.
)" + option_list<InspectOptions>() +
         R"(
Exit codes
  0 for a valid module; 1 if it is not or cannot be read; 2 for wrong usage

Examples
  tfvm inspect prog.wasm
  tfvm inspect --disassemble=main prog.wasm
  tfvm inspect prog.wasm --json | jq '.imports[].name'
)";
}

std::string help_for_text() {
  return R"(usage: tfvm text [OPTIONS] FILE

Prints the module in FILE ('-': from standard input) in the text format, everything by index. 'tfvm binary' makes the
same module of it again, but for custom sections such as names.
)" + option_list<TextOptions>() +
         R"(
Exit codes
  0 if it is printed; 1 if FILE is no module or cannot be read; 2 for wrong usage

Examples
  tfvm text prog.wasm | less
)";
}

std::string help_for_binary() {
  return R"(usage: tfvm binary [OPTIONS] FILE

Assembles the module in FILE ('-': from standard input), which is in the text format of WebAssembly 3.0, to the binary
format. It is not validated: 'tfvm validate' does that, for both formats.
)" + option_list<TextOptions>() +
         R"(
Exit codes
  0 if it is written; 1 if FILE is malformed or cannot be read; 2 for wrong usage

Examples
  tfvm binary prog.wat -o prog.wasm
)";
}

}  // namespace tfvm::cli
