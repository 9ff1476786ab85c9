// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The set of rules for checking BTF.
package enum CheckProfile: String, CaseIterable, Sendable {
    /// Rules that any sound BTF satisfies, whoever reads it.
    case structure
    /// Rules for a BPF object before libbpf completes it: external variables have no offset in
    /// their section, a kernel symbol may have no type, and sections are not sorted.
    case object
}

/// The result of a check.
package struct CheckReport: Sendable {
    package enum Severity: String, Sendable {
        /// The BTF breaks the rule.
        case error
        /// Some readers refuse it, or it is unusual.
        case warning
    }

    /// One broken rule.
    package struct Finding: Equatable, Sendable, CustomStringConvertible {
        package let severity: Severity
        /// The type at fault; nil for header, sections and strings.
        package let type: TypeID?
        /// Offset in the blob, in bytes.
        package let offset: Int
        /// The kernel's acceptance rule, such as `M6` for members; see `docs` for the list.
        package let rule: String
        /// Kind, name and what is wrong, in the kernel's words if it has any.
        package let message: String

        /// `+0x1f0: [12] error M6: STRUCT foo: member 3 bar: Invalid type_id: 77 does not exist`
        package var description: String {
            let place = type.map { " [\($0)]" } ?? ""
            return "+0x" + String(offset, radix: 16)
                + ":\(place) \(severity.rawValue) \(rule): \(message)"
        }
    }

    package private(set) var findings: [Finding] = []
    package private(set) var errorCount = 0
    package private(set) var warningCount = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// The first broken rule, whatever the limit; nil for sound BTF.
    package private(set) var firstError: Finding?
    /// The first finding for which a kernel refuses a module at load time. It checks less than
    /// BPF_BTF_LOAD does: names, and each record by itself, but not what members, pointers or
    /// functions refer to.
    package private(set) var refusedAtLoad: Finding?
    /// The first error in a type, worded without the type's name.
    private(set) var firstFault: (type: TypeID, offset: Int, what: String)?
    /// Types with an error.
    private(set) var faultyTypeCount = 0
    private var lastFaulty: TypeID?

    /// Own types; nil if the BTF cannot be read.
    package internal(set) var typeCount: Int?
    /// Numbers of kinds that we do not know, and how many types have them.
    package private(set) var unknownKinds: [UInt8: Int] = [:]

    mutating func note(unknownKind number: UInt8) { unknownKinds[number, default: 0] += 1 }

    /// No rule is broken; there may be warnings.
    package var isSound: Bool { errorCount == 0 }

    /// Findings that are counted but not listed.
    package var omitted: Int { errorCount + warningCount - findings.count }

    mutating func note(firstFault type: TypeID, offset: Int, _ what: String) {
        if firstFault == nil { firstFault = (type, offset, what) }
    }

    /// - Parameter atLoad: the kernel notices this when it loads a module.
    mutating func add(
        _ severity: Severity, _ rule: String, type: TypeID? = nil, offset: Int,
        atLoad: Bool = true, _ message: String
    ) {
        switch severity {
        case .error:
            errorCount += 1
            if let type, type != lastFaulty { faultyTypeCount += 1 }
            lastFaulty = type
        case .warning: warningCount += 1
        }
        let isError = severity == .error
        let isRefusal = atLoad && isError && refusedAtLoad == nil
        // Errors take the places of warnings.
        let displaced =
            isError && findings.count == limit
            ? findings.lastIndex { $0.severity == .warning } : nil
        let isListed = findings.count < limit || displaced != nil
        guard isListed || isRefusal || isError && firstError == nil else { return }
        let finding = Finding(
            severity: severity, type: type, offset: offset, rule: rule, message: message)
        if isRefusal { refusedAtLoad = finding }
        if isError, firstError == nil { firstError = finding }
        if let displaced { findings.remove(at: displaced) }
        if isListed { findings.append(finding) }
    }
}
