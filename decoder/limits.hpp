// Every implementation limit of decoder and validator, each with the reason for its number. Beyond one:
// ErrorKind::Limit. "web": the number that the JavaScript API of WebAssembly prescribes, so that what runs in browsers
// runs here. The limits of the standard itself (4 GiB of memory ...) are rules of the validator and stand there.
#pragma once

#include <cstdint>

namespace tfvm::limits {

/// Bytes of a module: 1 GiB (web). Offsets are 32 bits wide, so 4 GiB would be the end in any case.
inline constexpr std::uint64_t module_size_bytes = 1u << 30;

/// Sections of all kinds; only custom sections can be many. Ours: tools write a dozen, each costs 40 bytes here.
inline constexpr std::uint32_t sections = 100'000;

/// Types, and thereby types of one recursion group. The web allows 1,000,000, but a canonical type costs 600 bytes:
/// this keeps the types of a module below 60 MB. Large compiled modules have some thousands, with garbage collection
/// more.
inline constexpr std::uint32_t types = 100'000;

/// Declared supertypes above a type (web). The display of a type holds that many ids.
inline constexpr std::uint32_t subtyping_depth = 63;

/// Parameters, and results, of a function or block type (web). Together with the two bytes of a call this is the
/// constant in "validation takes time linear in the bytes": at most 2 x 1,000 types are looked at for one instruction.
inline constexpr std::uint32_t parameters = 1'000;
inline constexpr std::uint32_t results = 1'000;

/// Fields of a struct type (web).
inline constexpr std::uint32_t struct_fields = 10'000;

/// Functions, imports, exports, globals, tags (web), the imported ones included.
inline constexpr std::uint32_t functions = 1'000'000;
inline constexpr std::uint32_t imports = 1'000'000;
inline constexpr std::uint32_t exports = 1'000'000;
inline constexpr std::uint32_t globals = 1'000'000;
inline constexpr std::uint32_t tags = 1'000'000;

/// Memories (web): each instance of one reserves address space.
inline constexpr std::uint32_t memories = 100;

/// Tables: what the web prescribed first; no known program has more than a few.
inline constexpr std::uint32_t tables = 100;

/// Element and data segments (web: 10,000,000 and 100,000). Ours for elements: each costs 44 bytes here.
inline constexpr std::uint32_t element_segments = 100'000;
inline constexpr std::uint32_t data_segments = 100'000;

/// Items of one element segment (web: the entries of a table).
inline constexpr std::uint32_t segment_items = 10'000'000;

/// Bytes of a function body (web).
inline constexpr std::uint32_t body_size_bytes = 7'654'321;

/// Locals of a function, its parameters included (web).
inline constexpr std::uint32_t locals = 50'000;

/// Labels of a br_table without the default (web).
inline constexpr std::uint32_t table_labels = 65'520;

/// Blocks inside each other. Ours: translators hold state per open block; a switch of 65,000 cases still fits.
inline constexpr std::uint32_t block_depth = 65'536;

/// Operands on the stack of a function. Ours: bounds the frame of a function to 8 bytes x (locals + operands), which is
/// below one MiB; compilers stay below some hundreds.
inline constexpr std::uint32_t operand_height = 65'536;

}  // namespace tfvm::limits
