// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// All that sets one kind apart from the others.
struct KindRow: Sendable {
    /// The kernel's word for the kind, as `bpftool btf dump` prints it.
    let word: StaticString
    let role: KindRole
    /// The kernel's rule for a record of this kind.
    let rule: StaticString
    /// What its name has to be.
    let name: NameForm
    /// The kind flag means something.
    var hasFlag = false
    /// What a kernel needs to support it; nil if every kernel with BTF in the form we know (5.2)
    /// does.
    var needs: KernelAbility?
    /// What the record looks like after its first three words.
    let shape: KindShape

    /// What the name of a record may be.
    enum NameForm: Sendable {
        /// Anything, or nothing.
        case any
        /// The record has no name.
        case none
        case identifier
        /// An identifier, or nothing.
        case optionalIdentifier
        /// The name of a section.
        case section
        /// Any text, but some.
        case text
    }
}

extension Kind {
    /// Here a kind is added: its case in `Kind`, its number in `init(known:)`, its row.
    @inline(__always)
    var row: KindRow {
        switch self {
        case .unknown:
            KindRow(word: "UNKNOWN", role: .unknown, rule: "M0", name: .any, shape: KindShape())
        case .int:
            KindRow(
                word: "INT", role: .integer, rule: "M1", name: .any,
                shape: KindShape(fixed: 1))  // encoding, offset, bits
        case .ptr:
            KindRow(word: "PTR", role: .pointer, rule: "M2", name: .none, shape: .reference)
        case .array:
            KindRow(
                word: "ARRAY", role: .array, rule: "M5", name: .none,
                shape: KindShape(fixed: 3, fixedTypes: 0b011))  // element type, index type, count
        case .struct:
            KindRow(
                word: "STRUCT", role: .composite, rule: "M6", name: .optionalIdentifier,
                hasFlag: true, shape: .members)
        case .union:
            KindRow(
                word: "UNION", role: .composite, rule: "M6", name: .optionalIdentifier,
                hasFlag: true, shape: .members)
        case .enum:
            KindRow(
                word: "ENUM", role: .enumeration, rule: "M7", name: .optionalIdentifier,
                hasFlag: true,
                shape: KindShape(element: 2, elementHasName: true))  // name, value
        case .fwd:
            KindRow(
                word: "FWD", role: .forward, rule: "M8", name: .identifier, hasFlag: true,
                shape: KindShape())
        case .typedef:
            KindRow(word: "TYPEDEF", role: .alias, rule: "M3", name: .identifier, shape: .reference)
        case .volatile:
            KindRow(word: "VOLATILE", role: .qualifier, rule: "M2", name: .none, shape: .reference)
        case .const:
            KindRow(word: "CONST", role: .qualifier, rule: "M2", name: .none, shape: .reference)
        case .restrict:
            KindRow(word: "RESTRICT", role: .qualifier, rule: "M2", name: .none, shape: .reference)
        case .func:
            // No elements: its vlen is the linkage.
            KindRow(word: "FUNC", role: .function, rule: "M9", name: .identifier, shape: .reference)
        case .funcProto:
            KindRow(
                word: "FUNC_PROTO", role: .prototype, rule: "M10", name: .none,
                shape: KindShape(
                    element: 2, refersToType: true, elementTypes: 0b010, elementHasName: true))
        case .var:
            KindRow(
                word: "VAR", role: .variable, rule: "M11", name: .identifier,
                shape: KindShape(fixed: 1, refersToType: true))  // linkage
        case .datasec:
            KindRow(
                word: "DATASEC", role: .section, rule: "M12", name: .section,
                shape: KindShape(element: 3, elementTypes: 0b001))  // variable, offset, size
        case .float:
            KindRow(
                word: "FLOAT", role: .float, rule: "M13", name: .any, needs: .float,
                shape: KindShape())
        case .declTag:
            KindRow(
                word: "DECL_TAG", role: .declarationTag, rule: "M14", name: .text, hasFlag: true,
                needs: .declTag,
                shape: KindShape(fixed: 1, refersToType: true))  // member or parameter
        case .typeTag:
            KindRow(
                word: "TYPE_TAG", role: .typeTag, rule: "M4", name: .text, hasFlag: true,
                needs: .typeTag, shape: .reference)
        case .enum64:
            KindRow(
                word: "ENUM64", role: .enumeration, rule: "M7", name: .optionalIdentifier,
                hasFlag: true, needs: .enum64,
                shape: KindShape(element: 3, elementHasName: true))  // name, low half, high half
        case .locParam:
            KindRow(
                word: "LOC_PARAM", role: .location, rule: "M15", name: .none, needs: .inlineSites,
                shape: KindShape(fixed: 1, element: 1))  // flags; register, offset or value
        case .locProto:
            KindRow(
                word: "LOC_PROTO", role: .locationPrototype, rule: "M16", name: .none,
                needs: .inlineSites, shape: KindShape(element: 1, elementTypes: 0b1))
        case .locsec:
            KindRow(
                word: "LOCSEC", role: .locationSection, rule: "M17", name: .section,
                needs: .inlineSites,
                // Function, location prototype, offset.
                shape: KindShape(element: 3, elementTypes: 0b011))
        }
    }
}

extension KindShape {
    /// Name, type, place.
    fileprivate static var members: KindShape {
        KindShape(element: 3, elementTypes: 0b010, elementHasName: true)
    }

    /// Nothing but a reference to one type.
    fileprivate static var reference: KindShape { KindShape(refersToType: true) }
}

// What others ask of the table.
extension Kind {
    @inline(__always) package var role: KindRole { row.role }
    @inline(__always) package var shape: KindShape { row.shape }
    package var word: String { Self.words[Int(rawValue)] }
    var rule: String { row.rule.description }

    /// The name of the kind in include/uapi/linux/btf.h.
    var constant: String { "BTF_KIND_" + word }

    /// One more than the highest number of a kind.
    static let numberCount = Int(Kind.allCases.map(\.rawValue).max() ?? 0) + 1

    private static let words = (0..<UInt8(numberCount)).map {
        Kind(rawValue: $0)?.row.word.description ?? ""
    }
}
