// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Proof that split BTF was built against another base than the one it is read on.
///
/// Nothing in split BTF names its base, but its ids continue those of its base: on a base with
/// another number of types, references lead to types of the wrong kind, and on one with strings of
/// another length, names begin in the middle of its strings. A single fault is considered damage
/// and proves nothing; a wrong base causes many more.
package struct OtherBase: Equatable, Sendable {
    /// The first offset in the BTF where it shows.
    package let offset: Int
    /// The type that shows it; nil if it is a string.
    package let type: TypeID?
    /// What is wrong with it, without names, which would be those of other types.
    package let message: String
    /// A kernel with that base refuses the BTF (EINVAL) when it loads the module. Otherwise it
    /// accepts it, and mistakes each type for another.
    package let isRefused: Bool

    /// - Parameters:
    ///   - bytes: split BTF, whole.
    ///   - checked: the result of the check on `base`.
    /// - Returns: nil for BTF that fits, or that is damaged rather than misplaced.
    package init?(_ bytes: ByteView, on base: BTF, _ checked: CheckedBTF) {
        if let btf = checked.btf {
            self.init(btf, checked.report)
        } else {
            self.init(unreadable: bytes, base)
        }
    }

    /// The same for split BTF that was read on a base.
    package init?(_ btf: BTF) {
        guard btf.isSplit else { return nil }
        self.init(btf, check(btf, limit: 1))
    }

    private init?(_ btf: BTF, _ report: CheckReport) {
        // On another ABI's base, at least 22 % of the types of Debian 6.1's modules have faults,
        // and at least two.
        if report.faultyTypeCount > 1, report.faultyTypeCount * 16 >= btf.starts.count,
            let fault = report.firstFault
        {
            self.init(
                offset: fault.offset, type: fault.type, fault.what,
                isRefused: report.refusedAtLoad != nil)
        } else if let stray = StrayNames(btf) {
            self.init(
                offset: btf.header.length + btf.header.typeOffset + stray.word * 4, type: nil,
                "\(stray.count) of its \(stray.total) own names would begin inside other strings",
                isRefused: report.refusedAtLoad != nil)
        } else {
            return nil
        }
    }

    /// For BTF with names outside the strings.
    private init?(unreadable bytes: ByteView, _ base: BTF) {
        guard let header = try? Header.parse(bytes), header.bigEndian == base.bigEndian,
            let btf = try? BTF.records(of: bytes, header, stringEnd: .max)
        else { return nil }
        let (words, starts, own) = (btf.words, btf.starts, btf.strings)
        let stringBase = base.stringBase + base.strings.count
        var first: (type: UInt32, word: Int)?
        var faulty = 0
        for (index, start) in starts.enumerated() {
            let id = base.typeCount + UInt32(index)
            var isFaulty = false
            forEachName(words, Int(start)) { position in
                guard Int(words[position]) >= stringBase + own.count else { return }
                isFaulty = true
                if first == nil { first = (id, position) }
            }
            if isFaulty { faulty += 1 }
        }
        guard let first,
            faulty * 16 >= starts.count
                || StrayNames.areMost(words, starts, own, from: stringBase)
        else { return nil }
        self.init(
            offset: header.length + header.typeOffset + first.word * 4, type: TypeID(first.type),
            "name offset \(words[first.word]) lies outside the strings, which end at "
                + "\(stringBase + own.count)", isRefused: true)
    }

    /// The same if the base that the BTF was built against is known.
    ///
    /// - Parameters:
    ///   - btf: split BTF, read on that base.
    ///   - other: the base to compare with.
    ///   - report: the result of `check` there.
    /// - Returns: nil if each id means the same on both.
    package init?(_ btf: BTF, notOn other: BTF, report: CheckReport) {
        let isRefused = report.refusedAtLoad != nil
        guard let base = btf.base, !btf.ownIDs.isEmpty, base !== other else { return nil }
        let length = base.stringBase + base.strings.count
        let otherLength = other.stringBase + other.strings.count
        guard base.typeCount == other.typeCount, length == otherLength else {
            self.init(
                offset: btf.header.length + btf.header.typeOffset, type: TypeID(btf.firstID),
                "its types begin at \(btf.firstID) behind \(length) bytes of names, and would at "
                    + "\(other.typeCount) behind \(otherLength)", isRefused: isRefused)
            return
        }
        var difference: (start: Int, type: UInt32, what: String)?
        for (index, start) in btf.starts.lazy.map(Int.init).enumerated() where difference == nil {
            let own = btf.firstID + UInt32(index)
            forEachReference(btf.words, start) { position in
                let id = btf.words[position]
                guard difference == nil, id != 0, id < base.typeCount else { return }
                if !base.isLike(other, id) {
                    difference = (start, own, "type \(id), which it refers to, is another one")
                }
            }
            forEachName(btf.words, start) { position in
                let offset = btf.words[position]
                guard difference == nil, offset < length else { return }
                if base.stringBytes(at: offset, atMost: TypeTable.maxNameLength)
                    != other.stringBytes(at: offset, atMost: TypeTable.maxNameLength)
                {
                    difference = (start, own, "another name is at offset \(offset)")
                }
            }
        }
        guard let difference else { return nil }
        self.init(
            offset: btf.header.length + btf.header.typeOffset + difference.start * 4,
            type: TypeID(difference.type), difference.what, isRefused: isRefused)
    }

    /// For BTF whose file names the base that it was built against.
    ///
    /// - Parameters:
    ///   - difference: how that base differs from the one that the BTF is read on.
    ///   - shown: how the BTF shows it; nil if it does not.
    ///   - isRefused: a kernel with the other base refuses the BTF.
    package init(_ difference: String, adding shown: OtherBase?, isRefused: Bool) {
        self.init(
            offset: shown?.offset ?? 0, type: shown?.type,
            shown.map { "\($0.message); \(difference)" } ?? difference,
            isRefused: isRefused)
    }

    /// Its rule in reports, besides the kernel's rules.
    package static let rule = "base"

    /// The text of the error, after the location in the file.
    ///
    /// - Parameter base: the base it was read on.
    package func sentence(_ base: String) -> String {
        "split BTF, which was not built against \(base): \(message)"
    }

    private init(offset: Int, type: TypeID?, _ message: String, isRefused: Bool) {
        self.offset = offset
        self.type = type
        self.message = message
        self.isRefused = isRefused
    }
}

extension CheckReport {
    /// This finding alone, in place of all the faults it causes.
    package init(_ other: OtherBase, on base: String) {
        self.init(limit: 1)
        add(
            .error, OtherBase.rule, type: other.type, offset: other.offset, other.sentence(base))
    }
}

extension BTF {
    /// Whether the type has the same kind, name and size in both.
    fileprivate func isLike(_ other: BTF, _ id: UInt32) -> Bool {
        guard let a = record(TypeID(id)), let b = other.record(TypeID(id)) else { return false }
        return a.info.rawValue == b.info.rawValue
            && (a.kind.shape.refersToType || a.size == b.size)
            && stringBytes(at: a.nameOffset, atMost: TypeTable.maxNameLength)
                == other.stringBytes(at: b.nameOffset, atMost: TypeTable.maxNameLength)
    }
}
