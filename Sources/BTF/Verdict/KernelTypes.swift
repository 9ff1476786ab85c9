// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Types and strings as a kernel that reads BTF holds them: those of a base it has read before, and
/// its own. Nothing else is known of them than what the kernel has checked.
package struct KernelTypes: Sendable {
    private let lowWords: [UInt32]
    private let lowStarts: [UInt32]
    private let lowStrings: [UInt8]
    var words: [UInt32]
    var starts: [UInt32]
    var strings: [UInt8]
    /// Id of the first own type; 1 without a base.
    let firstID: UInt32
    let isSplit: Bool
    /// Where own strings begin.
    let stringBase: UInt32
    var kindMask: UInt32
    var vlenMask: UInt32

    /// A kernel's own types, all of which it has accepted.
    /// nil for split BTF, which no kernel has as its own.
    package init?(_ btf: BTF) {
        if btf.isSplit { return nil }
        words = btf.words
        starts = btf.starts
        strings = btf.strings
        lowWords = []
        lowStarts = []
        lowStrings = []
        firstID = 1
        isSplit = false
        stringBase = 0
        kindMask = 0x1f
        vlenMask = 0xffff
    }

    /// None yet, after those of `base`.
    init(after base: KernelTypes?) {
        lowWords = base?.words ?? []
        lowStarts = base?.starts ?? []
        lowStrings = base?.strings ?? []
        words = []
        starts = []
        strings = []
        firstID = base?.typeCount ?? 1
        isSplit = base != nil
        stringBase = UInt32(base?.strings.count ?? 0)
        kindMask = 0x1f
        vlenMask = 0xffff
    }

    /// One past the highest id.
    var typeCount: UInt32 { firstID + UInt32(starts.count) }

    /// A type, or void.
    func exists(_ id: UInt32) -> Bool { id < typeCount }

    /// Word `index` of a type that exists and is not void.
    func word(_ id: UInt32, _ index: Int) -> UInt32 {
        id >= firstID
            ? words[Int(starts[Int(id - firstID)]) + index]
            : lowWords[Int(lowStarts[Int(id) - 1]) + index]
    }

    /// Kind of a type that exists; 0 for void.
    func kind(_ id: UInt32) -> UInt32 { id == 0 ? 0 : word(id, 1) >> 24 & kindMask }

    /// nil for a type that does not exist.
    func kindIfAny(_ id: UInt32) -> UInt32? { exists(id) ? kind(id) : nil }

    func vlen(_ id: UInt32) -> Int { id == 0 ? 0 : Int(word(id, 1) & vlenMask) }

    func flag(_ id: UInt32) -> Bool { id != 0 && word(id, 1) >> 31 != 0 }

    /// The third word: size or type.
    func third(_ id: UInt32) -> UInt32 { id == 0 ? 0 : word(id, 2) }

    func nameOffset(_ id: UInt32) -> UInt32 { id == 0 ? 0 : word(id, 0) }

    func isModifier(_ id: UInt32) -> Bool { KernelKind.isModifier(kind(id)) }

    // MARK: Strings

    /// Whether some string has this offset.
    func hasString(_ offset: UInt32) -> Bool {
        offset < stringBase || offset - stringBase < UInt32(strings.count)
    }

    /// The strings in which an offset with `hasString` lies, and where.
    func place(of offset: UInt32) -> (strings: [UInt8], at: Int) {
        offset < stringBase ? (lowStrings, Int(offset)) : (strings, Int(offset - stringBase))
    }

    /// Bytes of the string without NUL; nil if there is none. What is longer than any name is cut:
    /// one string may be the name of a million types.
    func string(_ offset: UInt32, atMost limit: Int = 1023) -> ArraySlice<UInt8>? {
        guard hasString(offset) else { return nil }
        let (strings, start) = place(of: offset)
        var end = start
        while end < strings.count, end - start < limit, strings[end] != 0 { end += 1 }
        return strings[start..<end]
    }

    /// Whether the string begins with these bytes.
    func string(_ offset: UInt32, startsWith prefix: [UInt8]) -> Bool {
        guard hasString(offset) else { return false }
        let (strings, start) = place(of: offset)
        guard prefix.count <= strings.count - start else { return false }
        for index in prefix.indices where strings[start + index] != prefix[index] { return false }
        return true
    }

    func isEmpty(_ offset: UInt32) -> Bool {
        guard hasString(offset) else { return true }
        let (strings, at) = place(of: offset)
        return strings[at] == 0
    }

    /// As the kernel prints a name; a piece of its log has 1023 bytes.
    func shown(_ offset: UInt32) -> String {
        if offset == 0 { return "(anon)" }
        guard let bytes = string(offset) else { return "(invalid-name-offset)" }
        return String(systemBytes: bytes)
    }
}

/// The numbers of kinds, and what the kernel makes of them.
enum KernelKind {
    static let int: UInt32 = 1
    static let ptr: UInt32 = 2
    static let array: UInt32 = 3
    static let `struct`: UInt32 = 4
    static let union: UInt32 = 5
    static let `enum`: UInt32 = 6
    static let fwd: UInt32 = 7
    static let typedef: UInt32 = 8
    static let volatile: UInt32 = 9
    static let const: UInt32 = 10
    static let restrict: UInt32 = 11
    static let `func`: UInt32 = 12
    static let funcProto: UInt32 = 13
    static let `var`: UInt32 = 14
    static let datasec: UInt32 = 15
    static let float: UInt32 = 16
    static let declTag: UInt32 = 17
    static let typeTag: UInt32 = 18
    static let enum64: UInt32 = 19
    static let locParam: UInt32 = 20
    static let locProto: UInt32 = 21
    static let locsec: UInt32 = 22

    private static func set(_ kinds: UInt32...) -> UInt32 { kinds.reduce(0) { $0 | 1 << $1 } }

    private static let modifiers = set(typedef, volatile, const, restrict, typeTag)
    private static let composites = set(`struct`, union)
    private static let sizeless =
        set(0, fwd, `func`, funcProto, declTag, locParam, locProto, locsec)
    private static let sized = set(int, `struct`, union, `enum`, datasec, float, enum64)
    private static let sources = set(`var`, declTag, datasec, locProto, locsec)
    private static let resolving =
        modifiers | composites | set(ptr, array, `var`, `func`, declTag, datasec, locProto, locsec)

    private static func isIn(_ set: UInt32, _ kind: UInt32) -> Bool { set >> kind & 1 != 0 }

    static func isModifier(_ kind: UInt32) -> Bool { isIn(modifiers, kind) }
    static func isComposite(_ kind: UInt32) -> Bool { isIn(composites, kind) }
    /// void, FWD, FUNC, FUNC_PROTO, DECL_TAG, LOC_PARAM, LOC_PROTO, LOCSEC.
    static func isSizeless(_ kind: UInt32) -> Bool { isIn(sizeless, kind) }
    /// Has its size in the third word.
    static func hasSize(_ kind: UInt32) -> Bool { isIn(sized, kind) }
    /// VAR, DECL_TAG, DATASEC, LOC_PROTO, LOCSEC: no type may refer to them as its type.
    static func isSource(_ kind: UInt32) -> Bool { isIn(sources, kind) }
    static func needsResolution(_ kind: UInt32) -> Bool { isIn(resolving, kind) }
}
