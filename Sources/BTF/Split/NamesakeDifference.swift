// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// How the definition of an own type differs from that of the base type with the same name, in
    /// a few words: its size, or the first member that differs. nil if the only difference is in
    /// types that it refers to by name.
    package func ownDifference(of namesake: Namesake) -> String? {
        var finder = ShallowDifference(self)
        return finder.difference(namesake.own, namesake.other)
    }
}

/// Compares two types without the contents of the named types that they refer to.
struct ShallowDifference {
    private let btf: BTF
    /// Pairs of unnamed types that may still be compared; hostile files may nest types without end.
    private var allowance = 100_000

    init(_ btf: BTF) { self.btf = btf }

    mutating func difference(_ own: TypeID, _ other: TypeID) -> String? {
        guard let own = btf.record(own), let other = btf.record(other) else { return nil }
        if own.size != other.size { return "\(own.size) bytes, there \(other.size)" }
        let word = own.kind.isComposite ? "member" : "value"
        for index in 0..<max(own.count, other.count) {
            guard index < own.count else {
                return "\(word) \(name(other, index)) is only there"
            }
            guard index < other.count else {
                return "\(word) \(name(own, index)) is not there"
            }
            if !isSameName(own.element(index, 0), other.element(index, 0)) {
                return "\(word) \(name(own, index)), there \(name(other, index))"
            }
            guard own.kind.isComposite else {
                if (1..<own.kind.shape.element).contains(where: {
                    own.element(index, $0) != other.element(index, $0)
                }) {
                    return "value \(name(own, index))"
                }
                continue
            }
            let (here, there) = (place(own, index), place(other, index))
            if here != there {
                return "member \(name(own, index)) at \(here), there at \(there)"
            }
            if !isSame(TypeID(own.element(index, 1)), TypeID(other.element(index, 1))) {
                return "type of member \(name(own, index))"
            }
        }
        return own.flag != other.flag && own.kind.isAnyEnum ? "signedness" : nil
    }

    private func name(_ record: Record, _ index: Int) -> String {
        let name = btf.shortName(at: record.element(index, 0))
        return name.isEmpty ? "\(index + 1)" : name
    }

    /// Hostile files may give a name of a million bytes to each of a million types.
    func isSameName(_ one: UInt32, _ other: UInt32) -> Bool {
        one == other || btf.shortName(at: one) == btf.shortName(at: other)
    }

    private func isNamed(_ record: Record) -> Bool {
        btf.stringBytes(at: record.nameOffset, atMost: 0) == nil
    }

    /// The position of a member; distinguishes old and new style bitfields and plain members.
    private func place(_ record: Record, _ index: Int) -> String {
        let raw = record.element(index, 2)
        let offset = record.flag ? raw & 0xff_ffff : raw
        let width = record.flag ? raw >> 24 : 0
        let byte = offset % 8 == 0 && width == 0 ? "byte \(offset / 8)" : "bit \(offset)"
        return width == 0 ? byte : "\(byte) (\(width) bits)"
    }

    /// Whether both read alike in C.
    private mutating func isSame(_ own: TypeID, _ other: TypeID) -> Bool {
        var pairs = [(own, other)]
        while let (own, other) = pairs.popLast() {
            if own == other { continue }
            allowance -= 1
            guard allowance > 0 else { return true }
            guard let a = btf.record(own), let b = btf.record(other) else { return false }
            let hasSameName = isSameName(a.nameOffset, b.nameOffset)
            if a.kind.isNamedAlike(b.kind), hasSameName, isNamed(a) { continue }
            guard a.kind == b.kind, hasSameName else { return false }
            switch a.kind.role {
            case .composite, .enumeration:
                guard a.size == b.size, a.count == b.count else { return false }
                for index in 0..<a.count {
                    guard isSameName(a.element(index, 0), b.element(index, 0)),
                        a.element(index, 2) == b.element(index, 2) || !a.kind.isComposite
                    else { return false }
                    if a.kind.isComposite {
                        pairs.append((TypeID(a.element(index, 1)), TypeID(b.element(index, 1))))
                    } else if a.element(index, 1) != b.element(index, 1) {
                        return false
                    }
                }
            case .array:
                guard a.fixed(2) == b.fixed(2) else { return false }
                pairs.append((TypeID(a.fixed(0)), TypeID(b.fixed(0))))
            case .prototype:
                guard a.count == b.count else { return false }
                pairs.append((a.type, b.type))
                for index in 0..<a.count {
                    pairs.append((TypeID(a.element(index, 1)), TypeID(b.element(index, 1))))
                }
            case .integer, .float:
                guard a.size == b.size, a.kind == .float || a.fixed(0) == b.fixed(0) else {
                    return false
                }
            case .pointer, .alias, .qualifier, .typeTag, .function, .variable, .declarationTag:
                pairs.append((a.type, b.type))
            // They have a name, and were compared by that; nothing else is in them.
            case .forward, .section: break
            case .location, .locationPrototype, .locationSection, .unknown: return false
            }
        }
        return true
    }
}

extension Kind {
    /// C refers to both with the same words: a type defined in one place may only be declared in
    /// another.
    fileprivate func isNamedAlike(_ other: Kind) -> Bool {
        switch (self, other) {
        case (.struct, .struct), (.union, .union), (.fwd, .struct), (.struct, .fwd), (.fwd, .union),
            (.union, .fwd), (.fwd, .fwd):
            true
        case (.enum, .enum), (.enum64, .enum64), (.enum, .enum64), (.enum64, .enum): true
        default: false
        }
    }
}
