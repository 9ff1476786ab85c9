// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF

/// What types of several files are matched by: kind and name.
package struct TypeName: Hashable, Sendable {
    /// The kernel's word for the kind.
    package let kind: String
    /// Empty for all types of the kind without a name; the first values in braces for large enums
    /// and such without one.
    package let name: String

    package init(kind: String, name: String) {
        self.kind = kind
        self.name = name
    }

    /// `struct foo`, `ptr` for all pointers.
    package var title: String {
        let word = kind.lowercased()
        return name.isEmpty ? "\(word) without a name" : "\(word) \(name)"
    }

    /// Whether it stands for all types of the kind without a name.
    package var isMany: Bool { name.isEmpty }

    package static func < (a: TypeName, b: TypeName) -> Bool {
        (a.kind, a.name) < (b.kind, b.name)
    }
}

/// Names the types of a BTF.
struct TypeNaming {
    private let btf: BTF
    private let texts: TypeTexts

    init(_ btf: BTF) {
        self.btf = btf
        texts = TypeTexts(btf)
    }

    /// Unnamed types with fewer elements are counted together.
    private static let fewElements = 8

    /// - Parameter index: of an own type.
    func name(of index: Int) -> TypeName {
        let start = Int(btf.starts[index])
        let info = TypeInfo(rawValue: btf.words[start + 1])
        let name = ownName(of: index)
        guard name.isEmpty, info.count >= Self.fewElements, let kind = info.kind else {
            return TypeName(kind: info.kindWord, name: name)
        }
        switch kind.role {
        case .composite, .enumeration:
            // `enum {A, B, …}`
            let text = texts.text(TypeID(btf.firstID + UInt32(index)))
            return TypeName(
                kind: info.kindWord,
                name: text.firstIndex(of: "{").map { String(text[$0...]) } ?? "")
        default: return TypeName(kind: info.kindWord, name: "")
        }
    }

    func ownName(of index: Int) -> String {
        guard TypeInfo(rawValue: btf.words[Int(btf.starts[index]) + 1]).kind != nil else {
            return ""
        }
        return btf.shortName(at: btf.words[Int(btf.starts[index])])
    }
}
