// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Where the members of a struct or union are, with those of its anonymous structs and unions at
/// their place among them.
package struct StructLayout: Sendable {
    /// Unused space: the rest of a bitfield's storage unit in bits, and whole bytes.
    package struct Gap: Equatable, Sendable {
        package var bits: UInt64 = 0
        package var bytes: UInt64 = 0

        /// - Parameters:
        ///   - end: first unused bit.
        ///   - unitEnd: first bit behind the storage unit of the bitfield that ends there; `end`
        ///     if there is none.
        ///   - next: first used bit.
        init(from end: UInt64, unitEnd: UInt64, to next: UInt64) {
            guard next > end else { return }
            bits = min(max(unitEnd, end), next) - end
            let rest = next - end - bits
            bytes = rest / 8
            bits += rest % 8
        }

        init() {}
    }

    package enum Role: Sendable {
        case member
        /// The start of an anonymous struct or union, whose members follow.
        case opening
        /// Its end, with its name if the member has one.
        case closing
    }

    package struct Row: Sendable {
        package let role: Role
        /// 0 for members of the struct itself, 1 for those of an anonymous struct in it.
        package let depth: Int
        /// Empty for anonymous members.
        package let name: String
        /// How C reaches it from outside: `lru_gen.list`.
        package let path: String
        /// As in C, without a semicolon: `struct list_head list`, `struct {`, `} lru_gen`.
        package let declaration: String
        /// Bits from the start of the outermost struct.
        package let offset: UInt64
        /// Bits; the width of a bitfield.
        package let size: UInt64
        /// Bytes of a bitfield's storage unit; 0 for everything else.
        package let unit: UInt64
        /// In front of it; for a closing row, behind the last member.
        package let gap: Gap
    }

    package let kind: Kind
    /// `struct mm_struct`
    package let title: String
    /// Bytes.
    package let size: UInt64
    package let rows: [Row]
    /// Behind the last member.
    package let padding: Gap

    /// - Throws: `BTFError` for what is not a struct or union (or a typedef of one), for nesting
    ///   beyond `CDumper.maxDepth` and for more than `maxRows` members.
    package init(_ btf: BTF, _ id: TypeID) throws(BTFError) {
        var builder = StructLayouts(btf)
        self = try builder.layout(of: id)
    }

    init(kind: Kind, title: String, size: UInt64, rows: [Row], padding: Gap) {
        self.kind = kind
        self.title = title
        self.size = size
        self.rows = rows
        self.padding = padding
    }

    /// Rows of the struct's own members.
    var members: some Sequence<Row> { rows.lazy.filter { $0.depth == 0 && $0.role != .opening } }
}

/// Works out the layouts of one BTF's structs.
package struct StructLayouts {
    /// The largest struct of a kernel has some 1,000 members; anonymous structs that contain others
    /// twice could ask for any number of rows.
    static let maxRows = 1 << 18

    private let types: TypeTable
    private var places: CLayout
    private var rows: [StructLayout.Row] = []

    package init(_ btf: BTF) {
        types = TypeTable(btf)
        places = CLayout(types)
    }

    /// The own structs and unions with a name.
    package var own: [TypeID] {
        types.ownIDs.filter { types.kind($0).isComposite && types.isNamed($0) }.map { TypeID($0) }
    }

    /// Whether a type is a struct or union, or a typedef of one.
    package func hasLayout(_ id: TypeID) -> Bool { composite(id.rawValue) != nil }

    /// - Throws: as `StructLayout.init`.
    package mutating func layout(of id: TypeID) throws(BTFError) -> StructLayout {
        guard types.exists(id.rawValue) else {
            throw BTFError(offset: 0, "no type \(id); ids end at \(types.typeCount - 1)")
        }
        guard let target = composite(id.rawValue) else {
            throw BTFError(
                offset: 0, "type \(id) is not a struct or union: \(types.kindWord(id.rawValue))")
        }
        rows = []
        let padding = try add(membersOf: target, at: 0, depth: 0, path: "")
        return StructLayout(
            kind: types.kind(target), title: types.text(id.rawValue),
            size: UInt64(types.word(target, 2)), rows: rows, padding: padding)
    }

    /// The struct or union that a type is, possibly through typedefs and qualifiers.
    private func composite(_ id: UInt32) -> UInt32? {
        var id = id
        for _ in 0..<64 {
            guard types.exists(id) else { return nil }
            switch types.kind(id).role {
            case .composite: return id
            case .alias, .qualifier, .typeTag: id = types.word(id, 2)
            default: return nil
            }
        }
        return nil
    }

    /// - Returns: what is unused behind the last member.
    private mutating func add(
        membersOf id: UInt32, at start: UInt64, depth: Int, path: String
    ) throws(BTFError) -> StructLayout.Gap {
        guard depth < CDumper.maxDepth else {
            throw BTFError(offset: 0, "type \(id) is nested too deep")
        }
        let isUnion = types.kind(id) == .union
        let flag = types.info(id).flag
        var end: UInt64 = 0
        var unitEnd: UInt64 = 0
        for index in 0..<types.count(id) {
            guard rows.count < Self.maxRows else {
                throw BTFError(offset: 0, "type \(id) has more than \(Self.maxRows) members")
            }
            let name = String(systemBytes: types.string(at: types.word(id, 3 + index * 3)))
            let type = types.word(id, 4 + index * 3)
            let raw = types.word(id, 5 + index * 3)
            var offset = UInt64(flag ? raw & 0xff_ffff : raw)
            var width = UInt64(flag ? raw >> 24 : 0)
            if !flag, let own = irregular(type) { (offset, width) = (offset + own.skip, own.width) }
            let place = places.place(type)
            let size = width != 0 ? width : place.size * 8
            let gap =
                isUnion ? .init() : StructLayout.Gap(from: end, unitEnd: unitEnd, to: offset)
            let own = path.isEmpty || name.isEmpty ? path + name : path + "." + name
            func append(_ role: StructLayout.Role, _ text: String, _ gap: StructLayout.Gap) {
                rows.append(
                    .init(
                        role: role, depth: depth, name: name, path: own, declaration: text,
                        offset: start + offset, size: size, unit: width != 0 ? place.size : 0,
                        gap: gap))
            }
            if width == 0, let inner = anonymous(type) {
                append(.opening, (types.kind(inner.id) == .struct ? "struct" : "union") + " {", gap)
                let rest = try add(
                    membersOf: inner.id, at: start + offset, depth: depth + 1, path: own)
                append(.closing, "}" + (name.isEmpty ? "" : " " + name) + inner.bounds, rest)
            } else {
                append(
                    .member,
                    types.declaration(of: name, type) + (width != 0 ? ":\(width)" : ""), gap)
            }
            end = max(end, offset + size)
            let unit = place.size * 8
            unitEnd = width != 0 && unit != 0 ? (offset + width + unit - 1) / unit * unit : end
        }
        return isUnion
            ? .init()
            : .init(from: end, unitEnd: unitEnd, to: UInt64(types.word(id, 2)) * 8)
    }

    /// A bitfield as it was before structs had the kind flag: an INT of fewer bits than its bytes.
    private func irregular(_ type: UInt32) -> (skip: UInt64, width: UInt64)? {
        var id = type
        for _ in 0..<64 where types.exists(id) {
            switch types.kind(id).role {
            case .alias, .qualifier, .typeTag: id = types.word(id, 2)
            case .integer:
                let (bits, skip) = (types.word(id, 3) & 0xff, types.word(id, 3) >> 16 & 0xff)
                guard bits != 0, skip != 0 || bits != types.word(id, 2) * 8 else { return nil }
                return (UInt64(skip), UInt64(bits))
            default: return nil
            }
        }
        return nil
    }

    /// The anonymous struct or union that a member is, or is an array of.
    private func anonymous(_ type: UInt32) -> (id: UInt32, bounds: String)? {
        var id = type
        var bounds = ""
        for _ in 0..<64 where types.exists(id) {
            switch types.kind(id).role {
            case .composite: return types.isNamed(id) ? nil : (id, bounds)
            case .qualifier, .typeTag: id = types.word(id, 2)
            case .array:
                bounds += "[\(types.word(id, 5))]"
                id = types.word(id, 3)
            default: return nil
            }
        }
        return nil
    }
}
