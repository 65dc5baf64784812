// The status page (status_page.hpp).
#include "cli/serve/status_page.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>

namespace tfvm::serve {
namespace {

constexpr std::size_t max_rows = 1'000;

constexpr const char* style = R"(
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2330;--soft:#5d6878;--line:#e2e6ec;--good:#0f7b4f;
--bad:#b3261e;--warn:#9a5b00;--accent:#3b5bdb;--badbg:#fdeceb}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e6eaf0;--soft:#98a4b5;--line:#2b3442;
--good:#4cc38a;--bad:#ff8a80;--warn:#f0b45c;--accent:#8ea8ff;--badbg:#3a1f20}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:1180px;margin:0 auto;padding:32px 24px 64px}
header{display:flex;align-items:baseline;gap:14px;flex-wrap:wrap;margin-bottom:24px}
h1{font-size:24px;margin:0;letter-spacing:-.01em}h2{font-size:16px;margin:36px 0 12px}
.soft{color:var(--soft)}.pill{padding:2px 10px;border-radius:999px;font-size:13px;font-weight:600;
border:1px solid currentColor}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:22px;font-weight:650;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:9px 14px;text-align:left;border-top:1px solid var(--line);white-space:nowrap}
thead th{border-top:0;color:var(--soft);font-size:12.5px;font-weight:600}
td.n,th.n{text-align:right}td.name{font-weight:600}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
tr.problem td{border-top:0;padding-top:0;white-space:normal}
.note{display:inline-block;background:var(--badbg);color:var(--bad);border-radius:6px;padding:3px 10px;font-size:13.5px;
overflow-wrap:anywhere}
.kind{font-size:12.5px;color:var(--accent)}footer{margin-top:36px;font-size:13.5px}a{color:var(--accent)}
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return result;
}

// "12 345"
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, "\u202f");
  return text;
}

std::string bytes_text(double bytes) {
  constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}

std::string duration_text(double seconds) {
  char text[32];
  if (seconds < 1e-3) std::snprintf(text, sizeof(text), "%.0f \u00b5s", seconds * 1e6);
  else if (seconds < 1) std::snprintf(text, sizeof(text), "%.3g ms", seconds * 1e3);
  else std::snprintf(text, sizeof(text), "%.3g s", seconds);
  return text;
}

std::string age_text(std::chrono::system_clock::time_point since) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - since).count();
  if (seconds < 120) return std::to_string(std::max<std::int64_t>(seconds, 0)) + " s";
  if (seconds < 7'200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172'800) return std::to_string(seconds / 3'600) + " h";
  return std::to_string(seconds / 86'400) + " days";
}

std::uint64_t total(const std::array<std::atomic<std::uint64_t>, 5>& responses) {
  std::uint64_t sum = 0;
  for (const auto& each : responses) sum += each.load(std::memory_order_relaxed);
  return sum;
}

void append_tile(std::string& html, const std::string& value, std::string_view label, std::string_view colour = {}) {
  html.append("<div class=\"tile\"><b class=\"").append(colour).append("\">").append(value).append("</b><span>");
  html.append(label).append("</span></div>");
}

void append_tiles(std::string& html, const StatusPage& page) {
  const ServerMetrics& server = *page.server;
  const std::uint64_t failures = server.responses[4].load();
  html += "<section class=\"tiles\">";
  append_tile(html, grouped(total(server.responses)), "responses");
  append_tile(html, grouped(failures), "failures (5xx)", failures != 0 ? "bad" : "");
  append_tile(html, grouped(server.refused_requests.load()), "refused, too busy");
  for (const Gauge& gauge : page.gauges) {
    const bool is_bytes = gauge.name.ends_with("_bytes");
    append_tile(html, is_bytes ? bytes_text(gauge.value) : grouped(static_cast<std::uint64_t>(gauge.value)),
                gauge.help.substr(0, gauge.help.find('.')));
  }
  html += "</section>";
}

/// A file, what ran of it, or both.
struct Row {
  const FunctionStatus* file = nullptr;
  FunctionState* state = nullptr;
};

void append_note(std::string& html, std::string_view label, std::string_view text) {
  html.append("<tr class=\"problem\"><td colspan=\"9\"><span class=\"note\">").append(label).append(" ");
  html.append(escaped(text)).append("</span></td></tr>");
}

void append_row(std::string& html, const std::string& name, const Row& row) {
  const bool is_served = row.file != nullptr && !row.file->version.empty();
  html.append("<tr><td class=\"name\">").append(escaped(name)).append("</td><td class=\"kind\">");
  html.append(!is_served ? "" : row.file->kind == FunctionKind::Cgi ? "CGI" : "hostcalls").append("</td><td><code>");
  html.append(is_served ? escaped(row.file->version.substr(0, 12)) : "not served")
      .append("</code></td><td class=\"n\">");
  html.append(is_served ? bytes_text(static_cast<double>(row.file->bytes)) : "").append("</td><td class=\"n\">");
  html.append(is_served ? age_text(row.file->loaded) : "").append("</td>");
  if (row.state == nullptr) {
    html += "<td class=\"n\">0</td><td></td><td></td><td></td></tr>";
  } else {
    const FunctionMetrics& metrics = row.state->metrics;
    const std::uint64_t failures = metrics.responses[4].load();
    html.append("<td class=\"n\">").append(grouped(total(metrics.responses))).append("</td><td class=\"n ");
    html.append(failures != 0 ? "bad" : "").append("\">").append(grouped(failures)).append("</td><td class=\"n\">");
    const bool has_run = metrics.duration.count() != 0;
    html.append(has_run ? "&le;&thinsp;" + duration_text(metrics.duration.quantile(0.5)) : "");
    html.append("</td><td class=\"n\">");
    html.append(has_run ? "&le;&thinsp;" + duration_text(metrics.duration.quantile(0.99)) : "").append("</td></tr>");
  }
  if (row.file != nullptr && !row.file->problem.empty())
    append_note(html, is_served ? "the new file is not served:" : "", row.file->problem);
  if (row.state == nullptr) return;
  const std::lock_guard lock(row.state->error_mutex);
  if (!row.state->last_error.empty())
    append_note(html, "last failure, " + age_text(row.state->last_error_time) + " ago:", row.state->last_error);
}

void append_functions(std::string& html, const StatusPage& page) {
  std::map<std::string, Row> rows;
  for (const FunctionStatus& file : page.files) rows[file.name].file = &file;
  for (FunctionState* const state : page.functions) rows[state->name].state = state;
  html += "<h2>Functions</h2>";
  if (rows.empty()) {
    html += "<p class=\"soft\">None yet. Copy a .wasm file into the folder, and it is one.</p>";
    return;
  }
  html += R"(<div class="scroll"><table><thead><tr><th>Function</th><th>Kind</th><th>Version</th><th class="n">Size</th>
<th class="n">Loaded</th><th class="n">Responses</th><th class="n">Failures</th><th class="n">Median</th>
<th class="n">99&thinsp;%</th></tr></thead><tbody>)";
  std::size_t shown = 0;
  for (const auto& [name, row] : rows) {
    if (++shown > max_rows) break;
    append_row(html, name, row);
  }
  html += "</tbody></table></div>";
  if (rows.size() > max_rows)
    html += "<p class=\"soft\">The first " + grouped(max_rows) + " of " + grouped(rows.size()) + ".</p>";
}

}  // namespace

std::string status_page(const StatusPage& page) {
  std::string html =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>tfvm</title>"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"refresh\" content=\"5\"><style>";
  html.append(style).append("</style></head><body><main><header><h1>tfvm</h1>");
  html.append(page.is_draining ? "<span class=\"pill warn\">shutting down</span>"
                               : "<span class=\"pill good\">serving</span>");
  html.append("<span class=\"soft\">").append(escaped(page.version)).append(" &middot; up ");
  html.append(age_text(page.server->started)).append("</span></header>");
  append_tiles(html, page);
  append_functions(html, page);
  html +=
      "<footer class=\"soft\"><a href=\"/metrics\">metrics</a> &middot; <a href=\"/healthz\">healthz</a> &middot; "
      "<a href=\"/readyz\">readyz</a></footer></main></body></html>\n";
  return html;
}

}  // namespace tfvm::serve
