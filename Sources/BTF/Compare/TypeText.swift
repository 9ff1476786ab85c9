// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension TypeTable {
    /// A type as one short line, close to C: `struct foo *`, `int (*)(char, ...)`. For messages;
    /// long or deep types end in `…`.
    func text(_ id: UInt32) -> String {
        var printer = TypeTextPrinter(types: self)
        return printer.text(id)
    }

    /// The declaration of something with this type: `int (*notify)(char, ...)`.
    func declaration(of name: String, _ id: UInt32) -> String {
        var printer = TypeTextPrinter(types: self)
        return printer.declare(id, name, 0)
    }
}

/// Types of a BTF as short lines, see `TypeTable.text`.
package struct TypeTexts: Sendable {
    private let types: TypeTable

    package init(_ btf: BTF) { types = TypeTable(btf) }

    package func text(_ type: TypeID) -> String { types.text(type.rawValue) }
}

private struct TypeTextPrinter {
    /// Ends nesting that no reader could follow, and hostile data.
    private static let maxDepth = 24
    private static let maxLength = 240

    let types: TypeTable
    private var length = 0

    init(types: TypeTable) { self.types = types }

    mutating func text(_ id: UInt32) -> String { declare(id, "", 0) }

    /// The declaration of `inner` (a declarator, possibly empty) with type `id`. Each call adds at
    /// least one character towards the limit, so the number of calls is bounded too.
    ///
    /// - Parameter qualifiers: of the type, which lead to it: the outermost first.
    mutating func declare(
        _ id: UInt32, _ inner: String, _ depth: Int, _ qualifiers: [Qualifier] = []
    ) -> String {
        length += 1
        func base(_ word: String) -> String { join(before(qualifiers) + word, inner) }
        if id == 0 { return base("void") }
        guard types.exists(id) else { return base("?") }
        guard depth < Self.maxDepth, length + inner.utf8.count < Self.maxLength else {
            return base("…")
        }
        let target = types.word(id, 2)
        let name = types.name(id)
        length += name.utf8.count
        func qualified(_ word: String, isTag: Bool = false) -> String {
            declare(
                target, inner, depth + 1, qualifiers + [Qualifier(word: word, isTag: isTag)])
        }
        switch types.kind(id) {
        case .locParam: return base(types.location(id))
        case .locProto: return base("locations (\(types.count(id)))")
        case .locsec: return base("inline sites " + name)
        case .unknown: return base(types.kindWord(id) + (name.isEmpty ? "" : " " + name))
        case .ptr:
            let own = after(qualifiers)
            let pointer = "*" + (own.isEmpty ? inner : join(own, inner))
            return declare(target, isWound(target) ? "(" + pointer + ")" : pointer, depth + 1)
        // C has no arrays that are qualified themselves: their elements are.
        case .array:
            let elements = inner + "[\(types.word(id, 5))]"
            return declare(types.word(id, 3), elements, depth + 1, qualifiers)
        case .const: return qualified("const")
        case .volatile: return qualified("volatile")
        case .restrict: return qualified("restrict")
        case .typeTag: return qualified("tag(\(name))", isTag: true)
        case .declTag: return declare(target, inner, depth + 1, qualifiers) + " tag(\(name))"
        // C++ has functions that are qualified, this way.
        case .funcProto:
            let list = inner + "(" + parameters(id, depth) + ")"
            return declare(target, list + after(qualifiers), depth + 1)
        case .func, .var: return base(declare(target, name, depth + 1))
        case .datasec: return base("section " + name)
        case .fwd: return base((types.info(id).flag ? "union " : "struct ") + name + " (forward)")
        case .struct, .union:
            let word = types.kind(id) == .struct ? "struct " : "union "
            return base(word + (name.isEmpty ? "{" + elementNames(id) + "}" : name))
        case .enum, .enum64:
            return base("enum " + (name.isEmpty ? "{" + elementNames(id) + "}" : name))
        case .int, .float, .typedef: return base(name.isEmpty ? "(unnamed)" : name)
        }
    }

    struct Qualifier {
        /// `const`, `tag(user)`
        let word: String
        let isTag: Bool
    }

    /// Those of a base type, before it: tags first.
    private func before(_ qualifiers: [Qualifier]) -> String {
        let words = qualifiers.filter(\.isTag) + qualifiers.reversed().filter { !$0.isTag }
        return words.map { $0.word + " " }.joined()
    }

    /// Those of a pointer, behind its star, in the order in which C builds them up.
    private func after(_ qualifiers: [Qualifier]) -> String {
        qualifiers.reversed().map { " " + $0.word }.joined()
    }

    /// Whether a pointer to the type needs parentheses.
    private func isWound(_ id: UInt32) -> Bool {
        var id = id
        for _ in 0..<Self.maxDepth {
            switch types.kindIfAny(id) {
            case .const, .volatile, .restrict, .typeTag: id = types.word(id, 2)
            case .array, .funcProto: return true
            default: return false
            }
        }
        return false
    }

    private func join(_ word: String, _ inner: String) -> String {
        inner.isEmpty ? word : word + " " + inner
    }

    private mutating func parameters(_ id: UInt32, _ depth: Int) -> String {
        let count = types.count(id)
        if count == 0 { return "void" }
        var parts: [String] = []
        for index in 0..<count {
            guard length < Self.maxLength else {
                parts.append("…")
                break
            }
            let type = types.word(id, 4 + index * 2)
            parts.append(type == 0 ? "..." : declare(type, "", depth + 1))
        }
        return parts.joined(separator: ", ")
    }

    private mutating func elementNames(_ id: UInt32) -> String {
        let count = types.count(id)
        let shape = types.kind(id).shape
        var parts: [String] = []
        for index in 0..<min(count, 4) {
            let name = String(
                decoding: types.string(at: types.word(id, 3 + index * shape.element)), as: UTF8.self
            )
            parts.append(name.isEmpty ? "…" : name)
            length += name.utf8.count
        }
        return parts.joined(separator: ", ") + (count > 4 ? ", …" : "")
    }
}
