// For tests that run on both ways to resolve paths: which of them this kernel has, and their names.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "wasi/path_resolve.hpp"

namespace tfvm::wasi {

/// The walker, and openat2 unless the kernel is older than 5.6 or a sandbox hides it.
inline std::vector<PathResolver::Method> resolver_methods() {
  std::vector<PathResolver::Method> methods{PathResolver::Method::Walker};
  PathResolver kernel(PathResolver::Method::Kernel);
  if (kernel.open(AT_FDCWD, ".", O_PATH, 0, true).ok()) methods.push_back(PathResolver::Method::Kernel);
  return methods;
}

inline std::string resolver_name(const testing::TestParamInfo<PathResolver::Method>& info) {
  return info.param == PathResolver::Method::Kernel ? "Kernel" : "Walker";
}

}  // namespace tfvm::wasi
