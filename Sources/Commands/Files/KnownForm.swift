// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import KernelTree

/// The form of a file's BTF: as its mark says if that is possible, otherwise as the BTF shows.
struct KnownForm: Sendable {
    let form: BTFMark.Form
    /// The mark says so too, or nothing else is possible.
    let isSure: Bool
    /// The evidence.
    let signs: [String]
    /// The mark cannot be read, or the BTF contradicts it: a warning, less the file's name.
    let trouble: String?

    /// - Parameters:
    ///   - hasDistilledBase: it has a section `.BTF.base`.
    ///   - recognition: what the BTF alone shows.
    init(_ reading: BTFMark.Reading, hasDistilledBase: Bool, _ recognition: Recognition) {
        let shown: BTFMark.Form =
            hasDistilledBase ? .distilled : recognition.isStandalone ? .standalone : .split
        let signs =
            hasDistilledBase ? ["it has a section .BTF.base"] : recognition.signs
        let isProven = hasDistilledBase || recognition.isSure
        switch reading {
        case .none: (form, isSure, self.signs, trouble) = (shown, isProven, signs, nil)
        case .unreadable(let fault):
            (form, isSure, self.signs, trouble) = (shown, isProven, signs, fault.sentence)
        case .mark(let mark) where mark.form == shown:
            (form, isSure, trouble) = (shown, true, nil)
            self.signs = ["it is marked as \(mark.form.rawValue)"] + signs
        case .mark(let mark) where isProven || mark.form == .distilled:
            (form, isSure, self.signs) = (shown, isProven, signs)
            trouble =
                ".modinfo: marked as \(mark.form.rawValue) BTF, but it is \(shown.rawValue): "
                + signs.joined(separator: ", ")
        case .mark(let mark):
            (form, isSure, trouble) = (mark.form, true, nil)
            self.signs = ["it is marked as \(mark.form.rawValue)"] + signs
        }
    }

    var isStandalone: Bool { form == .standalone }

    /// The form, whether it is sure, and the evidence.
    ///
    /// - Parameter name: what it is called, where only part of it was looked at.
    func description(as name: String? = nil) -> String {
        "\(name ?? form.rawValue) BTF (\(isSure ? "sure" : "not sure")): "
            + signs.joined(separator: ", ")
    }

    /// What to do about `trouble`.
    static func cure(_ path: String) -> String {
        "kbtf encode \(path), if it was built with -g, writes a new mark"
    }
}

extension BTFMark.Fault {
    var sentence: String { ".modinfo+0x\(String(offset, radix: 16)): btf=: \(message)" }
}
