// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import CDw

/// A prototype in words that are the same for debug information and for BTF, types by name. nil
/// where there are no such words: an array, or something without a name.
enum PrototypeText {
    private static let maxDepth = 16

    private static func joined(_ parameters: [String], returns: String) -> String {
        "(\(parameters.joined(separator: ", "))) \(returns)"
    }

    // MARK: Debug information

    /// Of a function, or of the type of one.
    static func of(_ function: inout LibDWEntry, depth: Int = 0) -> String? {
        guard depth < maxDepth else { return nil }
        var parameters: [String] = []
        var next = function.firstChild()
        while var entry = next {
            if entry.tag == Int(DW_TAG_formal_parameter) {
                guard let type = text(entry.type(), depth: depth + 1) else { return nil }
                parameters.append("\(entry.name ?? ""): \(type)")
            } else if entry.tag == Int(DW_TAG_unspecified_parameters) {
                parameters.append("...")
            }
            next = entry.sibling()
        }
        return text(function.type(), depth: depth + 1).map { joined(parameters, returns: $0) }
    }

    private static func text(_ type: LibDWEntry?, depth: Int) -> String? {
        guard var type else { return "void" }
        guard depth < maxDepth else { return nil }
        func behind(_ word: String) -> String? {
            text(type.type(), depth: depth + 1).map { "\(word) \($0)" }
        }
        func named(_ word: String) -> String? { type.name.map { "\(word) \($0)" } }
        return switch type.tag {
        case Int(DW_TAG_base_type): named("base")
        case Int(DW_TAG_typedef): named("typedef")
        case Int(DW_TAG_structure_type): named("struct")
        case Int(DW_TAG_union_type): named("union")
        case Int(DW_TAG_enumeration_type): named("enum")
        case Int(DW_TAG_pointer_type): behind("*")
        case Int(DW_TAG_const_type): behind("const")
        case Int(DW_TAG_volatile_type): behind("volatile")
        case Int(DW_TAG_restrict_type): behind("restrict")
        case Int(DW_TAG_subroutine_type): of(&type, depth: depth + 1)
        default: nil
        }
    }

    // MARK: BTF

    /// Of a FUNC_PROTO.
    static func of(_ id: TypeID, in btf: BTF, depth: Int = 0) -> String? {
        guard depth < maxDepth, let prototype = btf.record(id), prototype.kind == .funcProto
        else { return nil }
        var parameters: [String] = []
        for index in 0..<prototype.count {
            let id = TypeID(prototype.element(index, 1))
            guard id != .void else {
                parameters.append("...")
                continue
            }
            guard let type = text(id, in: btf, depth: depth + 1) else { return nil }
            parameters.append("\(prototype.elementName(index)): \(type)")
        }
        return text(prototype.type, in: btf, depth: depth + 1).map {
            joined(parameters, returns: $0)
        }
    }

    private static func text(_ id: TypeID, in btf: BTF, depth: Int) -> String? {
        if id == .void { return "void" }
        guard depth < maxDepth, let type = btf.record(id) else { return nil }
        func behind(_ word: String) -> String? {
            text(type.type, in: btf, depth: depth + 1).map { "\(word) \($0)" }
        }
        func named(_ word: String) -> String? { type.name.isEmpty ? nil : "\(word) \(type.name)" }
        return switch type.kind {
        case .int, .float: named("base")
        case .typedef: named("typedef")
        case .struct: named("struct")
        case .union: named("union")
        case .fwd: named(type.flag ? "union" : "struct")
        case .enum, .enum64: named("enum")
        case .ptr: behind("*")
        case .const: behind("const")
        case .volatile: behind("volatile")
        case .restrict: behind("restrict")
        case .funcProto: of(id, in: btf, depth: depth + 1)
        default: nil
        }
    }
}
