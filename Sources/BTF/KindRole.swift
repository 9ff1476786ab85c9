// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a kind means to code that follows types. Kinds with the same role are treated the same; a
/// kind that fits no role gets a new one, and the compiler reports every switch that has to handle
/// it.
package enum KindRole: Sendable {
    case integer
    case float
    case pointer
    case array
    /// A struct or union: members at offsets.
    case composite
    case enumeration
    /// A struct or union without its definition.
    case forward
    /// A typedef: another name for a type.
    case alias
    /// `const`, `volatile`, `restrict`.
    case qualifier
    case typeTag
    case function
    case prototype
    case variable
    /// A section and its variables.
    case section
    case declarationTag
    /// The place of one parameter of an inlined function.
    case location
    /// The places of all its parameters.
    case locationPrototype
    /// A section and the functions that are inlined there.
    case locationSection
    /// Nothing is known about it but its size.
    case unknown
}

extension Kind {
    /// Wraps the type it points at, and does not change its size.
    package var isModifier: Bool {
        switch role {
        case .alias, .qualifier, .typeTag: true
        case .integer, .float, .pointer, .array, .composite, .enumeration, .forward, .function,
            .prototype, .variable, .section, .declarationTag, .location, .locationPrototype,
            .locationSection, .unknown:
            false
        }
    }

    @inline(__always) package var isComposite: Bool { role == .composite }
    @inline(__always) package var isAnyEnum: Bool { role == .enumeration }

    /// A pointer or a qualifier may be on it, and a declarator lead to it.
    var isType: Bool {
        switch role {
        case .integer, .float, .pointer, .array, .composite, .enumeration, .forward, .alias,
            .qualifier, .typeTag, .prototype, .unknown:
            true
        case .function, .variable, .section, .declarationTag, .location, .locationPrototype,
            .locationSection:
            false
        }
    }

    /// Kernels look for the types of a distilled base among such, by name and size.
    var isFoundByName: Bool {
        switch role {
        case .integer, .float, .composite, .enumeration, .forward: true
        case .pointer, .array, .alias, .qualifier, .typeTag, .function, .prototype, .variable,
            .section, .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            false
        }
    }

    /// A distilled base may have it. An ENUM64 is an ENUM there.
    var isInDistilledBase: Bool { isFoundByName && self != .enum64 }

    /// A place and not a type: two that look alike are still two.
    var isPlace: Bool {
        role == .variable || role == .section || role == .locationSection
    }
}
