// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Reads BTF as a kernel does, in its order, and stops where it stops: header, sections, strings,
/// layout, the metadata of each type, then references, chains of modifiers and special fields.
///
/// Works on raw bytes and assumes nothing about them. Each step is one of the kernel's functions
/// in kernel/bpf/btf.c; docs/targets.md lists the rules.
struct KernelReader {
    let bytes: ByteView
    let rules: KernelRules
    let way: Way
    let bigEndian: Bool
    /// The kernel's `sizeof(void *)`.
    let pointerSize: UInt32
    let names: NameBytes
    /// The kernel's own types, which a program's BTF may name.
    let kernel: KernelTypes?
    var types: KernelTypes
    /// Fields of the header, as far as it is long enough; the others are zero.
    var header = KernelHeader()
    /// The type that the kernel has in its log.
    var current: UInt32 = 1

    enum Way: Sendable {
        /// The BTF of a module.
        case module
        /// The kernel's own, or the `.BTF.base` of a module.
        case base(ofModule: Bool)
        /// From a program, BPF_BTF_LOAD.
        case program
    }

    /// - Parameter base: what a module's BTF continues.
    init(
        _ bytes: ByteView, after base: KernelTypes? = nil, _ way: Way, rules: TargetRules,
        kernel: KernelTypes? = nil, bigEndian: Bool, pointerSize: UInt32 = 8
    ) {
        self.pointerSize = pointerSize
        self.kernel = kernel
        self.bytes = bytes
        self.way = way
        self.bigEndian = bigEndian
        let isProgram = if case .program = way { true } else { false }
        self.rules = KernelRules(rules, isProgram: isProgram)
        names = NameBytes(takesDots: self.rules.takesDots)
        types = KernelTypes(after: base)
        types.kindMask = self.rules.kindMask
        types.vlenMask = self.rules.vlenMask
    }

    private var isProgram: Bool { if case .program = way { true } else { false } }

    mutating func read() throws(Unaccepted) {
        // BTF_MAX_SIZE.
        if isProgram, bytes.count > 16 << 20 {
            throw refusal("size", .tooBig, offset: 0)
        }
        try readUpToTypes()
        if isProgram {
            try checkLayout()
            guard header.typeOffset & 3 == 0 else {
                throw refusal("type_off", at: 8, "Unaligned type_off")
            }
            guard header.typeLength != 0 else {
                throw refusal("type_len", at: 12, "No type found")
            }
        }
        try readTypes()
        if isProgram {
            var resolver = KernelResolver(self)
            try resolver.run()
            try checkChains()
            if let generation = rules.structMetas {
                var fields = SpecialFields(resolver, generation)
                try fields.check()
            }
        } else {
            try checkChains()
        }
    }

    mutating func readUpToTypes() throws(Unaccepted) {
        try readHeader()
        try checkSections()
        try readStrings()
    }

    // MARK: Refusals

    /// - Parameter at: offset in the header of the field at fault.
    func refusal(
        _ rule: String, _ errno: KernelErrno = .invalid, at offset: Int, _ words: String
    ) -> Unaccepted {
        refusal(rule, errno, lines: [words], offset: offset)
    }

    func refusal(
        _ rule: String, _ errno: KernelErrno = .invalid, type: UInt32? = nil, lines: [String] = [],
        offset: Int, cause: String? = nil
    ) -> Unaccepted {
        let isInBase = if case .base(ofModule: true) = way { true } else { false }
        return Unaccepted(
            answer: .refused(
                KernelRefusal(
                    errno: errno, rule: rule, type: type.map { TypeID($0) }, lines: lines,
                    offset: offset, isInBase: isInBase, cause: cause)))
    }

    /// Bytes from the start of the BTF to a word of the own types.
    func offset(ofWord word: Int) -> Int {
        Int(header.length) + Int(header.typeOffset) + word * 4
    }

    /// The same of an own type.
    func offset(of id: UInt32) -> Int {
        let index = Int(id) - Int(types.firstID)
        return offset(
            ofWord: index >= 0 && index < types.starts.count ? Int(types.starts[index]) : 0)
    }
}

/// `struct btf_header`, as much of it as the kernel knows.
struct KernelHeader {
    var magic: UInt32 = 0
    var version: UInt32 = 0
    var flags: UInt32 = 0
    var length: UInt32 = 0
    var typeOffset: UInt32 = 0
    var typeLength: UInt32 = 0
    var stringOffset: UInt32 = 0
    var stringLength: UInt32 = 0
    var layoutOffset: UInt32 = 0
    var layoutLength: UInt32 = 0
}
