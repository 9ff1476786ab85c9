// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension BTF {
    /// Proof that split BTF was built against another base than `base`; nil if there is none.
    ///
    /// Nothing in split BTF names its base, but its ids continue those of its base. On a base with
    /// another number of types, references lead to types that do not exist or have the wrong kind;
    /// on one with strings of another length, names are outside the strings or begin inside others.
    /// Unusual BTF proves nothing: some producers, for example, leave unused strings behind.
    ///
    /// BTF that is damaged whatever its base has no misfit either: parsing or checking it reports
    /// what is wrong.
    ///
    /// - Parameters:
    ///   - bytes: a whole BTF blob.
    ///   - base: nil: whether it can be standalone.
    package static func misfit(of bytes: ByteView, on base: BTF?) -> BTFError? {
        let btf: BTF
        do throws(BTFError) {
            btf = try BTF.parse(bytes, base: base, isForReading: true)
            try btf.checkReferences(skippingUnknown: true)
        } catch { return isDamaged(bytes) ? nil : error }
        return btf.misfitOfReferences
    }

    /// The same for BTF that is read on that base, and whose references lead to types: whether they
    /// lead to the right kinds.
    var misfitOfReferences: BTFError? {
        var checker = TypeChecker(self, CheckReport(limit: 1000), .structure, onlyReferences: true)
        checker.run()
        let findings = checker.report.findings
        if let fault = findings.first(where: { $0.severity == .error && $0.isAboutReference }) {
            return BTFError(offset: fault.offset, fault.message)
        }
        guard let stray = StrayNames(self) else { return nil }
        return BTFError(
            offset: header.length + header.typeOffset + stray.word * 4,
            "\(stray.count) of its \(stray.total) own names would begin inside other strings")
    }

    /// Whether it cannot be read on any base.
    private static func isDamaged(_ bytes: ByteView) -> Bool {
        guard let header = try? Header.parse(bytes) else { return true }
        return (try? records(of: bytes, header, stringEnd: .max)) == nil
    }
}

extension CheckReport.Finding {
    /// A reference leads to a type of the wrong kind, or in circles. Contradicting sizes do not
    /// count: some producers write such BTF.
    fileprivate var isAboutReference: Bool {
        switch rule {
        case "C1", "R2", "R3", "R4", "R5", "R6", "R7", "R10", "R19", "R20", "R21", "R22", "R23",
            "R25", "R26":
            true
        default: false
        }
    }
}
