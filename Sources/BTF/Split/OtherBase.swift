// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Proof that split BTF was made on another base than the one it is read on.
///
/// Nothing in split BTF names its base. But its numbers continue those of its base: on a base with another number of
/// types, references lead to types of the wrong kind, and on one with strings of another length, names begin in the
/// middle of its strings. A single fault is taken for damage and no proof; a wrong base spoils much more.
package struct OtherBase: Equatable, Sendable {
    /// Where in the BTF it shows first.
    package let offset: Int
    /// The type that shows it; nil where it is a string.
    package let type: TypeID?
    /// What is wrong with it, without names, which would be those of other types.
    package let message: String
    /// A kernel with that base refuses the BTF (EINVAL) when it loads the module. Otherwise it accepts it, and takes
    /// each type for another.
    package let isRefused: Bool

    /// - Parameters:
    ///   - bytes: split BTF, whole.
    ///   - report: what `check` says of it on `base`.
    /// - Returns: nil for BTF that fits, or that is damaged rather than misplaced.
    package init?(_ bytes: ByteView, on base: BTF, report: CheckReport) {
        guard let names = OwnNames(bytes, base) else { return nil }
        self.init(names, report)
    }

    /// The same of split BTF that was read on a base.
    package init?(_ btf: BTF) {
        guard btf.isSplit else { return nil }
        self.init(OwnNames(btf), check(btf, limit: 1))
    }

    private init?(_ names: OwnNames, _ report: CheckReport) {
        // Of the shipped modules of Debian 6.1 and 7.2, those on their own base use 95 of 100 strings or more, on
        // another ABI's at most 33; there, 22 of 100 types or more have faults.
        let usesStrings = names.used * 2 >= names.strings || names.strings < 2
        let isFaulty = report.faultyTypeCount * 16 >= names.types && report.faultyTypeCount > 0
        if let outside = names.outside {
            guard !usesStrings || names.outsideCount * 16 >= names.types else { return nil }
            self.init(
                offset: outside.offset, type: TypeID(outside.type),
                "name offset \(outside.name) lies outside the strings, which end at \(names.end)",
                isRefused: true)
        } else if isFaulty, let fault = report.firstFault {
            self.init(
                offset: fault.offset, type: fault.type, fault.what,
                isRefused: report.refusedAtLoad != nil)
        } else if !usesStrings {
            self.init(
                offset: names.stringsAt, type: nil,
                "only \(names.used) of its \(names.strings) strings are names there",
                isRefused: report.refusedAtLoad != nil)
        } else {
            return nil
        }
    }

    /// The same where the base that the BTF was made on is known.
    ///
    /// - Parameters:
    ///   - btf: split BTF, read on that base.
    ///   - other: the base that it is held against.
    ///   - report: what `check` says of it there.
    /// - Returns: nil where each number means the same on both.
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

    /// What stands for it in reports, beside the kernel's rules.
    package static let rule = "base"

    /// What is said of it everywhere, behind the place in the file.
    /// - Parameter base: the base it was read on.
    package func sentence(_ base: String) -> String {
        "split BTF, which was not made on \(base): \(message)"
    }

    private init(offset: Int, type: TypeID?, _ message: String, isRefused: Bool) {
        self.offset = offset
        self.type = type
        self.message = message
        self.isRefused = isRefused
    }
}

/// What the names of split BTF are on a base.
private struct OwnNames {
    var types = 0
    /// The own strings, and how many of them begin where a name begins.
    var strings = 0
    var used = 0
    /// The first name beyond the strings.
    var outside: (type: UInt32, offset: Int, name: UInt32)?
    var outsideCount = 0
    let stringsAt: Int
    /// One past the last string offset.
    let end: Int

    /// nil for records that cannot be told apart.
    init?(_ bytes: ByteView, _ base: BTF) {
        guard let header = try? Header.parse(bytes), header.bigEndian == base.bigEndian,
            let (words, own) = try? BTF.sections(of: bytes, header), header.typeLength % 4 == 0,
            let starts = try? BTF.indexRecords(
                words, at: header.length + header.typeOffset, stringEnd: Int(UInt32.max) + 1)
        else { return nil }
        self.init(
            header, words, starts, own, stringBase: base.stringBase + base.strings.count,
            firstID: base.typeCount)
    }

    init(_ btf: BTF) {
        self.init(
            btf.header, btf.words, btf.starts, btf.strings, stringBase: btf.stringBase,
            firstID: btf.firstID)
    }

    private init(
        _ header: Header, _ words: [UInt32], _ starts: [UInt32], _ own: [UInt8], stringBase: Int,
        firstID: UInt32
    ) {
        stringsAt = header.length + header.stringOffset
        end = stringBase + own.count
        types = starts.count
        var isUsed = Array(repeating: false, count: own.count)
        for (index, start) in starts.enumerated() {
            forEachName(words, Int(start)) { position in
                let offset = Int(words[position]) - stringBase
                guard offset >= 0 else { return }
                guard offset >= own.count else {
                    isUsed[offset] = true
                    return
                }
                outsideCount += 1
                if outside == nil {
                    outside = (
                        firstID + UInt32(index),
                        header.length + header.typeOffset + position * 4, words[position]
                    )
                }
            }
        }
        for at in own.indices where own[at] != 0 && (at == 0 || own[at - 1] == 0) {
            strings += 1
            if isUsed[at] { used += 1 }
        }
    }
}

extension CheckReport {
    /// That alone, in the place of all that is wrong because of it.
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
