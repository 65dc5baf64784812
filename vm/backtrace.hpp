// From the frames that an executor leaves (RawFrame) to frames with names. Demangling is demangle.hpp's.
#pragma once

#include <vector>

#include "vm/execution_context.hpp"
#include "vm/trap.hpp"

namespace tfvm {

/// Adds a frame to context.backtrace, innermost first, so that backtrace_end_frames remain at each end and the others
/// are counted in omitted_frames. REQUIRES: the backtrace was empty before the first frame.
void append_frame(ExecutionContext& context, const RawFrame& frame);

/// Names and offsets of `frames`, from the name sections, else from exports.
std::vector<BacktraceFrame> describe_backtrace(const std::vector<RawFrame>& frames);

}  // namespace tfvm
