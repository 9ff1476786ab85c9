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
    mutating func declare(_ id: UInt32, _ inner: String, _ depth: Int) -> String {
        length += 1
        if id == 0 { return join("void", inner) }
        guard types.exists(id) else { return join("?", inner) }
        guard depth < Self.maxDepth, length + inner.utf8.count < Self.maxLength else {
            return join("…", inner)
        }
        let target = types.word(id, 2)
        let name = types.name(id)
        length += name.utf8.count
        switch types.kind(id) {
        case .locParam: return join(types.location(id), inner)
        case .locProto:
            return join("locations (\(types.count(id)))", inner)
        case .locsec: return join("inline sites " + name, inner)
        case .unknown: return join(types.kindWord(id) + (name.isEmpty ? "" : " " + name), inner)
        case .ptr:
            let isInside = [.array, .funcProto].contains(types.kindIfAny(target))
            return declare(target, isInside ? "(*" + inner + ")" : "*" + inner, depth + 1)
        case .array:
            return declare(types.word(id, 3), inner + "[\(types.word(id, 5))]", depth + 1)
        case .const: return qualified("const", target, inner, depth)
        case .volatile: return qualified("volatile", target, inner, depth)
        case .restrict: return qualified("restrict", target, inner, depth)
        case .typeTag: return qualified("tag(\(name))", target, inner, depth)
        case .declTag: return declare(target, inner, depth + 1) + " tag(\(name))"
        case .funcProto:
            return declare(target, inner + "(" + parameters(id, depth) + ")", depth + 1)
        case .func: return join(declare(target, name, depth + 1), inner)
        case .var: return join(declare(target, name, depth + 1), inner)
        case .datasec: return join("section " + name, inner)
        case .fwd:
            return join((types.info(id).flag ? "union " : "struct ") + name + " (forward)", inner)
        case .struct, .union:
            let word = types.kind(id) == .struct ? "struct " : "union "
            return join(word + (name.isEmpty ? "{" + elementNames(id) + "}" : name), inner)
        case .enum, .enum64:
            return join("enum " + (name.isEmpty ? "{" + elementNames(id) + "}" : name), inner)
        case .int, .float, .typedef: return join(name.isEmpty ? "(unnamed)" : name, inner)
        }
    }

    private mutating func qualified(
        _ word: String, _ target: UInt32, _ inner: String, _ depth: Int
    ) -> String {
        if types.kindIfAny(target) == .ptr {
            return declare(target, join(" " + word, inner), depth + 1)
        }
        return word + " " + declare(target, inner, depth + 1)
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
