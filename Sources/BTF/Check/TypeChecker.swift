// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Checks the own types of a BTF by the kernel's rules, as far as they define validity rather than
/// what a particular kernel supports: the rules for single records (M), for references (R) and for
/// chains of modifiers (C), which kernel/bpf/btf.c checks in this order.
struct TypeChecker {
    /// BTF_MAX_TYPE.
    static let maxTypes: UInt32 = 0xfffff

    let types: TypeTable
    var report: CheckReport
    let profile: CheckProfile
    /// Whether only what types refer to is looked at: names, sizes and values are passed over where
    /// they take time.
    let onlyReferences: Bool
    /// With `onlyReferences`: by id, whether a member can have the type; not yet known where false.
    var isSized: [Bool] = []
    private let btf: BTF
    private let typesAt: Int
    let pointerSize: UInt32
    /// The type being checked.
    private(set) var id: UInt32 = 0

    init(
        _ btf: BTF, _ report: CheckReport, _ profile: CheckProfile, onlyReferences: Bool = false
    ) {
        self.btf = btf
        self.onlyReferences = onlyReferences
        self.profile = profile
        self.report = report
        types = TypeTable(btf)
        if onlyReferences { isSized = Array(repeating: false, count: Int(types.typeCount)) }
        pointerSize = types.pointerSize
        typesAt = btf.header.length + btf.header.typeOffset
    }

    mutating func run() {
        // The base of split BTF may have all there is to tell.
        if btf.ownIDs.isEmpty, btf.base == nil {
            report.add(.error, "N", offset: typesAt, "No type found")
        }
        if types.typeCount - 1 > Self.maxTypes {
            report.add(
                .error, "M0e", offset: typesAt,
                "Exceeded max num of types: \(types.typeCount - 1), at most \(Self.maxTypes)")
        }
        for id in types.ownIDs {
            self.id = id
            checkType()
        }
        for (id, rule, message) in findLoops(types) {
            self.id = id
            error(rule, message)
        }
        if report.isSound, !onlyReferences { checkRepeats() }
    }

    /// One warning, however many there are.
    private mutating func checkRepeats() {
        let repeated = RepeatedDefinitions(types)
        guard let first = repeated.first else { return }
        id = first.id
        let others = repeated.ids.count - 1
        warning(
            "D1",
            "the same as [\(first.of)]" + (others > 0 ? "; \(others) more types repeat others" : "")
        )
    }

    /// The record of the type being checked: the words it is among, and where it starts.
    var own: (words: [UInt32], start: Int) {
        (types.ownWords, Int(types.ownStarts[Int(id - types.firstID)]))
    }

    // MARK: Findings

    mutating func error(_ rule: String, word: Int = 0, _ message: String) {
        // The rules of references (R) are BPF_BTF_LOAD's alone.
        add(.error, rule, word, message, atLoad: !rule.hasPrefix("R"))
    }

    mutating func warning(_ rule: String, word: Int = 0, _ message: String) {
        add(.warning, rule, word, message, atLoad: false)
    }

    private mutating func add(
        _ severity: CheckReport.Severity, _ rule: String, _ word: Int, _ message: String,
        atLoad: Bool
    ) {
        let start = Int(btf.starts[Int(id - types.firstID)])
        let offset = typesAt + (start + word) * 4
        if severity == .error, report.firstFault == nil {
            report.note(
                firstFault: TypeID(id), offset: offset, types.kind(id).word + ": " + message)
        }
        report.add(
            severity, rule, type: TypeID(id), offset: offset, atLoad: atLoad,
            subject + ": " + message)
    }

    /// `STRUCT foo`
    private var subject: String {
        let name = types.name(id)
        return types.kindWord(id) + " " + (name.isEmpty ? "(anon)" : name)
    }

    // MARK: References

    /// False, after an error, when the id in `word` is of no type, or of void where that is wrong.
    mutating func requireType(
        _ target: UInt32, word: Int, rule: String, void: Bool = false,
        _ what: @autoclosure () -> String
    ) -> Bool {
        if target == 0 {
            if !void { error(rule, word: word, what() + ": 0 is void") }
            return void
        }
        guard types.exists(target) else {
            // When it loads a module, the kernel only follows modifiers; other ids just have to be
            // small enough.
            let kind = types.kind(id)
            add(
                .error, rule, word, what() + ": \(target) does not exist",
                atLoad: kind.isModifier
                    || target > Self.maxTypes && !rule.hasPrefix("R"))
            return false
        }
        return true
    }

    // MARK: Rules of all kinds

    private mutating func checkType() {
        let info = types.info(id)
        let kind = types.kind(id)
        if kind == .unknown {
            report.note(unknownKind: info.rawKind)
            return warning(
                kind.rule, word: 1, "Invalid kind:\(info.rawKind): not known; skipped by the layout"
            )
        }
        if kind.shape.element == 0, kind.role != .function, info.vlen != 0 {
            error(kind.rule, word: 1, "vlen != 0: \(info.vlen)")
        }
        if info.flag, !kind.row.hasFlag { error(kind.rule, word: 1, "Invalid btf_info kind_flag") }
        if !onlyReferences { checkName(kind) }
        switch kind.role {
        case .integer: checkInt()
        case .pointer, .alias, .qualifier, .typeTag: checkWrapper(kind)
        case .array: checkArray()
        case .composite: checkMembers()
        case .enumeration: if !onlyReferences { checkValues() }
        case .forward:
            if types.word(id, 2) != 0 { error("M8", word: 2, "type != 0: \(types.word(id, 2))") }
        case .function: checkFunction()
        case .prototype: checkPrototype()
        case .variable: checkVariable()
        case .section: checkSection()
        case .float:
            if ![2, 4, 8, 12, 16].contains(types.word(id, 2)) {
                error("M13", word: 2, "Invalid type_size: \(types.word(id, 2))")
            }
        case .declarationTag: checkDeclTag()
        case .location: checkLocation()
        case .locationPrototype: checkLocationPrototype()
        case .locationSection: checkLocationSection()
        case .unknown: break
        }
    }

    private mutating func checkName(_ kind: Kind) {
        let name = types.nameOffset(id)
        let fits: Bool
        switch kind.row.name {
        case .any: return
        case .none: fits = name == 0
        case .identifier: fits = types.isIdentifier(stringAt: name)
        case .optionalIdentifier: fits = name == 0 || types.isIdentifier(stringAt: name)
        case .text: fits = !types.isEmpty(stringAt: name)
        case .section: fits = types.string(at: name).isSectionName
        }
        if !fits {
            error(kind.rule, kind == .declTag ? "Invalid value: no text" : "Invalid name")
        }
    }
}
