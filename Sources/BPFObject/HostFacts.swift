// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Replacements for what libbpf would read from the machine it runs on, built from what the user
/// specified.
package struct HostFacts: Sendable, Equatable {
    /// For libbpf's option `kconfig`: a line for each variable of `.kconfig` that it would
    /// otherwise search in /proc/config.gz or /boot; empty if there are none.
    package internal(set) var kconfig = ""
    /// What libbpf reads from the running kernel regardless of its options: bytes to overwrite the
    /// values it wrote to the map `.kconfig`.
    package internal(set) var corrections: [Correction] = []

    /// Nothing is needed.
    package init() {}

    package struct Correction: Sendable, Equatable {
        /// Bytes from the start of the map's value.
        package let offset: Int
        package let bytes: [UInt8]
    }
}

extension BPFObject {
    /// Determines what a loader of this object depends on besides the object.
    ///
    /// - Returns: the values to give to libbpf, or what is missing. The latter includes facts that
    ///   libbpf looks up and nobody can specify: addresses of symbols without a type (in
    ///   /proc/kallsyms), the number of CPUs (for the size of an array of perf events), pinned maps
    ///   (in /sys/fs/bpf).
    package func hostFacts(_ kernel: KernelFacts?) -> Result<HostFacts, HostObstacles> {
        var facts = HostFacts()
        var found: [BPFObjectError] = []
        for extern in externs {
            switch extern.kind {
            case .kconfig(let type, let offset):
                do throws(BPFObjectError) {
                    try settle(extern, type, offset, kernel ?? KernelFacts(), &facts)
                } catch { found.append(error) }
            case .kernelVariable(isTyped: false):
                found.append(
                    BPFObjectError(
                        file: file, section: ".ksyms",
                        "'\(extern.name)' has no type, so libbpf reads its address from this machine's "
                            + "/proc/kallsyms",
                        hint:
                            "declare it with the type it has in the kernel's BTF: 'extern const struct T "
                            + "\(extern.name) __ksym', or call bpf_kallsyms_lookup_name()"))
            case .kernelVariable, .kernelFunction, .unresolved: continue
            }
        }
        for map in maps {
            if map.definition.isPinned {
                found.append(
                    error(
                        in: map,
                        "map '\(map.name)' is pinned by its name, which libbpf looks up in this machine's "
                            + "/sys/fs/bpf",
                        hint:
                            "remove __uint(pinning, LIBBPF_PIN_BY_NAME); pin the map after loading it"
                    ))
            }
            if map.definition.type == MapType.perfEventArray, map.definition.maxEntries == 0 {
                found.append(
                    error(
                        in: map,
                        "map '\(map.name)' has no size, so libbpf uses this machine's number of CPUs",
                        hint: "set the maximum number of CPUs: __uint(max_entries, N)"))
            }
        }
        return found.isEmpty ? .success(facts) : .failure(HostObstacles(errors: found))
    }

    /// Adds the value of one variable of `.kconfig` to `facts`.
    private func settle(
        _ extern: Extern, _ type: KconfigType, _ offset: Int, _ kernel: KernelFacts,
        _ facts: inout HostFacts
    ) throws(BPFObjectError) {
        func fail(_ message: String, _ hint: String? = nil) -> BPFObjectError {
            BPFObjectError(
                file: file, section: ".kconfig", offset: offset, "'\(extern.name)' " + message,
                hint: hint)
        }
        if extern.name == "LINUX_KERNEL_VERSION" {
            guard case .integer(_) = type.form, type.size >= 4 else {
                throw fail("has \(type.size) bytes, expected an integer of 4 or 8")
            }
            guard let version = kernel.version else {
                throw fail(
                    "is not given, and libbpf would use this machine's",
                    "--kernel-version 6.1, or a line LINUX_KERNEL_VERSION=n in the file of --kconfig"
                )
            }
            let bytes = (0..<type.size).map { index in
                UInt8(
                    truncatingIfNeeded: UInt64(version)
                        >> UInt64(8 * (isBigEndian ? type.size - 1 - index : index)))
            }
            facts.corrections.append(.init(offset: offset, bytes: bytes))
            return
        }
        // Loaders are generated as for the latest kernel: libbpf does not query the running one for
        // these.
        if extern.name == "LINUX_HAS_BPF_COOKIE" || extern.name == "LINUX_HAS_SYSCALL_WRAPPER" {
            return
        }
        guard extern.name.hasPrefix("CONFIG_") else {
            let isVirtual = extern.name.hasPrefix("LINUX_")
            if isVirtual, extern.isWeak { return }
            throw fail(
                "is neither CONFIG_... nor known to libbpf",
                isVirtual
                    ? "declare it __weak to make it 0"
                    : "libbpf fills in names that begin with CONFIG_ or LINUX_")
        }
        guard let value = kernel[extern.name] else {
            guard let file = kernel.file else {
                throw fail(
                    "is not given, and libbpf would read it from this machine's kernel",
                    "--kconfig FILE: the target kernel's configuration")
            }
            guard extern.isWeak else {
                throw fail(
                    "is not set in \(file)", "declare it __weak to make it 0")
            }
            facts.kconfig += "\(extern.name)=\(type.zero)\n"
            return
        }
        if let fault = type.fault(of: value) {
            throw fail("is \(value) in \(kernel.file ?? "the configuration"), \(fault)")
        }
        facts.kconfig += "\(extern.name)=\(value)\n"
    }
}

/// What a loader would depend on and was not specified; at least one.
package struct HostObstacles: Error, Sendable {
    package let errors: [BPFObjectError]
}

extension KconfigType {
    /// The text that libbpf reads as 0.
    fileprivate var zero: String {
        switch form {
        case .bool, .tristate: "n"
        case .char, .integer: "0"
        case .text: "\"\""
        }
    }

    /// Why libbpf could not store `value` in a variable of this type, or only a part of it; nil if
    /// it can.
    func fault(of value: String) -> String? {
        let isState = ["y", "m", "n"].contains(value)
        switch form {
        case .bool:
            return value == "y" || value == "n" ? nil : "but its type is bool, which accepts y or n"
        case .tristate: return isState ? nil : "but its type accepts y, m or n"
        case .char(let isSigned):
            if isState { return nil }
            return number(value, isSigned: isSigned)
                ? nil : "but its type accepts y, m, n or a byte"
        case .integer(let isSigned):
            return number(value, isSigned: isSigned)
                ? nil : "which is not a number for its type of \(size) bytes"
        case .text:
            guard value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count >= 2 else {
                return "but its type accepts a quoted string"
            }
            // Two quotes are removed, and a NUL is added; libbpf reads lines of up to 4096 bytes.
            guard value.utf8.count - 1 <= size, value.utf8.count < 4000 else {
                return "which is too long for an array of \(size)"
            }
            return nil
        }
    }

    private func number(_ text: String, isSigned: Bool) -> Bool {
        guard let value = KernelFacts.number(text) else { return false }
        if size == 8 { return true }
        let bits = UInt64(size * 8)
        return isSigned ? value &+ 1 << (bits - 1) < 1 << bits : value >> bits == 0
    }
}
