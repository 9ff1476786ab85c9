// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Writes C declarations of types, each once, each after what it needs.
///
/// `COrdering` says which definitions come first; before each definition, `declareNeeds` forward
/// declares the structs and unions that it mentions behind pointers.
struct CDumper: ~Copyable {
    enum State: UInt8 { case new, open, done }

    /// A type whose needs are being declared.
    private struct Frame {
        let id: UInt32
        /// The definition that these declarations stand before; its own name needs none.
        let container: UInt32
        /// The places of its references: the next one, and how far apart they are.
        var next: Int
        let step: Int
        /// References that are left.
        var left: Int
    }

    private let inPlace = InPlace()
    let types: TypeTable
    var out = TextBuffer()
    var budget: CBudget
    var layout: CLayout
    var states: Arena<State>
    /// A forward declaration (a typedef's only one is its definition) was written.
    private var declared: Arena<Bool>
    private var ordering: COrdering
    /// Types whose needs are being declared, innermost last.
    private var needs = Arena<Frame>()
    /// Tags of structs, unions and enums; typedefs and enumerators share C's other name space.
    var tags: CNameSpace
    var identifiers: CNameSpace
    /// How often each type's name was used before and by it; 0: not asked yet.
    var versions: Arena<UInt32>
    /// Types on the way from a declarator's name to its base type, shared by nested declarators.
    var chain = Arena<UInt32>()
    var depth = 0
    /// Set for declarations in code that is not made of these types.
    var style: ForeignStyle?

    init(types: TypeTable, rule: CLayout.Rule = .bpftool) {
        self.types = types
        budget = CBudget(types)
        layout = CLayout(types, rule: rule)
        ordering = COrdering(types)
        tags = CNameSpace(types)
        identifiers = CNameSpace(types)
        let count = Int(types.typeCount)
        states = Arena(repeating: .new, count: count)
        declared = Arena(repeating: false, count: count)
        versions = Arena(repeating: 0, count: count)
    }

    /// Writes what is still missing for a complete `id`, itself included.
    mutating func define(_ id: UInt32) throws(BTFError) {
        try ordering.order(id, &budget)
        for index in ordering.queue.indices {
            try declareNeeds(of: ordering.queue[index], container: 0)
        }
    }

    /// Takes one step off the budget and checks the output's size.
    mutating func spend() throws(BTFError) {
        try budget.spend()
        guard out.count <= maxDumpBytes else {
            throw BTFError(offset: 0, "the dump is longer than \(maxDumpBytes) bytes")
        }
    }

    /// The text, which the dumper has no more.
    consuming func takeOutput() -> TextBuffer { out }

    // MARK: Forward declarations

    /// Declares what `root` mentions. For container 0, also writes the definition of `root` itself.
    mutating func declareNeeds(of root: UInt32, container: UInt32) throws(BTFError) {
        needs.removeAll()
        try enter(root, container)
        while !needs.isEmpty {
            let top = needs.count - 1
            let frame = needs[top]
            if frame.left > 0 {
                needs[top].next += frame.step
                needs[top].left -= 1
                try enter(types.word(frame.id, frame.next), innerContainer(frame))
            } else {
                needs.truncate(to: top)
                try finish(frame)
            }
        }
    }

    /// Members of an anonymous struct belong to the definition around it.
    private func innerContainer(_ frame: Frame) -> UInt32 {
        switch types.kind(frame.id) {
        case .funcProto: frame.container
        case .typedef: frame.id
        // Only structs and unions besides have a frame.
        default: types.isNamed(frame.id) ? frame.id : frame.container
        }
    }

    private mutating func push(_ id: UInt32, _ container: UInt32) {
        let info = types.info(id)
        switch info.kind {
        case .struct, .union:
            needs.append(
                Frame(id: id, container: container, next: 4, step: 3, left: info.vlen))
        case .funcProto:
            needs.append(
                Frame(id: id, container: container, next: 2, step: 2, left: info.vlen + 1))
        default: needs.append(Frame(id: id, container: container, next: 2, step: 0, left: 1))
        }
    }

    private mutating func enter(
        _ start: UInt32, _ container: UInt32
    ) throws(BTFError) {
        var id = start
        // Kinds that declare nothing themselves lead on to their target.
        while types.exists(id) {
            try spend()
            switch types.kind(id).role {
            case .pointer, .qualifier, .typeTag: id = types.word(id, 2)
            case .array: id = types.word(id, 3)
            case .integer, .float, .composite, .enumeration, .forward, .alias, .function,
                .prototype, .variable, .section, .declarationTag, .location, .locationPrototype,
                .locationSection, .unknown:
                return try enterNamed(id, container)
            }
        }
    }

    private mutating func enterNamed(
        _ id: UInt32, _ container: UInt32
    ) throws(BTFError) {
        let kind = types.kind(id)
        switch states[Int(id)] {
        case .done: return
        case .open:
            guard !declared[Int(id)] else { return }
            if kind.isComposite {
                guard id != container, types.isNamed(id) else { return }
                declareTag(id)
                declared[Int(id)] = true
            } else if kind == .typedef {
                try defineTypedef(id)
                declared[Int(id)] = true
            }
            return
        case .new: break
        }
        switch kind.role {
        case .integer:
            defineBuiltin(id)
            states[Int(id)] = .done
        case .enumeration:
            if container == 0 {
                try spend()
                try putEnum(id, level: 0)
                out.put(";\n\n")
            }
            states[Int(id)] = .done
        case .forward:
            declareTag(id)
            states[Int(id)] = .done
        case .composite:
            if container == 0 || !types.isNamed(id) {
                states[Int(id)] = .open
                push(id, container)
            } else if !declared[Int(id)], id != container {
                declareTag(id)
                declared[Int(id)] = true
            }
        case .alias:
            states[Int(id)] = .open
            push(id, container)
        case .prototype:
            guard needs.count <= 2 * Int(types.typeCount) else {
                throw cError(id, "FUNC_PROTO is part of a loop of types without a name")
            }
            push(id, container)
        case .float, .function, .variable, .section, .declarationTag, .location,
            .locationPrototype, .locationSection, .unknown, .pointer, .array, .qualifier, .typeTag:
            states[Int(id)] = .done
        }
    }

    private mutating func finish(_ frame: Frame) throws(BTFError) {
        let id = frame.id
        switch types.kind(id) {
        case .struct, .union:
            states[Int(id)] = .new
            guard frame.container == 0 else { return }
            putAlignmentNote(id)
            try putStruct(id, level: 0)
            out.put(";\n\n")
            states[Int(id)] = .done
        case .typedef:
            if !declared[Int(id)] { try defineTypedef(id) }
            states[Int(id)] = .done
        default: break
        }
    }

    private mutating func declareTag(_ id: UInt32) {
        putTag(id)
        out.put(";\n\n")
    }

    private mutating func defineTypedef(_ id: UInt32) throws(BTFError) {
        let name = types.nameOffset(id)
        // The compiler's own.
        if types.isString(at: name, "__builtin_va_list"), !isForeignVaList(id) { return }
        if types.word(id, 2) == 0, types.isString(at: name, "__gnuc_va_list") {
            // GCC writes it as a typedef of void.
            out.put("typedef __builtin_va_list __gnuc_va_list;\n\n")
            return
        }
        out.put("typedef ")
        try putDeclaration(types.word(id, 2), identifier(id), level: 0)
        out.put(";\n\n")
    }

    /// GCC for arm64 has integers that clang does not know by these names.
    private mutating func defineBuiltin(_ id: UInt32) {
        let name = types.string(at: types.nameOffset(id))
        guard name.starts(with: "__Poly".utf8) else { return }
        for (alias, meaning) in [
            ("__Poly8_t", "unsigned char"), ("__Poly16_t", "unsigned short"),
            ("__Poly64_t", "unsigned long long"), ("__Poly128_t", "unsigned __int128"),
        ] where name.elementsEqual(alias.utf8) {
            out.put(text: "typedef \(meaning) \(alias);\n\n")
        }
    }
}
