// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension BTF {
    /// Separates what only inline sites need: LOC_PARAM, LOC_PROTO, LOCSEC, functions that exist
    /// only inlined, and their prototypes. Types of other kinds stay, whatever needs them.
    ///
    /// Both parts keep the order of types; the sites of a LOCSEC are sorted by function and offset.
    /// Names of the main part are not repeated in the other one. Corresponds to what the kernel's
    /// resolve_btfids does with `--inline` (kernel-patches/bpf).
    ///
    /// - Parameter keeps: whether a function that inline sites name stays in the main part: its
    ///   name, and whether it is the first one with that name.
    /// - Returns: the main part, and the other one, which continues it; nil without inline sites.
    /// - Throws: `BTFError` if a type refers to one that does not exist.
    package func separatingSites(
        keeping keeps: (_ function: ArraySlice<UInt8>, _ isFirst: Bool) -> Bool
    ) throws(BTFError) -> (main: BTF, inline: BTF)? {
        guard hasKinds(of: .inlineSites) else { return nil }
        try checkReferences()
        let isInline = colours(keeping: keeps).map { $0 == .sites }
        var ids = [UInt32](repeating: 0, count: starts.count)
        var next = firstID
        for part in [false, true] {
            for index in isInline.indices where isInline[index] == part {
                ids[index] = next
                next += 1
            }
        }
        var main = PartWriter(self, ids)
        var inline = PartWriter(self, ids)
        for index in isInline.indices where !isInline[index] { main.add(index, knowing: [:]) }
        let strings = StringSection(main.names, leadingEmpty: base == nil)
        var known: [ArraySlice<UInt8>: UInt32] = [:]
        for (name, offset) in zip(main.names, strings.offsets) {
            known[name] = UInt32(truncatingIfNeeded: stringBase + offset)
        }
        for index in isInline.indices where isInline[index] { inline.add(index, knowing: known) }
        let mainBTF = try BTF.parse(
            ByteView(
                main.bytes(strings, at: stringBase, withLayout: header.layoutLength > 0)),
            base: base)
        let inlineBTF = try BTF.parse(
            ByteView(
                inline.bytes(
                    StringSection(inline.names, leadingEmpty: false),
                    at: mainBTF.stringBase + mainBTF.strings.count, withLayout: false)),
            base: mainBTF)
        return (mainBTF, inlineBTF)
    }

    private struct Colour: OptionSet {
        let rawValue: UInt8
        static let main = Colour(rawValue: 1)
        static let sites = Colour(rawValue: 2)
    }

    /// What each own type is needed by.
    private func colours(
        keeping keeps: (ArraySlice<UInt8>, Bool) -> Bool
    ) -> [Colour] {
        var colours = [Colour](repeating: [], count: starts.count)
        var pending: [UInt32] = []
        func mark(_ index: Int, _ colour: Colour) {
            guard !colours[index].contains(colour) else { return }
            colours[index].insert(colour)
            pending.append(UInt32(truncatingIfNeeded: index))
            while let next = pending.popLast() {
                forEachReference(words, Int(starts[Int(next)])) { position in
                    guard words[position] >= firstID else { return }
                    let target = words[position] - firstID
                    guard !colours[Int(target)].contains(colour) else { return }
                    colours[Int(target)].insert(colour)
                    pending.append(target)
                }
            }
        }
        let kinds = starts.map { TypeInfo(rawValue: words[Int($0) + 1]).kind }
        for index in kinds.indices where kinds[index]?.row.needs == .inlineSites {
            mark(index, .sites)
        }
        var seen: Set<ArraySlice<UInt8>> = []
        for index in kinds.indices {
            var stays = colours[index] != .sites
            if kinds[index] == .func {
                let name = stringBytes(at: words[Int(starts[index])])
                let isFirst = seen.insert(name).inserted
                if !stays { stays = keeps(name, isFirst) }
            } else if kinds[index] != .funcProto, kinds[index]?.row.needs != .inlineSites {
                stays = true
            }
            if stays { mark(index, .main) }
        }
        return colours
    }
}
