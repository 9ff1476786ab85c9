// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// BTF as it lies in a file, to be held against a kernel.
package struct TargetSubject: Sendable {
    package let bytes: ByteView
    package let use: TargetUse
    /// Its `.BTF.base`.
    package var distilledBase: ByteView?
    /// What a loader of BPF objects passes to the kernel instead of `bytes`.
    package var loaded: ByteView?
    /// The types of the kernel, if they are known: a module's BTF continues them.
    package var kernel: KernelTypes?
    /// The `sizeof(void *)` of the kernel: that of the machine that the file is for.
    package var pointerSize: UInt32 = 8
    /// What `check` says of it.
    package var isSound = true

    package init(_ bytes: ByteView, _ use: TargetUse) {
        self.bytes = bytes
        self.use = use
    }
}

/// Holds BTF against what one kernel takes: what it answers, and which of its rules are broken.
///
/// - Parameters:
///   - btf: the types; nil if they cannot be read.
///   - kernelFunctions: what the sets of kernel functions in `.BTF_ids` list.
///   - withImplicitArguments: kernel functions that have `KF_IMPLICIT_ARGS` in `.BTF_ids`.
///   - limit: how many findings are listed; all are counted.
package func checkTarget(
    _ subject: TargetSubject, _ btf: BTF?, rules: TargetRules,
    kernelFunctions: [KernelFunction] = [], withImplicitArguments: Set<String> = [],
    limit: Int = 1000
) -> TargetReport {
    var report = TargetReport(rules: rules, findings: .init(limit: limit))
    report.isSound = subject.isSound
    report.ask(subject, btf)
    guard let btf else {
        report.judge(subject, nil)
        return report
    }
    var checker = TargetChecker(btf, subject.use, report)
    checker.checkSections()
    // Each rule is one of BPF_BTF_LOAD; split BTF was not read as that reads it.
    if btf.isSplit || subject.loaded != nil || report.programAnswer != .taken {
        checker.checkTypes()
    }
    checker.checkDescriptions(kernelFunctions)
    checker.checkImplicitArguments(
        withImplicitArguments, listed: Set(kernelFunctions.lazy.map(\.name)))
    checker.report.judge(subject, btf)
    return checker.report
}

/// Checks BTF by the rules that differ between releases. Their numbers are those of `TypeChecker`;
/// wording and errors are the kernel's.
private struct TargetChecker {
    let btf: BTF
    let types: TypeTable
    let use: TargetUse
    var report: TargetReport
    private let typesAt: Int
    /// What the kernel's answers have said.
    private let said: Set<String>
    // What is asked of each type.
    private let infoForbidden: UInt32
    private let looksAtNames: Bool
    private let maxNameLength: Int
    private let takesDots: Bool

    private var rules: TargetRules { report.rules }

    init(_ btf: BTF, _ use: TargetUse, _ report: TargetReport) {
        self.btf = btf
        self.use = use
        self.report = report
        types = TypeTable(btf)
        typesAt = btf.header.length + btf.header.typeOffset
        let rules = report.rules
        infoForbidden = rules.infoMask.map { ~$0 } ?? 0
        takesDots = rules.has(.dottedNames)
        looksAtNames = !rules.has(.longNames) || !takesDots
        maxNameLength = rules.maxNameLength
        said = Set(report.findings.findings.map { Self.key($0.rule, $0.type) })
    }

    private static func key(_ rule: String, _ type: TypeID?) -> String {
        rule + (type.map { "\($0)" } ?? "")
    }

    /// Which ways in a rule closes.
    private enum Ways { case both, program }

    private mutating func refuse(
        _ rule: String, type: UInt32, word: Int = 0, _ message: String,
        _ error: KernelErrno = .invalid, _ ways: Ways = .both
    ) {
        if said.contains(Self.key(rule, TypeID(type))) { return }
        let place = typesAt + (Int(btf.starts[Int(type - types.firstID)]) + word) * 4
        let name = types.name(type)
        report.findings.add(
            .error, rule, type: TypeID(type), offset: place,
            "\(types.kind(type).word) \(name.isEmpty ? "(anon)" : name): \(message) (\(rules): \(error.rawValue)\(ways == .program ? " from BPF_BTF_LOAD" : ""))"
        )
    }

    // MARK: The whole

    mutating func checkSections() {
        if rules.has(.sortedNames), case .whole = use, let id = firstUnsorted() {
            report.findings.add(
                .warning, "sorted", type: TypeID(id),
                offset: typesAt + Int(btf.starts[Int(id - types.firstID)]) * 4,
                "not sorted by name: in the kernel's own BTF, \(rules) finds only some names"
            )
        }
    }

    /// The first type whose name sorts before the previous one; types without a name come first.
    private func firstUnsorted() -> UInt32? {
        var last: UInt32 = 0
        for id in types.ownIDs {
            let name = types.nameOffset(id)
            if name != last, types.order(ofStringAt: name, last) < 0 { return id }
            last = name
        }
        return nil
    }

    // MARK: Types

    mutating func checkTypes() {
        let known = Kind.allCases.filter { $0 != .unknown && rules.takes($0) }
            .reduce(UInt64(0)) { $0 | 1 << $1.rawValue }
        for id in types.ownIDs {
            let info = types.info(id)
            let kind = types.kind(id)
            if info.rawValue & infoForbidden != 0 {
                refuse(
                    "M0b", type: id, word: 1,
                    "Invalid btf_info:" + String(info.rawValue, radix: 16))
                continue
            }
            guard known >> kind.rawValue & 1 != 0 else {
                refuse("M0c", type: id, word: 1, "Invalid kind:\(info.rawKind)")
                continue
            }
            checkInfo(id, kind, info)
            if kind == .datasec {
                let name = types.string(at: types.nameOffset(id))
                if name.isSectionName, !rules.takes(sectionName: name) {
                    refuse("M12", type: id, "Invalid name")
                }
            } else if looksAtNames {
                checkNames(id, kind)
            }
        }
        guard rules.has(.typeTag), !rules.has(.anyTagOrder) else { return }
        for id in types.ownIDs where types.kind(id).isModifier && !isTagOrderKept(id) {
            refuse("C2", type: id, "Type tags don't precede modifiers")
        }
    }

    private mutating func checkInfo(_ id: UInt32, _ kind: Kind, _ info: TypeInfo) {
        switch kind.role {
        case .typeTag, .declarationTag:
            if info.flag, !rules.has(.flaggedTags) {
                refuse(kind.rule, type: id, word: 1, "Invalid btf_info kind_flag")
            }
        case .enumeration:
            guard kind == .enum else { break }
            if info.flag, !rules.has(.enum64) {
                refuse("M7", type: id, word: 1, "Invalid btf_info kind_flag")
            }
            if types.word(id, 2) != 4, !rules.has(.largeBTF) {
                refuse("M7", type: id, word: 2, "Unexpected size", .invalid, .program)
            }
        case .function:
            if info.vlen != 0, !rules.has(.functionLinkage) {
                refuse("M9", type: id, word: 1, "vlen != 0")
            } else if info.vlen > Linkage.global.rawValue {
                refuse("M9", type: id, word: 1, "Invalid func linkage")
            }
            checkParameters(of: id)
        case .variable:
            if types.word(id, 3) > Linkage.global.rawValue {
                refuse("M11", type: id, word: 3, "Linkage not supported")
            }
        case .section:
            if types.word(id, 2) == 0 { refuse("M12", type: id, word: 2, "size == 0") }
        // All kernels that know such a kind hold it to the same rules.
        case .integer, .float, .pointer, .array, .composite, .forward, .alias, .qualifier,
            .prototype, .location, .locationPrototype, .locationSection, .unknown:
            break
        }
    }

    /// All parameters of a FUNC have names.
    private mutating func checkParameters(of function: UInt32) {
        let prototype = types.word(function, 2)
        guard types.kindIfAny(prototype) == .funcProto else { return }
        for index in 0..<types.count(prototype) where types.word(prototype, 4 + index * 2) != 0 {
            if types.string(at: types.word(prototype, 3 + index * 2)).isEmpty {
                return refuse(
                    "R19", type: function, word: 2, "Invalid arg#\(index + 1)", .invalid, .program)
            }
        }
    }

    private mutating func checkNames(_ id: UInt32, _ kind: Kind) {
        switch kind.row.name {
        case .identifier, .optionalIdentifier:
            if isRefused(types.nameOffset(id)) { refuse(kind.rule, type: id, "Invalid name") }
        case .any, .none, .text, .section: break
        }
        let shape = kind.shape
        guard shape.elementHasName else { return }
        for index in 0..<types.count(id) {
            let at = 3 + shape.fixed + index * shape.element
            guard isRefused(types.word(id, at)) else { continue }
            if kind == .funcProto {
                refuse("R21", type: id, word: at, "Invalid arg#\(index + 1)", .invalid, .program)
            } else {
                refuse(kind.rule, type: id, word: at, "element \(index + 1): Invalid name")
            }
        }
    }

    /// A name like those of newer kernels. What no kernel takes is not said here again.
    private func isRefused(_ offset: UInt32) -> Bool {
        let name = types.string(at: offset)
        let isOdd = name.count > maxNameLength || !takesDots && name.contains(UInt8(ascii: "."))
        return isOdd && name.isIdentifier
    }

    /// No type tag behind another modifier, on the way from this one on.
    private func isTagOrderKept(_ start: UInt32) -> Bool {
        var id = start
        var otherMet = false
        // More than 32 modifiers in a row are refused anyway.
        for _ in 0...32 {
            guard let kind = types.kindIfAny(id), kind.isModifier else { return true }
            if kind != .typeTag { otherMet = true } else if otherMet { return false }
            id = types.word(id, 2)
        }
        return true
    }

    /// The kernel loads the BTF either way, but programs are built from what it says.
    mutating func checkDescriptions(_ functions: [KernelFunction]) {
        guard rules.has(.arenaParameters) else { return }
        for function in btf.undescribed(functions) {
            report.findings.add(
                .warning, "kfunc", type: TypeID(function.id),
                offset: typesAt + Int(btf.starts[Int(function.id - types.firstID)]) * 4,
                "FUNC \(function.name): listed as a kernel function, but without "
                    + "\(function.missing.joined(separator: ", ")) (\(rules): resolve_btfids adds that)"
            )
        }
    }

    /// The kernel loads the BTF, but its verifier refuses each program that calls such a function.
    mutating func checkImplicitArguments(_ names: Set<String>, listed: Set<String>) {
        guard rules.has(.implicitArguments) else { return }
        for function in btf.functionsLeftWhole(among: names) {
            let what =
                !listed.contains(function.name)
                ? "no set of kernel functions lists it"
                : function.hasImplementation
                    ? "shows its implicit arguments" : "it has no \(function.name)_impl"
            report.findings.add(
                .error, "kfunc", type: TypeID(function.id),
                offset: typesAt + Int(btf.starts[Int(function.id - types.firstID)]) * 4,
                "FUNC \(function.name): has KF_IMPLICIT_ARGS, but \(what) (\(rules): programs cannot call it)"
            )
            report.isUsable = false
        }
    }
}
