-- wrk: counts responses that are not the expected one, and prints them in the summary.
-- Environment: EXPECTED is the whole body.
local expected = os.getenv("EXPECTED") or "Hello World!\n"
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  wrong = 0
end

function response(status, headers, body)
  if status ~= 200 or body ~= expected then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local wrong = 0
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format("RESULT requests=%d seconds=%.6f p50_us=%d p99_us=%d wrong=%d errors=%d\n", summary.requests,
    summary.duration / 1e6, latency:percentile(50), latency:percentile(99), wrong,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
