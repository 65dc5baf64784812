// Any bytes as what a site's owner may write: .kbp_config, name.toml, the text of a TXT record, a password.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cli/serve/config.hpp"
#include "cli/serve/domain_records.hpp"
#include "cli/serve/kbp_config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tfvm::serve;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      if (const auto config = KbpConfig::parse(text); config.ok()) {
        // paths of the file itself make good questions
        for (std::size_t at = 0; at < text.size(); at += 7) (void)(*config)->access(text.substr(at, 20), "a");
      }
      break;
    case 1: {
      static const ServerSettings server;
      static const SettingsOwner owner{"s", "s/f.wasm", SiteRoot("/nonexistent")};
      const auto settings = parse_function_settings(text, server, owner);
      if (settings.ok() && (settings->max_memory_bytes > server.ceilings.max_memory_bytes ||
                            settings->timeout > server.ceilings.timeout || !settings->directories.empty() ||
                            !server.ceilings.outbound.covers(settings->outbound)))
        std::abort();
      break;
    }
    case 2: {
      const DomainRecord record = parse_domain_record({text});
      const bool is_found = record.status == DomainRecord::Status::Found;
      if (is_found && ('/' + record.folder + '/' + record.path + '/').find("/../") != std::string::npos) std::abort();
      break;
    }
    default: (void)parse_basic_credentials(text); (void)Password::parse(text);
  }
  return 0;
}
