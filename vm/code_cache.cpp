// CodeCache: lazy translation under one lock a module; the call path takes none.
#include "vm/code_cache.hpp"

#include <algorithm>
#include <new>

#include "vm/handlers/control.hpp"
#include "vm/translate/translator.hpp"

namespace tfvm {
namespace {

constexpr std::size_t chunk_bytes = 64 * 1024;

}  // namespace

CodeCache::CodeCache(std::shared_ptr<const Module> module) : module_(std::move(module)) {}

CodeCache::~CodeCache() {
  for (const auto& variant : variants_) delete variant.load();
}

CodeVariant& CodeCache::variant(CodeKey key) {
  std::atomic<CodeVariant*>& place = variants_[key.index()];
  if (CodeVariant* variant = place.load(std::memory_order_acquire)) return *variant;
  const std::lock_guard lock(mutex_);
  if (CodeVariant* variant = place.load(std::memory_order_relaxed)) return *variant;
  auto variant = std::make_unique<CodeVariant>();
  variant->key = key;
  variant->cache = this;
  const std::size_t first = module_->imported_functions;
  variant->functions = std::vector<FunctionCode>(module_->functions.size() - first);
  for (std::size_t i = 0; i < variant->functions.size(); ++i) {
    FunctionCode& function = variant->functions[i];
    function.function_index = static_cast<std::uint32_t>(first + i);
    function.variant = variant.get();
    function.lazy_code[0] = &interpreter::outcall_translate;
    function.entry.store(reinterpret_cast<const std::uint8_t*>(function.lazy_code), std::memory_order_relaxed);
  }
  place.store(variant.get(), std::memory_order_release);
  return *variant.release();
}

/// REQUIRES: the lock is held.
std::uint8_t* CodeCache::allocate(std::size_t bytes) {
  if (bytes > chunk_left_) {
    const std::size_t size = std::max(bytes, chunk_bytes);
    chunks_.push_back(std::unique_ptr<std::uint8_t[]>(new std::uint8_t[size]));
    chunk_next_ = chunks_.back().get();
    chunk_left_ = size;
  }
  std::uint8_t* const result = chunk_next_;
  chunk_next_ += bytes;
  chunk_left_ -= bytes;
  return result;
}

bool CodeCache::translate(FunctionCode& function) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (function.code != nullptr) return true;
    interpreter::Translator translator(*function.variant);
    translator.translate(function.function_index);
    const interpreter::Emitter& emitter = translator.emitter();
    std::uint8_t* const code = allocate(emitter.size());
    emitter.place(code);
    function.frame_bytes = translator.frame_bytes();
    function.code_bytes = emitter.size();
    function.code = code;
    function.entry.store(code, std::memory_order_release);
    ++statistics_.functions;
    statistics_.wasm_bytes += module_->functions[function.function_index].body.size;
    statistics_.code_bytes += emitter.size();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

const FunctionCode* CodeCache::find(const std::uint8_t* pc) const {
  const std::lock_guard lock(mutex_);  // another thread may be adding code
  for (const auto& place : variants_) {
    const CodeVariant* variant = place.load(std::memory_order_acquire);
    if (variant == nullptr) continue;
    for (const FunctionCode& function : variant->functions)
      if (function.contains(pc)) return &function;
  }
  return nullptr;
}

CodeCache::Statistics CodeCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace tfvm
