// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A function that a kernel or module offers to BPF programs (kfunc), as a set in `.BTF_ids` lists
/// it.
package struct KernelFunction: Sendable, Equatable {
    package let name: String
    package let flags: KernelFunctionFlags

    package init(_ name: String, _ flags: KernelFunctionFlags) {
        self.name = name
        self.flags = flags
    }
}

/// The flags of a kernel function that show in its BTF (include/linux/btf.h, `KF_...`).
package struct KernelFunctionFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A call changes fewer registers than the calling convention permits.
    package static let fastCall = KernelFunctionFlags(rawValue: 1 << 12)
    /// It returns a pointer into an arena.
    package static let arenaReturn = KernelFunctionFlags(rawValue: 1 << 13)
    /// Its first argument is a pointer into an arena.
    package static let arenaFirst = KernelFunctionFlags(rawValue: 1 << 14)
    package static let arenaSecond = KernelFunctionFlags(rawValue: 1 << 15)
    /// The verifier supplies its last arguments.
    package static let implicitArguments = KernelFunctionFlags(rawValue: 1 << 16)

    package static let arenas: KernelFunctionFlags = [.arenaReturn, .arenaFirst, .arenaSecond]
    /// All of them.
    package static let inBTF: KernelFunctionFlags = arenas.union([.fastCall, .implicitArguments])

    /// The flag of a set in `.BTF_ids` that lists kernel functions (`BTF_SET8_KFUNCS`).
    package static let ofSet: UInt32 = 1 << 0
    /// Parameters with such names are pointers into an arena, whatever the flags (from 7.3 on).
    package static let arenaSuffixes = ["__arena", "__arena__nullable"].map(\.systemBytes)
    /// How BTF marks what an arena pointer refers to: a TYPE_TAG with the kind flag.
    package static let arenaAttribute = "address_space(1)"

    /// The DECL_TAGs of a function with these flags.
    var tags: [String] {
        contains(.fastCall) ? ["bpf_kfunc", "bpf_fastcall"] : ["bpf_kfunc"]
    }

    /// Whether the flags mark argument number `index` as a pointer into an arena.
    package func marksArgument(_ index: Int) -> Bool {
        index == 0 && contains(.arenaFirst) || index == 1 && contains(.arenaSecond)
    }
}
