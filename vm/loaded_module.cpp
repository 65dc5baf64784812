// Engine and LoadedModule: from bytes to a validated module with its place for translated code.
#include "vm/code_cache.hpp"
#include "vm/memory_image.hpp"
#include "vm/runtime.hpp"

namespace tfvm {

Engine::Engine(FeatureSet features)
    : registry_(std::make_shared<TypeRegistry>()), images_(std::make_shared<ImageArena>()), features_(features) {}

Result<std::shared_ptr<const LoadedModule>> Engine::load(std::vector<std::uint8_t> bytes) const {
  auto module = load_module(std::move(bytes), registry_, features_);
  if (!module) return module.error();
  return std::shared_ptr<const LoadedModule>(std::make_shared<LoadedModule>(std::move(module).value(), images_));
}

LoadedModule::LoadedModule(std::shared_ptr<const Module> module, std::shared_ptr<ImageArena> images)
    : module_(std::move(module)),
      code_(std::make_unique<CodeCache>(module_)),
      memory_image_(std::make_unique<MemoryImage>(std::move(images))) {}

LoadedModule::~LoadedModule() = default;

}  // namespace tfvm
