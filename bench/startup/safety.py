"""The safety axis: properties that a way to run a program has or has not, each with its source.

A position on the axis is the number of properties that hold. That is a count of walls that stand by design, not a
measure of risk: it weighs all the same and says nothing about the bugs of an implementation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Property:
    """A statement about the guest program, the kinds for which it holds by default, and where that is written."""

    name: str
    text: str
    holds_for: frozenset
    source: str
    links: tuple


PROPERTIES = [
    Property("files", "The user's files are out of reach unless handed in", frozenset({"wasm", "container", "vm"}),
             "WASI capabilities; mount_namespaces(7)",
             ("https://github.com/bytecodealliance/wasmtime/blob/main/docs/WASI-capabilities.md",
              "https://man7.org/linux/man-pages/man7/mount_namespaces.7.html")),
    Property("processes", "Other processes can be neither seen nor signalled", frozenset({"wasm", "container", "vm"}),
             "WASI preview 1; pid_namespaces(7)",
             ("https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md",
              "https://man7.org/linux/man-pages/man7/pid_namespaces.7.html")),
    Property("system calls", "It cannot call the host's kernel itself", frozenset({"wasm", "vm"}),
             "WebAssembly security; Docker seccomp",
             ("https://webassembly.org/docs/security/", "https://docs.docker.com/engine/security/seccomp/",
              "https://docs.kernel.org/virt/kvm/api.html")),
    Property("control flow", "Its stray writes reach no code and no return address", frozenset({"wasm"}),
             "WebAssembly security: control flow",
             ("https://webassembly.org/docs/security/",)),
    Property("own kernel", "It runs on a kernel of its own, in virtual hardware", frozenset({"vm"}),
             "KVM API; Firecracker design",
             ("https://docs.kernel.org/virt/kvm/api.html",
              "https://github.com/firecracker-microvm/firecracker/blob/main/docs/design.md")),
]

# Rows that lack a property of their kind: name of the row -> (name of the property, why).
EXCEPTIONS = {
    "wasm3": ("files", "wasm3 opens the current directory for every guest (m3_api_wasi.c)"),
}


def safety_of(name, kind):
    """The names of the properties that hold for a row."""
    lacking = EXCEPTIONS.get(name, (None, None))[0]
    return [item.name for item in PROPERTIES if kind in item.holds_for and item.name != lacking]
