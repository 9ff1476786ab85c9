// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// How a store settles the types of one kind: see the essay in Deduplication.swift.
enum Settling {
    /// By its words.
    case leaf
    /// Never merged with another.
    case place
    /// By walking what it leads to.
    case graph
    /// As a graph or by its words, as the base had it.
    case alias
    /// By its words, once what it refers to is settled.
    case referring
}

extension Kind {
    @inline(__always) var settling: Settling {
        switch role {
        case .integer, .float, .forward, .enumeration, .location: .leaf
        case .variable, .section, .locationSection, .unknown: .place
        case .composite: .graph
        case .alias: .alias
        case .pointer, .array, .qualifier, .typeTag, .function, .prototype, .declarationTag,
            .locationPrototype:
            .referring
        }
    }
}
