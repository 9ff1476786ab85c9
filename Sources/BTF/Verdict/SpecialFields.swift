// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The special fields of structs in programs' BTF: locks, lists, trees, reference counts and
/// pointers to kernel objects (rules X). The kernel refuses them without a word.
struct SpecialFields {
    let reader: KernelReader
    let types: KernelTypes
    let generation: KernelRules.StructMetas
    /// Of each struct with such fields.
    private(set) var records: [UInt32: [Field]] = [:]
    /// Structs without any, and how many levels of structs they hold: a field in one of these
    /// need not be looked for again.
    private var plain: [UInt32: Int] = [:]
    private var index: NameIndex
    /// Names of the kernel's own structs; nil if its BTF is not known.
    private lazy var kernelStructs = reader.kernel.map { kernel in
        Set(
            (1..<max(kernel.typeCount, 1)).lazy.filter { kernel.kind($0) == KernelKind.struct }
                .map { kernel.string(kernel.nameOffset($0)) ?? [] })
    }

    struct Field {
        let kind: Kind
        var offset: UInt32
        /// The struct that a pointer leads to, or that a list or tree contains.
        var target: UInt32 = 0
        /// The member of that struct which is the node.
        var node: ArraySlice<UInt8> = []
    }

    enum Kind: UInt8, Sendable {
        case spinLock, resilientSpinLock, listHead, listNode, treeRoot, treeNode, refcount
        /// A pointer, not looked at yet.
        case pointer
        case untrustedPointer, perCPUPointer

        var size: UInt32 {
            switch self {
            case .spinLock, .resilientSpinLock, .refcount: 4
            case .listHead, .treeRoot: 16
            case .listNode: 24
            case .treeNode: 32
            case .pointer, .untrustedPointer, .perCPUPointer: 8
            }
        }
        var alignment: UInt32 { size == 4 ? 4 : 8 }
        var isRoot: Bool { self == .listHead || self == .treeRoot }
        var isPointer: Bool { rawValue >= Kind.pointer.rawValue }
        /// A struct has no more than one.
        var isUnique: Bool { self == .spinLock || self == .resilientSpinLock || self == .refcount }
    }

    /// What one search has seen, and whether that depends on more than the struct.
    private struct Search {
        var seen: Set<Kind> = []
        var fields: [Field] = []
        /// How many levels of structs were entered below the one that is looked at.
        var height = 0
    }

    private static let mostFields = 11
    private static let depth = 32

    init(_ resolver: KernelResolver, _ generation: KernelRules.StructMetas) {
        reader = resolver.reader
        types = resolver.types
        self.generation = generation
        index = NameIndex(types)
    }

    mutating func check() throws(Unaccepted) {
        // Types whose use as a member makes the kernel look at a struct.
        var wanted: Set<UInt32> = []
        for (kind, id) in index.special where kind != .resilientSpinLock { wanted.insert(id) }
        for id in types.firstID..<types.typeCount where isTaggedPointer(id) { wanted.insert(id) }
        if wanted.isEmpty { return }
        for id in types.firstID..<types.typeCount where types.kind(id) == KernelKind.struct {
            guard
                (0..<types.vlen(id)).contains(where: { wanted.contains(types.word(id, 4 + $0 * 3)) }
                )
            else { continue }
            records[id] = try record(of: id)
        }
        for id in records.keys.sorted() {
            for field in records[id] ?? [] where field.kind.isRoot && records[field.target] == nil {
                throw refuse(id, .fault, "holds a list or tree of a struct without special fields")
            }
        }
        try checkOwnership()
    }

    private static func bytes(_ name: StaticString) -> ArraySlice<UInt8> {
        ArraySlice(name.description.utf8)
    }

    func refuse(_ id: UInt32, _ errno: KernelErrno, _ cause: String) -> Unaccepted {
        reader.refusal(
            "X", errno, type: id, offset: reader.offset(of: id),
            cause: "struct \(types.shown(types.nameOffset(id))) \(cause)")
    }

    // MARK: Fields of one struct

    private mutating func record(of id: UInt32) throws(Unaccepted) -> [Field] {
        var search = Search()
        _ = try find(in: id, top: id, level: 0, &search)
        var fields = search.fields
        if fields.isEmpty { throw refuse(id, .fault, "has a special field that is misplaced") }
        var next: UInt32 = 0
        for at in fields.indices {
            let field = fields[at]
            if field.offset &+ field.kind.size > types.third(id) {
                throw refuse(id, .fault, "has a special field beyond its end")
            }
            if field.offset < next { throw refuse(id, .exists, "has special fields that overlap") }
            next = field.offset &+ field.kind.size
            if field.kind.isPointer {
                fields[at].target = try pointee(of: field, in: id)
            } else if field.kind.isRoot {
                try checkNode(of: field, in: id)
            }
        }
        let kinds = Set(fields.map(\.kind))
        let isLocked = kinds.contains(.spinLock) || kinds.contains(.resilientSpinLock)
        if kinds.contains(.spinLock), kinds.contains(.resilientSpinLock) {
            throw refuse(id, .invalid, "has both kinds of spin lock")
        }
        if kinds.contains(where: \.isRoot), !isLocked {
            throw refuse(id, .invalid, "has a list or tree without a spin lock")
        }
        if kinds.contains(.listNode), kinds.contains(.treeNode), !kinds.contains(.refcount) {
            throw refuse(id, .invalid, "is a node of a list and a tree without a bpf_refcount")
        }
        return fields.sorted { $0.offset < $1.offset }
    }

    /// Fields of a struct are added to the search, at their offsets in this struct.
    ///
    /// - Returns: how many.
    private mutating func find(
        in id: UInt32, top: UInt32, level: Int, _ search: inout Search
    ) throws(Unaccepted) -> Int {
        if level >= Self.depth { throw refuse(top, .tooBig, "nests more than 31 structs") }
        if let height = plain[id] {
            if level + height >= Self.depth {
                throw refuse(top, .tooBig, "nests more than 31 structs")
            }
            search.height = max(search.height, height)
            return 0
        }
        let (before, seen, outer) = (search.fields.count, search.seen.count, search.height)
        search.height = 0
        for member in 0..<types.vlen(id) {
            let word = types.word(id, 5 + member * 3)
            let bits = types.flag(id) ? word & 0xff_ffff : word
            if bits % 8 != 0 { throw refuse(top, .invalid, "has bit-fields beside special fields") }
            try findOne(
                types.word(id, 4 + member * 3), member, of: id, at: bits / 8, top: top,
                level: level, &search)
        }
        let found = search.fields.count - before
        // Its result is the same anywhere.
        if found == 0, search.seen.count == seen { plain[id] = search.height }
        search.height = max(outer, search.height)
        return found
    }

    private mutating func findOne(
        _ start: UInt32, _ member: Int, of parent: UInt32, at offset: UInt32, top: UInt32,
        level: Int, _ search: inout Search
    ) throws(Unaccepted) {
        var type = start
        var count: UInt32 = 1
        var arrays = 0
        while arrays < Self.depth, types.kind(type) == KernelKind.array {
            count = count &* types.word(type, 5)
            type = types.word(type, 3)
            arrays += 1
        }
        if arrays == Self.depth { throw refuse(top, .tooBig, "nests 32 arrays") }
        if count == 0 { return }
        guard let kind = try kind(of: type, top: top, &search) else {
            guard types.kind(type) == KernelKind.struct else { return }
            let before = search.fields.count
            let height = search.height
            search.height = 0
            let found = try find(in: type, top: top, level: level + 1, &search)
            search.height = max(height, search.height + 1)
            if found == 0 { return }
            for at in before..<search.fields.count {
                search.fields[at].offset = search.fields[at].offset &+ offset
            }
            return try repeatFields(
                from: before, count, size: types.third(type), top: top, &search)
        }
        if offset % kind.alignment != 0 { return }
        var field = Field(kind: kind, offset: offset)
        switch kind {
        case .pointer:
            guard let pointer = try pointer(type, top: top) else { return }
            field = Field(kind: pointer.kind, offset: offset, target: pointer.target)
        default:
            guard types.kind(type) == KernelKind.struct, types.third(type) == kind.size else {
                return
            }
            if kind.isRoot {
                let contained = try contents(member, of: parent, top: top)
                field.target = contained.target
                field.node = contained.node
            }
        }
        if search.fields.count >= Self.mostFields { throw tooMany(top) }
        let before = search.fields.count
        search.fields.append(field)
        try repeatFields(from: before, count, size: kind.size, top: top, &search)
    }

    private func tooMany(_ id: UInt32) -> Unaccepted {
        refuse(id, .tooBig, "has more than \(Self.mostFields) special fields")
    }

    /// For the elements of an array.
    private func repeatFields(
        from start: Int, _ count: UInt32, size: UInt32, top: UInt32, _ search: inout Search
    ) throws(Unaccepted) {
        guard count > 1 else { return }
        let fields = Array(search.fields[start...])
        if fields.contains(where: { !$0.kind.isPointer && !$0.kind.isRoot }) {
            throw refuse(top, .invalid, "has an array of locks, nodes or reference counts")
        }
        let total = UInt64(fields.count) * UInt64(count)
        if total > UInt64(Self.mostFields - start) { throw tooMany(top) }
        for repetition in 1..<count {
            for var field in fields {
                field.offset = field.offset &+ repetition &* size
                search.fields.append(field)
            }
        }
    }

    /// By the name of the type, whatever it is.
    private func kind(
        of type: UInt32, top: UInt32, _ search: inout Search
    ) throws(Unaccepted) -> Kind? {
        if let kind = index.kinds[types.nameOffset(type)],
            kind != .resilientSpinLock || generation == .anyTag
        {
            if kind.isUnique, !search.seen.insert(kind).inserted {
                throw refuse(
                    top, .tooBig, "has more than one \(types.shown(types.nameOffset(type)))")
            }
            return kind
        }
        return types.kind(type) == KernelKind.struct ? nil : .pointer
    }

    // MARK: Pointers

    private func tag(_ offset: UInt32) -> Kind? {
        switch types.string(offset, atMost: 32).map({ String(decoding: $0, as: UTF8.self) }) {
        case "kptr_untrusted": .untrustedPointer
        case "kptr": .pointer
        case "percpu_kptr": .perCPUPointer
        default: nil
        }
    }

    /// A PTR, or a VOLATILE PTR, that is a special field by its tag.
    private func isTaggedPointer(_ id: UInt32) -> Bool {
        let kind = types.kind(id)
        guard kind == KernelKind.ptr || kind == KernelKind.volatile else { return false }
        return ((try? pointer(id, top: id)) ?? nil) != nil
    }

    private func pointer(
        _ start: UInt32, top: UInt32
    ) throws(Unaccepted) -> (kind: Kind, target: UInt32)? {
        var id = start
        if types.kind(id) == KernelKind.volatile { id = types.third(id) }
        guard types.kind(id) == KernelKind.ptr else { return nil }
        var kind: Kind?
        id = types.third(id)
        switch generation {
        case .firstTag:
            guard types.kind(id) == KernelKind.typeTag else { return nil }
            if types.kind(types.third(id)) == KernelKind.typeTag {
                throw refuse(top, .invalid, "has a pointer with two tags")
            }
            kind = tag(types.nameOffset(id))
            if kind == nil { throw refuse(top, .invalid, "has a pointer with an unknown tag") }
            while types.isModifier(id) { id = types.third(id) }
        case .anyTag:
            var isOther = false
            while types.isModifier(id) {
                if types.kind(id) == KernelKind.typeTag, !types.flag(id) {
                    if let one = tag(types.nameOffset(id)) {
                        if let kind, kind != one { throw twoTags(top) }
                        kind = one
                    } else if types.string(types.nameOffset(id), atMost: 32) == Self.bytes("uptr") {
                        isOther = true
                    }
                }
                id = types.third(id)
            }
            if kind != nil, isOther { throw twoTags(top) }
            if kind == nil { return nil }
        }
        guard let kind, types.kind(id) == KernelKind.struct else {
            throw refuse(top, .invalid, "has a tagged pointer to something else than a struct")
        }
        return (kind, id)
    }

    private func twoTags(_ id: UInt32) -> Unaccepted {
        refuse(id, .invalid, "has a pointer with two different tags")
    }

    /// The struct in the program's own BTF; 0 for one of the kernel.
    private mutating func pointee(of field: Field, in id: UInt32) throws(Unaccepted) -> UInt32 {
        let name = types.nameOffset(field.target)
        switch kernelStructs?.contains(types.string(name) ?? []) {
        case false: return field.target
        case true where field.kind != .pointer: return 0
        case true where KernelObjects.hasDestructor(types.shown(name)): return 0
        case true:
            throw refuse(
                id, .notFound,
                "has a pointer tagged kptr to struct \(types.shown(name)), for which the kernel "
                    + "has no destructor")
        default:
            throw Unaccepted(
                answer: .dependsOnKernel(
                    "kptr: whether the kernel has a struct \(types.shown(name)) with a destructor"))
        }
    }

    // MARK: Lists and trees

    private mutating func contents(
        _ member: Int, of parent: UInt32, top: UInt32
    ) throws(Unaccepted) -> (target: UInt32, node: ArraySlice<UInt8>) {
        let tags = index.contains[parent]?.filter { $0.component == UInt32(member) } ?? []
        guard tags.count == 1 else {
            throw refuse(
                top, .invalid,
                tags.isEmpty
                    ? "has a list or tree without a tag contains:TYPE:NODE"
                    : "has a list or tree with two tags contains:TYPE:NODE")
        }
        let text = tags[0].text
        guard let value = types.string(text)?.dropFirst(NameIndex.prefix.count),
            let colon = value.firstIndex(of: UInt8(ascii: ":"))
        else { throw refuse(top, .invalid, "has a tag contains: without the name of a node") }
        guard let id = index.structs[value[..<colon]] else {
            throw refuse(top, .notFound, "has a list or tree of a struct that is not there")
        }
        let node = value[(colon + 1)...]
        if node.isEmpty {
            throw refuse(top, .invalid, "has a tag contains: without the name of a node")
        }
        return (id, node)
    }

    private func checkNode(of field: Field, in id: UInt32) throws(Unaccepted) {
        let wanted = Self.bytes(field.kind == .listHead ? "bpf_list_node" : "bpf_rb_node")
        var isFound = false
        for member in 0..<types.vlen(field.target) {
            let name = types.word(field.target, 3 + member * 3)
            guard shown(name) == field.node else { continue }
            let type = types.word(field.target, 4 + member * 3)
            // The kernel takes the flag of the node, not that of the struct.
            let word = types.word(field.target, 5 + member * 3)
            let offset = types.flag(type) ? word & 0xff_ffff : word
            guard !isFound, types.kind(type) == KernelKind.struct,
                shown(types.nameOffset(type)) == wanted, offset % 64 == 0
            else {
                throw refuse(id, .invalid, "has a list or tree whose node is of another type")
            }
            isFound = true
        }
        if !isFound { throw refuse(id, .notFound, "has a list or tree whose node is not there") }
    }

    private func shown(_ offset: UInt32) -> ArraySlice<UInt8> {
        offset == 0 ? Self.bytes("(anon)") : types.string(offset) ?? []
    }
}
