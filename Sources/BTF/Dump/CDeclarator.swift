// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A name as C shall see it: with `___2` when it is the second of its name space.
struct CName {
    /// Where it is in the strings; nil for the name that a declaration in foreign code is of.
    let offset: UInt32?
    let isEmpty: Bool
    /// 0 or 1: as it is.
    let version: UInt32

    static let declared = CName(offset: nil, isEmpty: false, version: 1)
}

// Declarations: base type, then the declarator wound around the name, inside out.

extension CDumper {
    func plainName(_ offset: UInt32) -> CName {
        name(offset, version: 1)
    }

    private func name(_ offset: UInt32, version: UInt32) -> CName {
        CName(offset: offset, isEmpty: types.isEmpty(stringAt: offset), version: version)
    }

    mutating func identifier(_ id: UInt32) -> CName {
        let name = types.nameOffset(id)
        if versions[Int(id)] == 0, !types.isEmpty(stringAt: name) {
            versions[Int(id)] = isForeignVaList(id) ? 2 : identifiers.use(name)
        }
        return self.name(name, version: versions[Int(id)])
    }

    /// The compiler's own `va_list` where this dump is compiled need not be that of the kernel's
    /// compiler: clang for BPF has a pointer where x86-64 has 24 bytes.
    func isForeignVaList(_ id: UInt32) -> Bool {
        layout.rule == .exact && types.isString(at: types.nameOffset(id), "__builtin_va_list")
            && types.word(id, 2) != 0
    }

    private mutating func tag(_ id: UInt32) -> CName {
        let name = types.nameOffset(id)
        // A declaration without a definition refers to the first type with that name, if there is
        // one.
        if isOnlyDeclared(id) { return plainName(name) }
        if versions[Int(id)] == 0, !types.isEmpty(stringAt: name) {
            versions[Int(id)] = tags.use(name)
        }
        return self.name(name, version: versions[Int(id)])
    }

    private func isOnlyDeclared(_ id: UInt32) -> Bool {
        let kind = types.kind(id)
        return kind == .fwd || kind == .enum && types.count(id) == 0
    }

    mutating func put(_ name: CName) {
        guard let offset = name.offset else {
            out.put(style?.declared[...] ?? [])
            return
        }
        if style != nil { style?.check(types.string(at: offset)) }
        types.put(stringAt: offset, to: &out)
        if name.version > 1 {
            out.put("___")
            out.put(name.version)
        }
    }

    /// `struct foo`, `union foo`, `enum foo`; only the word for an anonymous type.
    mutating func putTag(_ id: UInt32) {
        switch types.kind(id) {
        case .struct: out.put("struct")
        case .union: out.put("union")
        case .fwd: out.put(types.info(id).flag ? "union" : "struct")
        default: out.put("enum")
        }
        let name = tag(id)
        if !name.isEmpty {
            out.put(byte: 32)
            if let prefix = style?.prefix { out.put(prefix[...]) }
            put(name)
        }
    }

    /// A declaration of `name` with type `id`, without the semicolon.
    mutating func putDeclaration(_ id: UInt32, _ name: CName, level: Int) throws(BTFError) {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maxDepth else { throw cError(id, "is nested too deep") }
        let floor = chain.count
        var current = id
        var left = types.typeCount
        var isBehindPointer = false
        while true {
            chain.append(current)
            guard current != 0 else { break }
            guard types.exists(current) else {
                throw cError(id, "leads to type \(current), which does not exist")
            }
            guard left > 0 else {
                throw cError(id, "is part of a loop of types without a name")
            }
            left -= 1
            if let target = foreignTarget(current, isBehindPointer: isBehindPointer) {
                chain.truncate(to: chain.count - 1)
                current = target
                continue
            }
            switch types.kind(current).role {
            case .pointer, .prototype:
                isBehindPointer = true
                current = types.word(current, 2)
                continue
            case .qualifier, .typeTag:
                current = types.word(current, 2)
                continue
            case .array:
                current = types.word(current, 3)
                continue
            case .integer, .float, .enumeration, .composite, .forward, .alias: break
            case .function, .variable, .section, .declarationTag, .location, .locationPrototype,
                .locationSection, .unknown:
                throw cError(id, "leads to a \(types.kindWord(current)), which is not a type")
            }
            break
        }
        style?.isBehindPointer = isBehindPointer
        try putChain(floor, name, level: level)
    }

    /// Writes the types of `chain` above `floor`, base type first, around `name`.
    private mutating func putChain(_ floor: Int, _ name: CName, level: Int) throws(BTFError) {
        var afterPointer = true
        while chain.count > floor {
            try spend()
            guard let id = chain.popLast(), id != 0 else {
                putQualifiers(floor)
                out.put("void")
                afterPointer = false
                continue
            }
            let kind = types.kind(id)
            switch kind {
            case .ptr: out.put(afterPointer ? "*" : " *")
            case .const: out.put(" const")
            case .volatile: out.put(" volatile")
            case .restrict: out.put(" restrict")
            case .typeTag: putTypeTag(id, floor)
            case .array: return try putArray(id, floor, name, afterPointer, level)
            case .funcProto: return try putFunction(id, floor, name, afterPointer, level)
            default:
                putQualifiers(floor)
                try putBase(id, level: level)
            }
            afterPointer = kind == .ptr
        }
        putSeparated(name, afterPointer)
    }

    private mutating func putBase(_ id: UInt32, level: Int) throws(BTFError) {
        guard try !putForeignBase(id) else { return }
        switch types.kind(id) {
        case .struct, .union:
            if types.isNamed(id) { putTag(id) } else { try putStruct(id, level: level) }
        case .enum, .enum64:
            if types.isNamed(id) { putTag(id) } else { try putEnum(id, level: level) }
        case .fwd: putTag(id)
        case .typedef: put(identifier(id))
        default: types.put(stringAt: types.nameOffset(id), to: &out)
        }
    }

    private mutating func putSeparated(_ name: CName, _ afterPointer: Bool) {
        guard !name.isEmpty else { return }
        if !afterPointer { out.put(byte: 32) }
        put(name)
    }

    /// Qualifiers of a base type stand before it.
    private mutating func putQualifiers(_ floor: Int) {
        while chain.count > floor, case let id = chain[chain.count - 1], id != 0 {
            switch types.kind(id) {
            case .const: out.put("const ")
            case .volatile: out.put("volatile ")
            case .restrict: out.put("restrict ")
            default: return
            }
            chain.truncate(to: chain.count - 1)
        }
    }

    /// Arrays and functions have no qualifiers in C; some compilers record them anyway. bpftool
    /// drops tags with them.
    private mutating func dropQualifiers(_ floor: Int) {
        while chain.count > floor, case let id = chain[chain.count - 1], id != 0 {
            switch types.kind(id) {
            case .const, .volatile, .restrict: chain.truncate(to: chain.count - 1)
            case .typeTag where layout.rule != .exact: chain.truncate(to: chain.count - 1)
            default: return
            }
        }
    }

    private mutating func putTypeTag(_ id: UInt32, _ floor: Int) {
        let name = types.nameOffset(id)
        if types.info(id).flag {
            out.put(" __attribute__((")
            types.put(stringAt: name, to: &out)
            out.put("))")
        } else {
            out.put(" __attribute__((btf_type_tag(\"")
            types.put(stringAt: name, to: &out)
            out.put("\")))")
        }
    }

    private mutating func putArray(
        _ id: UInt32, _ floor: Int, _ name: CName, _ afterPointer: Bool, _ level: Int
    ) throws(BTFError) {
        dropQualifiers(floor)
        if chain.count == floor {
            putSeparated(name, afterPointer)
        } else {
            let next = chain[chain.count - 1]
            let nested = types.kindIfAny(next) == .array
            if !name.isEmpty, !afterPointer { out.put(byte: 32) }
            if !nested { out.put(byte: 40) }
            try putInner(floor, name, level)
            if !nested { out.put(byte: 41) }
        }
        out.put(byte: 91)
        out.put(types.word(id, 5))
        out.put(byte: 93)
    }

    private mutating func putFunction(
        _ id: UInt32, _ floor: Int, _ name: CName, _ afterPointer: Bool, _ level: Int
    ) throws(BTFError) {
        dropQualifiers(floor)
        if chain.count == floor {
            putSeparated(name, afterPointer)
        } else {
            out.put(" (")
            try putInner(floor, name, level)
            out.put(byte: 41)
        }
        out.put(byte: 40)
        let count = types.count(id)
        if count == 0 || count == 1 && types.word(id, 4) == 0 {
            out.put("void)")
            return
        }
        style?.prototypes += 1
        defer { style?.prototypes -= 1 }
        for index in 0..<count {
            try spend()
            if index > 0 { out.put(", ") }
            let type = types.word(id, 4 + index * 2)
            if index == count - 1, type == 0 {
                out.put("...")
            } else {
                try putDeclaration(type, plainName(types.word(id, 3 + index * 2)), level: level)
            }
        }
        out.put(byte: 41)
    }

    private mutating func putInner(_ floor: Int, _ name: CName, _ level: Int) throws(BTFError) {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.maxDepth else {
            throw BTFError(offset: 0, "a declarator is nested too deep for C")
        }
        try putChain(floor, name, level: level)
    }
}
