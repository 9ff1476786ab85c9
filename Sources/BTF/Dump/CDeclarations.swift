// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// How declarations that stand in foreign code name types.
package struct CStyle: Sendable {
    /// Typedefs that the code around knows; others are followed to what they stand for.
    package var typedefs: Set<String>
    /// Tag prefix of the structs and unions that are defined with the declarations; nil if none are
    /// defined because the surrounding code has them.
    package var prefix: String?

    package init(typedefs: Set<String>, prefix: String?) {
        self.typedefs = typedefs
        self.prefix = prefix
    }
}

/// Declarations of variables for C code that is not generated from the same BTF: no attribute that
/// only clang knows, no enumerators, only names that are valid identifiers.
package struct CDeclarations: ~Copyable {
    private var dumper: CDumper
    /// Structs and unions that are defined; false while their members are looked at.
    private var isDefined: [UInt32: Bool] = [:]
    /// Structs and unions that are declared, `struct x`.
    private var isDeclared: Set<String> = []
    /// Lines that the declarations so far need before them: declarations of structs that functions
    /// take, and definitions, if there is a prefix.
    package private(set) var definitions: [String] = []

    package init(_ btf: BTF, style: CStyle) {
        dumper = CDumper(types: TypeTable(btf))
        dumper.style = ForeignStyle(style)
    }

    /// Size of the type in bytes, and its alignment in bytes. Alignment 0: it cannot be determined.
    package mutating func size(of type: TypeID) -> (bytes: UInt64, alignment: UInt32) {
        let place = dumper.layout.place(type.rawValue)
        return (place.size, place.align)
    }

    /// `int name[3]`, without the semicolon, one line each. Qualifiers are only kept behind
    /// pointers: code that includes the text may write to constants before they are loaded.
    ///
    /// - Parameters:
    ///   - name: a valid identifier.
    ///   - isPointer: declare a pointer to such a variable, `int (*name)[3]`.
    /// - Throws: `BTFError` if the type cannot be expressed in such C.
    package mutating func declare(
        _ type: TypeID, _ name: String, isPointer: Bool = false
    ) throws(BTFError) -> [String] {
        let bytes = Array((isPointer ? "(*\(name))" : name).utf8)
        dumper.style?.badName = nil
        dumper.style?.declared = bytes
        try define(type.rawValue)
        dumper.out.removeAll()
        try dumper.putDeclaration(
            type.rawValue, .declared, level: 0)
        return try takeLines()
    }

    /// What was written, after declarations of what it mentions.
    private mutating func takeLines() throws(BTFError) -> [String] {
        let mentioned = dumper.style?.mentioned ?? []
        dumper.style?.mentioned = []
        guard dumper.style?.badName == nil else {
            let name = dumper.style?.badName ?? ""
            dumper.style?.badName = nil
            throw BTFError(offset: 0, "'\(name)' is not a valid C identifier")
        }
        for tag in mentioned where isDeclared.insert(tag).inserted {
            definitions.append(tag + ";")
        }
        return String(decoding: dumper.out.bytes(), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Defines the named structs and unions in `root`, inner ones first.
    private mutating func define(_ root: UInt32) throws(BTFError) {
        guard dumper.style?.prefix != nil else { return }
        var stack: [(id: UInt32, next: Int)] = [(root, 0)]
        while let (id, next) = stack.last {
            try dumper.spend()
            guard stack.count <= Int(dumper.types.typeCount) else {
                throw cError(root, "contains itself")
            }
            guard let part = part(of: id, next) else {
                stack.removeLast()
                try finish(id)
                continue
            }
            stack[stack.count - 1].next += 1
            guard dumper.types.exists(part) else { continue }
            switch (dumper.types.kind(part).isComposite, isDefined[part]) {
            case (true, false): throw cError(part, "contains itself")
            case (true, true): continue
            default:
                if dumper.types.kind(part).isComposite { isDefined[part] = false }
                stack.append((part, 0))
            }
        }
    }

    /// What `id` contains by value.
    private func part(of id: UInt32, _ index: Int) -> UInt32? {
        dumper.types.exists(id) ? dumper.types.part(index, of: id) : nil
    }

    private mutating func finish(_ id: UInt32) throws(BTFError) {
        guard dumper.types.kindIfAny(id)?.isComposite == true, isDefined[id] != true else { return }
        isDefined[id] = true
        guard dumper.types.isNamed(id) else { return }
        dumper.out.removeAll()
        try dumper.putStruct(id, level: 0)
        dumper.out.put(";")
        let lines = try takeLines()
        definitions += lines
    }
}

/// A `CStyle` as the dumper uses it.
struct ForeignStyle {
    let typedefs: Set<[UInt8]>
    let prefix: [UInt8]?
    /// The base type that is written next lies behind a pointer, so it need not be complete.
    var isBehindPointer = false
    /// Depth in parameters of functions, where all types are behind the function's pointer.
    var prototypes = 0
    /// Structs and unions that functions take, `struct x`, which must be declared before; in text
    /// order.
    var mentioned: [String] = []
    /// A name met on the way that would change the meaning of the C text.
    var badName: String?
    /// What the declaration is of.
    var declared: [UInt8] = []

    init(_ style: CStyle) {
        typedefs = Set(style.typedefs.map { Array($0.utf8) })
        prefix = style.prefix.map { Array($0.utf8) }
    }

    mutating func check(_ name: ArraySlice<UInt8>) {
        func isWord(_ byte: UInt8) -> Bool {
            (byte | 0x20) &- 0x61 < 26 || byte == 0x5f || byte &- 0x30 < 10
        }
        guard let first = name.first, !name.elementsEqual(declared) else { return }
        if first &- 0x30 < 10 || !name.allSatisfy(isWord) {
            badName = String(decoding: name, as: UTF8.self)
        }
    }
}

extension CDumper {
    /// Where a type stands for another one in foreign code: what it stands for.
    func foreignTarget(_ id: UInt32, isBehindPointer: Bool) -> UInt32? {
        guard let style else { return nil }
        switch types.kind(id).role {
        case .typeTag: return types.word(id, 2)
        case .qualifier: return isBehindPointer ? nil : types.word(id, 2)
        case .alias:
            let isKnown = style.typedefs.contains(Array(types.string(at: types.nameOffset(id))))
            return isKnown ? nil : types.word(id, 2)
        case .integer, .float, .pointer, .array, .composite, .enumeration, .forward, .function,
            .prototype, .variable, .section, .declarationTag, .location, .locationPrototype,
            .locationSection, .unknown:
            return nil
        }
    }

    /// Writes a base type as foreign code knows it.
    /// - Returns: false when it is not written otherwise than usual.
    mutating func putForeignBase(_ id: UInt32) throws(BTFError) -> Bool {
        guard let style else { return false }
        let isBehind = style.isBehindPointer || style.prototypes > 0
        let kind = types.kind(id)
        switch kind.role {
        case .integer, .float: return putForeignNumber(id)
        case .enumeration:
            // Enumerators would stand beside those of the code around. Without a prefix, the code
            // around has the enum.
            if types.isNamed(id), style.prefix == nil { return false }
            putInteger(size: types.word(id, 2), signed: types.info(id).flag)
            return true
        case .composite:
            guard isBehind else { return false }
            if types.isNamed(id) {
                // Only its tag is said, and whoever has the struct can use the pointer.
                putForeignTag(id, isUnion: kind == .union)
            } else {
                out.put("void")
            }
            return true
        case .forward:
            guard isBehind else { throw cError(id, "is declared only") }
            putForeignTag(id, isUnion: types.info(id).flag)
            return true
        case .pointer, .array, .alias, .qualifier, .typeTag, .function, .prototype, .variable,
            .section, .declarationTag, .location, .locationPrototype, .locationSection, .unknown:
            return false
        }
    }

    private mutating func putForeignTag(_ id: UInt32, isUnion: Bool) {
        let start = out.count
        out.put(isUnion ? "union " : "struct ")
        put(plainName(types.nameOffset(id)))
        if let style, style.prototypes > 0 {
            self.style?.mentioned.append(String(decoding: out.bytes(from: start), as: UTF8.self))
        }
    }

    private mutating func putForeignNumber(_ id: UInt32) -> Bool {
        let words = types.name(id).split(separator: " ")
        if words == ["_Bool"] || words == ["bool"] {
            out.put("bool")
            return true
        }
        let known: Set<Substring> = [
            "char", "short", "int", "long", "signed", "unsigned", "__int128", "float", "double",
        ]
        guard words.isEmpty || !words.allSatisfy(known.contains) else { return false }
        guard types.kind(id) == .int else {
            style?.badName = types.name(id)
            return true
        }
        putInteger(size: types.word(id, 2), signed: types.word(id, 3) >> 24 & 1 != 0)
        return true
    }

    private mutating func putInteger(size: UInt32, signed: Bool) {
        out.put(signed ? "" : "unsigned ")
        switch size {
        case 1: out.put(signed ? "signed char" : "char")
        case 2: out.put("short")
        case 8: out.put("long long")
        case 16: out.put("__int128")
        default: out.put("int")
        }
    }
}
