// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The kernel's log: how it shows a type, a member, a variable of a section.
enum KernelLog {
    static func word(_ kind: UInt32) -> String {
        kind == 0 ? "UNKNOWN" : Kind(rawValue: UInt8(kind))?.word ?? "UNKNOWN"
    }

    /// An own type: `[4] STRUCT s size=8 vlen=1`.
    static func type(_ types: KernelTypes, _ id: UInt32, details: Bool = true) -> String {
        let kind = types.kind(id)
        let text = "[\(id)] \(word(kind)) \(types.shown(types.nameOffset(id)))"
        guard details, id >= types.firstID else { return text }
        let at = Int(types.starts[Int(id - types.firstID)])
        return text + " " + self.details(types, at: at, kind)
    }

    /// - Parameter at: the record among the own words.
    static func details(_ types: KernelTypes, at: Int, _ kind: UInt32) -> String {
        let words = types.words
        let vlen = Int(words[at + 1] & types.vlenMask)
        switch kind {
        case KernelKind.int:
            let data = words[at + 3]
            let encoding =
                switch data >> 24 & 0xf {
                case 0: "(none)"
                case 1: "SIGNED"
                case 2: "CHAR"
                case 4: "BOOL"
                default: "UNKN"
                }
            return "size=\(words[at + 2]) bits_offset=\(data >> 16 & 0xff) "
                + "nr_bits=\(data & 0xff) encoding=\(encoding)"
        case KernelKind.fwd: return words[at + 1] >> 31 != 0 ? "union" : "struct"
        case KernelKind.array:
            return "type_id=\(words[at + 3]) index_type_id=\(words[at + 4]) "
                + "nr_elems=\(words[at + 5])"
        case KernelKind.struct, KernelKind.union, KernelKind.enum, KernelKind.enum64,
            KernelKind.datasec:
            return "size=\(words[at + 2]) vlen=\(vlen)"
        case KernelKind.funcProto: return prototype(types, at: at, vlen)
        case KernelKind.var: return "type_id=\(words[at + 2]) linkage=\(words[at + 3])"
        case KernelKind.float: return "size=\(words[at + 2])"
        case KernelKind.declTag:
            return "type=\(words[at + 2]) component_idx=\(Int32(bitPattern: words[at + 3]))"
        case KernelKind.locParam:
            return values(
                words, at + 4, vlen,
                "size=\(words[at + 2]) vlen=\(vlen) flags=0x"
                    + String(words[at + 3], radix: 16))
        case KernelKind.locProto: return values(words, at + 3, vlen, "vlen=\(vlen)")
        case KernelKind.locsec: return "vlen=\(vlen)"
        default: return "type_id=\(words[at + 2])"
        }
    }

    private static func values(
        _ words: [UInt32], _ start: Int, _ count: Int, _ head: String
    ) -> String {
        let shown = words[start..<start + min(count, mostParameters)]
        return shown.reduce(head) { $0 + ", \($1)" } + (shown.count < count ? ", ..." : "")
    }

    static func site(_ types: KernelTypes, at: Int) -> String {
        "\t func=\(types.words[at]) loc_proto=\(types.words[at + 1]) offset=\(types.words[at + 2]) "
    }

    /// No more than this many parameters are shown; the kernel shows all.
    private static let mostParameters = 256

    private static func prototype(_ types: KernelTypes, at: Int, _ count: Int) -> String {
        let words = types.words
        func parameter(_ index: Int) -> String {
            let word = at + 3 + index * 2
            return "\(words[word + 1]) \(types.shown(words[word]))"
        }
        var text = "return=\(words[at + 2]) args=("
        if count == 0 {
            text += "void"
        } else if count == 1, words[at + 4] == 0 {
            text += "vararg"
        } else {
            let shown = min(count, mostParameters)
            text += (0..<max(shown - 1, 1)).map(parameter).joined(separator: ", ")
            if count > 1 {
                let isVariadic = words[at + 4 + (count - 1) * 2] == 0
                text += shown < count ? ", ..." : ""
                text += isVariadic ? ", vararg" : ", " + parameter(count - 1)
            }
        }
        return text + ")"
    }

    /// A member; `at`: among the own words.
    ///
    /// - Parameter type: in place of the member's type.
    static func member(
        _ types: KernelTypes, at: Int, flag: Bool, type: UInt32? = nil
    ) -> String {
        let offset = types.words[at + 2]
        let place =
            flag
            ? "bitfield_size=\(offset >> 24) bits_offset=\(offset & 0xff_ffff)"
            : "bits_offset=\(offset)"
        return "\t\(types.shown(types.words[at])) type_id=\(type ?? types.words[at + 1]) \(place) "
    }

    static func variable(_ types: KernelTypes, at: Int) -> String {
        "\t type_id=\(types.words[at]) offset=\(types.words[at + 1]) size=\(types.words[at + 2]) "
    }
}
