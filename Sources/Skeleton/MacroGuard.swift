// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// Names from an object are names of C members, but each may be a macro where the text is compiled:
// kernel headers define HZ, current, EINVAL and thousands of others, and differ from kernel to
// kernel. So no list of them is kept: all names are suspended.

extension CWriter {
    /// The output of `body`, in which none of `names` is a macro.
    mutating func withoutMacros(_ names: [String], _ body: (inout CWriter) -> Void) {
        for name in names {
            directive("#pragma push_macro(\"\(name)\")")
            directive("#undef \(name)")
        }
        body(&self)
        for name in names { directive("#pragma pop_macro(\"\(name)\")") }
    }
}

extension LightSkeleton {
    /// Macros that the functions of a skeleton and of a module use themselves.
    private static let macrosInUse: Set<String> = [
        "ARRAY_SIZE", "EBUSY", "EINVAL", "ENOENT", "ENOMEM", "EOPNOTSUPP", "NULL", "O_CLOEXEC",
        "PROT_READ", "PROT_WRITE", "THIS_MODULE", "errno", "offsetofend",
    ]

    /// Functions that they call, which are macros with arguments on some kernels: a member with
    /// such a name is no call.
    private static let functionsInUse: Set<String> = [
        "cmpxchg", "kfree", "memcpy", "memset", "mmap", "mprotect", "munmap", "pr_err", "pr_info",
        "printk", "smp_load_acquire", "smp_store_release", "strscpy", "strscpy_pad", "symbol_get",
        "symbol_put",
    ]

    /// The name of the struct, where it is the object's.
    var objectNames: [String] { prefix == name ? [name] : [] }

    /// Macros in the kernel's definition of a parameter, which gets its name.
    static let macrosOfParameters: Set<String> = [
        "BUILD_BUG_ON_ZERO", "KBUILD_MODNAME", "MODULE_INFO", "MODULE_PARAM_PREFIX",
        "MODULE_PARM_DESC", "THIS_MODULE", "VERIFY_OCTAL_PERMISSIONS",
    ]

    /// The names of maps and programs that functions use as members, and that of the struct.
    var membersOfFunctions: [String] {
        unique(objectNames + maps.map(\.identifier) + programs.map(\.identifier)).filter {
            !Self.functionsInUse.contains($0)
        }
    }

    /// The names that the struct and its types declare for variables.
    var membersOfContents: [String] {
        let lines = maps.flatMap { ($0.contents?.types ?? []) + ($0.contents?.members ?? []) }
        return unique(lines.flatMap(declaredNames))
    }

    var variableNames: [String] {
        unique(maps.flatMap { $0.contents?.variables ?? [] }.map(\.name))
    }

    /// The first map or program whose name cannot be suspended, because the text uses the macro.
    var macroFault: String? {
        for (what, names) in [
            ("map", maps.map(\.identifier)), ("program", programs.map(\.identifier)),
        ] {
            if let name = names.first(where: Self.macrosInUse.contains) {
                return "\(what) '\(name)': a macro that the skeleton's own code uses"
            }
        }
        return nil
    }
}

/// The identifiers in a line of C, except keywords, tags, and types that the code around knows.
private func declaredNames(in line: String) -> [String] {
    var names: [String] = []
    var isTag = false
    for word in line.utf8.split(whereSeparator: { !isPartOfName($0) }) {
        let name = String(decoding: word, as: UTF8.self)
        if !isTag, CIdentifier.isValid(name), !name.hasPrefix("__"),
            !DataSection.knownTypedefs.contains(name)
        {
            names.append(name)
        }
        isTag = ["struct", "union", "enum"].contains(name)
    }
    return names
}

private func isPartOfName(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x5f
}

/// The names in the order of their first appearance.
private func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
}
