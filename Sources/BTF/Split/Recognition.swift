// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Whether BTF of which only the bytes are known is standalone, and the evidence. Nothing in BTF
/// says so: split BTF is recognised by references that lead outside it.
package struct Recognition: Sendable {
    /// Else it is split BTF, which continues another.
    package let isStandalone: Bool
    /// Everything agrees.
    package let isSure: Bool
    /// What was looked at, and how it came out.
    package let signs: [String]
    /// What `BTF.parse` makes of the bytes, if they are standalone and nothing leads outside.
    package let btf: BTF?

    /// - Parameters:
    ///   - bytes: a whole BTF whose header is sound.
    ///   - isModules: kernels read it as split BTF if it has no types.
    package init(_ bytes: ByteView, header: Header, isModules: Bool = true) {
        let whole = Self.readAlone(bytes, header)
        let facts = whole.map { Facts(of: $0) } ?? Facts(bytes, header)
        let leadsOut = facts.outsideName != nil || facts.outsideType != nil
        let isEmpty = facts.typeCount == 0 && !facts.isDamaged
        isStandalone = facts.startsWithEmpty && !leadsOut && !(isEmpty && isModules)
        if isStandalone {
            let fault =
                facts.isDamaged
                ? nil : whole.map { $0.misfitOfReferences } ?? BTF.misfit(of: bytes, on: nil)
            isSure = !facts.isDamaged && !isEmpty && fault == nil
            signs = facts.signs + (fault.map { [$0.message] } ?? [])
            // With a layout, parsing keeps what it refuses otherwise.
            btf = whole.flatMap { $0.layout == nil ? $0 : nil }
        } else {
            // Kernels also accept split BTF with an empty string of its own.
            isSure = leadsOut && !facts.startsWithEmpty
            signs = facts.signs
            btf = nil
        }
    }
}

extension Recognition {
    /// The BTF if nothing in it leads outside.
    private static func readAlone(_ bytes: ByteView, _ header: Header) -> BTF? {
        guard Facts.strings(of: bytes, header).startsWithEmpty,
            let btf = try? BTF.parse(bytes, isForReading: true),
            (try? btf.checkReferences(skippingUnknown: true)) != nil
        else { return nil }
        return btf
    }

    /// Whether BTF cannot be standalone: its strings do not begin with the empty one, or more
    /// records refer to what it does not have than damage explains.
    ///
    /// - Parameter bytes: a whole BTF whose header is sound.
    package static func mustBeSplit(_ bytes: ByteView, header: Header) -> Bool {
        guard Facts.strings(of: bytes, header).startsWithEmpty else { return true }
        // A vmlinux has a hundred thousand records; these are enough.
        let facts = Facts(bytes, header, atMost: 4096)
        let count = min(facts.typeCount, 4096)
        return facts.leadingOut * 16 >= count && facts.leadingOut >= min(count, 2) && count > 0
    }
}

/// What the records say of what lies outside of them.
private struct Facts {
    let startsWithEmpty: Bool
    let stringLength: Int
    var typeCount = 0
    /// The first name that lies outside of the strings.
    var outsideName: UInt32?
    /// The first reference to a type that is not among its own.
    var outsideType: (from: Int, to: UInt32)?
    /// Records with such a name or reference.
    var leadingOut = 0
    /// Some record is cut short or of an unknown kind.
    var isDamaged = false

    /// - Parameter limit: how many records to look into.
    init(_ bytes: ByteView, _ header: Header, atMost limit: Int = .max) {
        let strings = Self.strings(of: bytes, header)
        stringLength = strings.count
        startsWithEmpty = strings.startsWithEmpty
        guard let records = RecordCount(bytes, header, first: limit),
            let words = bytes.words(
                at: header.length + header.typeOffset, count: records.firstWords,
                bigEndian: header.bigEndian)
        else {
            isDamaged = true
            return
        }
        typeCount = records.count
        isDamaged = records.isDamaged
        read(words, strings, LayoutTable(bytes, header))
    }

    /// - Parameter btf: nothing in it leads outside.
    init(of btf: BTF) {
        startsWithEmpty = true
        stringLength = btf.strings.count
        typeCount = btf.starts.count
    }

    static func strings(of bytes: ByteView, _ header: Header) -> ByteView {
        bytes.slice(header.length + header.stringOffset, header.stringLength) ?? .empty
    }

    /// - Parameter words: whole records.
    private mutating func read(
        _ words: [UInt32], _ strings: ByteView, _ layout: LayoutTable?
    ) {
        var walk = RecordWalk(words, layout: layout)
        var index = 0
        while let start = (try? walk.next())?.start {
            defer { index += 1 }
            var leadsOut = false
            forEachName(words, start) { position in
                let offset = words[position]
                guard offset != 0, offset >= strings.count else { return }
                leadsOut = true
                if outsideName == nil { outsideName = offset }
            }
            forEachReference(words, start) { position in
                guard words[position] > typeCount else { return }
                leadsOut = true
                if outsideType == nil { outsideType = (index + 1, words[position]) }
            }
            if leadsOut { leadingOut += 1 }
        }
    }

    var signs: [String] {
        var signs = [
            startsWithEmpty
                ? "its strings begin with the empty one"
                : "its strings do not begin with the empty one, which is the base's"
        ]
        if isDamaged { signs.append("its types are damaged after \(typeCount) of them") }
        if let outsideName {
            signs.append(
                "name offset \(outsideName) lies outside its \(stringLength) bytes of strings")
        } else {
            signs.append("all names are its own")
        }
        if let outsideType {
            signs.append(
                "its type \(outsideType.from) refers to type \(outsideType.to), it has \(typeCount)"
            )
        } else {
            signs.append("all types are its own")
        }
        if typeCount == 0, !isDamaged { signs.append("it has no types") }
        return signs
    }
}

extension ByteView {
    /// Of strings: the first one is empty.
    fileprivate var startsWithEmpty: Bool { !isEmpty && self[0] == 0 }
}
