// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

extension ELFEditor {
    /// Assembles the new file, see `ELFEditor` for its layout.
    consuming func layOut() throws(ELFError) -> [ByteView] {
        try checkReferences()
        try dropTrailingHeaders()
        let namesIndex = file.header.namesIndex
        let floating = file.sections.filter { floats($0) }
        let kept = try keptEnd()
        // The sum is inside the file, checked by init.
        for section in floating where section.offset + section.size > kept {
            moved[section.index] = try file.rawData(of: section)
        }

        reuseOldPlaces(below: kept)

        var image = ImageBuilder(start: kept)
        // Allocated ones first: they stay if the same edit is repeated, and K must not rise past
        // others.
        let order = moved.keys.filter { $0 < headers.count }.sorted {
            (headers[$0].isAllocated ? 0 : 1, $0) < (headers[$1].isAllocated ? 0 : 1, $1)
        }
        for index in order {
            guard headers[index].type != ELFSectionType.null, let data = moved[index] else {
                continue
            }
            image.align(to: placement(headers[index].alignment))
            headers[index].offset = image.end
            headers[index].size = UInt64(data.count)
            image.append(data)
        }
        let names = file.sections[namesIndex]
        if let newNames {
            headers[namesIndex].offset = image.end
            headers[namesIndex].size = UInt64(newNames.count)
            image.append(ByteView(newNames))
        } else if names.offset + names.size > kept {  // inside the file, checked by init
            headers[namesIndex].offset = image.end
            image.append(try file.rawData(of: names))
        }
        image.align(to: 8)
        let tableOffset = image.end
        image.append(ByteView(wire.sectionTable(headers, namesIndex: namesIndex)))
        guard image.end <= wire.maximum else { throw file.failure(.tooLarge(image.end)) }

        guard let head = file.bytes.slice(0, wire.fileHeaderSize) else {
            throw file.failure(.badHeader("truncated"))
        }
        var header = head.array
        wire.setSectionTable(
            offset: tableOffset, count: headers.count, namesIndex: namesIndex, in: &header)
        return try patched(to: kept, header: header) + image.pieces
    }

    /// Refuses to leave a section that needs a removed one.
    private func checkReferences() throws(ELFError) {
        for section in file.sections where headers[section.index].type != ELFSectionType.null {
            let infoIsIndex = section.isRelocation || section.flags & ELFSectionFlag.infoLink != 0
            for target in [section.link, infoIsIndex ? section.info : 0] {
                guard target != 0, let index = Int(exactly: target), index < file.sections.count,
                    file.sections[index].type != ELFSectionType.null,
                    headers[index].type == ELFSectionType.null
                else { continue }
                throw file.failure(.inUse("\(section.name) refers to it"), file.sections[index])
            }
        }
    }

    /// Drops removed sections from the end of the table, as long as no symbol needs their index.
    private mutating func dropTrailingHeaders() throws(ELFError) {
        guard headers.last?.type == ELFSectionType.null, headers.count > 1 else { return }
        let used = try sectionsWithSymbols()
        while headers.count > 1, headers[headers.count - 1].type == ELFSectionType.null,
            !used.contains(headers.count - 1)
        {
            headers.removeLast()
        }
    }

    /// Writes new contents over the old ones if these are below K and not smaller, and nothing else
    /// overlaps them; the remainder of the old ones is zeroed.
    private mutating func reuseOldPlaces(below kept: UInt64) {
        for (index, data) in moved where index < min(file.sections.count, headers.count) {
            let old = file.sections[index]
            // The sums are inside the file, checked by init.
            guard headers[index].type != ELFSectionType.null, old.hasData, old.size > 0,
                old.offset + old.size <= kept, UInt64(data.count) <= old.size,
                old.offset >= max(UInt64(wire.fileHeaderSize), file.header.segmentTableEnd),
                !file.segments.contains(where: {
                    $0.fileSize > 0 && $0.offset < old.offset + old.size
                        && old.offset < $0.offset + $0.fileSize
                }),
                !file.sections.contains(where: {
                    $0.index != index && $0.hasData && $0.size > 0
                        && $0.offset < old.offset + old.size && old.offset < $0.offset + $0.size
                })
            else { continue }
            let rest = [UInt8](repeating: 0, count: Int(old.size) - data.count)
            inPlace[index] = rest.isEmpty ? data : ByteView(data.array + rest)
            moved[index] = nil
            headers[index].offset = old.offset
            headers[index].size = UInt64(data.count)
        }
    }

    /// True for BTF sections that are not replaced this time. Like the names, they are placed
    /// behind K again if they are there already, so that changing them in turns leaves no old
    /// versions between them.
    private func floats(_ section: ELFSection) -> Bool {
        section.name.hasPrefix(".BTF") && section.hasData
            && (!section.isAllocated || file.type == ELFType.relocatable)
            && moved[section.index] == nil && inPlace[section.index] == nil
            && section.index != file.header.namesIndex
    }

    /// K: the end of the last byte that does not move.
    private func keptEnd() throws(ELFError) -> UInt64 {
        let size = UInt64(file.bytes.count)
        var end = max(UInt64(wire.fileHeaderSize), file.header.segmentTableEnd)
        for segment in file.segments where segment.fileSize > 0 {
            let (last, overflow) = segment.offset.addingReportingOverflow(segment.fileSize)
            guard !overflow, last <= size else {
                throw file.failure(.outsideFile(offset: segment.offset, size: segment.fileSize))
            }
            end = max(end, last)
        }
        for section in file.sections where section.hasData && section.size > 0 {
            let moves =
                moved[section.index] != nil || section.index == file.header.namesIndex
                || floats(section)
            // The sum is inside the file, checked by init.
            if !moves { end = max(end, section.offset + section.size) }
        }
        guard end <= size else { throw file.failure(.badHeader("the file is truncated")) }
        return end
    }

    /// The file's first `end` bytes with the new ELF header and with sections changed in place.
    private func patched(to end: UInt64, header: [UInt8]) throws(ELFError) -> [ByteView] {
        var patches = [(offset: UInt64(0), data: ByteView(header))]
        for (index, data) in inPlace where data.count > 0 {
            patches.append((file.sections[index].offset, data))
        }
        patches.sort { $0.offset < $1.offset }
        var pieces: [ByteView] = []
        var position: UInt64 = 0
        for (offset, data) in patches {
            guard offset >= position, let gap = slice(position, offset) else {
                throw file.failure(.badHeader("sections overlap"), offset: offset)
            }
            if !gap.isEmpty { pieces.append(gap) }
            pieces.append(data)
            position = offset + UInt64(data.count)  // inside the file, checked by init
        }
        guard position <= end, let rest = slice(position, end) else {
            throw file.failure(.badHeader("sections overlap"), offset: position)
        }
        if !rest.isEmpty { pieces.append(rest) }
        return pieces
    }

    private func slice(_ start: UInt64, _ end: UInt64) -> ByteView? {
        guard start <= end, let from = Int(exactly: start), let length = Int(exactly: end - start)
        else {
            return nil
        }
        return file.bytes.slice(from, length)
    }

    /// Alignment in the file: at least 8, so that readers may use the mapped data directly, or what
    /// the section requires. Implausible alignments are ignored.
    private func placement(_ alignment: UInt64) -> UInt64 {
        alignment > 8 && alignment <= 1 << 16 && alignment.nonzeroBitCount == 1 ? alignment : 8
    }
}

/// Consecutive pieces, and the offset in the file where they end.
private struct ImageBuilder {
    private(set) var pieces: [ByteView] = []
    private(set) var end: UInt64

    init(start: UInt64) { end = start }

    mutating func append(_ view: ByteView) {
        if !view.isEmpty { pieces.append(view) }
        end += UInt64(view.count)  // sums of sizes in memory stay far below 64 bits
    }

    mutating func align(to alignment: UInt64) {
        let padding = (alignment - end % alignment) % alignment
        append(ByteView([UInt8](repeating: 0, count: Int(padding))))
    }
}
