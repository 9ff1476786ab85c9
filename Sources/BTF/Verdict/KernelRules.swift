// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The rules of one kernel as numbers, for the loops of `KernelReader`.
struct KernelRules: Sendable {
    /// Bytes of the header that it knows.
    let headerLength: Int
    /// Bits of `info` that must be zero; 0 if it does not look.
    let infoForbidden: UInt32
    let kindMask: UInt32
    let vlenMask: UInt32
    let highestKind: UInt32
    let maxTypes: Int
    let maxNameOffset: UInt32
    let maxNameLength: Int
    let takesDots: Bool
    let takesAnySection: Bool
    let takesLinkage: Bool
    let takesFlaggedEnum: Bool
    let takesFlaggedTags: Bool
    let takesEnumSizes: Bool
    let checksChains: Bool
    let checksTagOrder: Bool
    let hasLayout: Bool
    /// Checks the special fields of structs in programs' BTF.
    let structMetas: StructMetas?

    enum StructMetas: Sendable {
        /// Linux 6.12: a pointer's first tag decides.
        case firstTag
        /// Linux 7.2: tags among all modifiers; `bpf_res_spin_lock`.
        case anyTag
    }

    /// - Parameter isProgram: for BPF_BTF_LOAD. Kernels with stricter limits there do not read
    ///   their own BTF.
    init(_ rules: TargetRules, isProgram: Bool) {
        func has(_ ability: KernelAbility) -> Bool { rules.has(ability) }
        headerLength = rules.headerLength
        infoForbidden = rules.infoMask.map { ~$0 } ?? 0
        kindMask = has(.manyElements) ? 0x7f : has(.float) ? 0x1f : 0x0f
        vlenMask = UInt32(rules.maxElements)
        highestKind = UInt32(rules.highestKind.rawValue)
        let isSmall = isProgram && !has(.largeBTF)
        maxTypes = isSmall ? 0xffff : 0xf_ffff
        maxNameOffset = isSmall ? 0xffff : 0xff_ffff
        maxNameLength = rules.maxNameLength
        takesDots = has(.dottedNames)
        takesAnySection = has(.anySectionName)
        takesLinkage = has(.functionLinkage)
        takesFlaggedEnum = has(.enum64)
        takesFlaggedTags = has(.flaggedTags)
        takesEnumSizes = !isSmall
        checksChains = has(.typeTag)
        checksTagOrder = !has(.anyTagOrder)
        hasLayout = has(.layout)
        structMetas =
            has(.manyElements) ? .anyTag : has(.structMetas) ? .firstTag : nil
    }
}

/// What a byte may be in a name, by the kernel's table of characters (Latin-1).
struct NameBytes: Sendable {
    private let classes: [UInt8]

    private static let first: UInt8 = 1
    private static let other: UInt8 = 2
    private static let printable: UInt8 = 4

    init(takesDots: Bool) {
        classes = (0...255).map { (byte: UInt8) -> UInt8 in
            let isDigit = byte >= 0x30 && byte <= 0x39
            let isLetter =
                byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a
                || byte >= 0xc0 && byte != 0xd7 && byte != 0xf7
            let isMark = byte == UInt8(ascii: "_") || takesDots && byte == UInt8(ascii: ".")
            return (isLetter || isMark ? Self.first : 0)
                | (isLetter || isDigit || isMark ? Self.other : 0)
                | (byte >= 0x20 && byte <= 0x7e || byte >= 0xa0 ? Self.printable : 0)
        }
    }

    /// The string that begins at `start`, ends with NUL, and has at most `limit` bytes.
    func isIdentifier(_ strings: [UInt8], _ start: Int, limit: Int) -> Bool {
        guard classes[Int(strings[start])] & Self.first != 0 else { return false }
        return ends(strings, start + 1, at: start + limit, Self.other)
    }

    /// The string at an offset that `types` has.
    func isIdentifier(_ types: KernelTypes, _ offset: UInt32, limit: Int) -> Bool {
        if offset >= types.stringBase {
            return isIdentifier(types.strings, Int(offset - types.stringBase), limit: limit)
        }
        let (strings, at) = types.place(of: offset)
        return isIdentifier(strings, at, limit: limit)
    }

    func isSection(_ strings: [UInt8], _ start: Int, limit: Int) -> Bool {
        strings[start] != 0 && ends(strings, start, at: start + limit, Self.printable)
    }

    private func ends(_ strings: [UInt8], _ start: Int, at limit: Int, _ wanted: UInt8) -> Bool {
        var at = start
        while at < limit, strings[at] != 0 {
            if classes[Int(strings[at])] & wanted == 0 { return false }
            at += 1
        }
        return strings[at] == 0
    }
}
