// Backtraces: which frames are kept, and what they are called (backtrace.hpp).
#include "vm/backtrace.hpp"

#include <map>

#include "decoder/name_section.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

void append_frame(ExecutionContext& context, const RawFrame& frame) {
  std::vector<RawFrame>& frames = context.backtrace;
  if (frames.size() < 2 * backtrace_end_frames) {
    frames.push_back(frame);
    return;
  }
  // The outer half is a window on the outermost frames so far.
  frames.erase(frames.begin() + backtrace_end_frames);
  frames.push_back(frame);
  ++context.omitted_frames;
}

namespace {

std::string_view exported_name(const Module& module, std::uint32_t function_index) {
  for (const Export& entry : module.exports)
    if (entry.kind == ExternKind::Function && entry.index == function_index) return entry.name;
  return {};
}

}  // namespace

std::vector<BacktraceFrame> describe_backtrace(const std::vector<RawFrame>& frames) {
  std::map<const Module*, NameSection> names;
  std::vector<BacktraceFrame> result;
  for (const RawFrame& frame : frames) {
    BacktraceFrame& described = result.emplace_back();
    if (frame.instance == nullptr) {
      described.is_host = true;
      if (frame.host_function != nullptr && frame.host_function->host_name != nullptr)
        described.function_name = *frame.host_function->host_name;
      continue;
    }
    const Module& module = frame.instance->module->module();
    described.function_index = frame.function_index;
    described.offset = frame.offset;
    auto found = names.find(&module);
    if (found == names.end()) found = names.emplace(&module, NameSection::decode(module)).first;
    described.module_name = found->second.module_name();
    described.function_name = found->second.function_name(frame.function_index);
    if (described.function_name.empty()) described.function_name = exported_name(module, frame.function_index);
  }
  return result;
}

}  // namespace tfvm
