// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// Checks the layout section of BTF, if any: its position by the kernel's rules, and its
/// description of known kinds.
func checkLayout(of btf: BTF, in bytes: ByteView, _ report: inout CheckReport) {
    let header = btf.header
    guard header.layoutLength != 0 else { return }
    if header.layoutOffset % 4 != 0 {
        report.add(.error, "L", offset: 24, "Unaligned layout_off: \(header.layoutOffset)")
    }
    if header.layoutLength < KindLayout.byteCount {
        report.add(
            .error, "L", offset: 28, "Layout section is too small: \(header.layoutLength) bytes")
    }
    if header.layoutLength % KindLayout.byteCount != 0 {
        report.add(
            .error, "L", offset: 28, "layout_len is not multiple of 4: \(header.layoutLength)")
    }
    if btf.isSplit {
        report.add(
            .warning, "L", offset: 24, "split BTF has a layout section: readers use its base's")
    }
    let start = header.length + header.layoutOffset
    // The header's sections are inside the data, or parsing would have failed.
    guard let section = bytes.slice(start, header.layoutLength) else { return }
    let entries = KindLayout.parse(section, bigEndian: header.bigEndian)
    for (number, entry) in entries.enumerated() {
        let at = start + number * KindLayout.byteCount
        if entry.flags != 0 {
            report.add(
                .warning, "L", offset: at + 2, "kind \(number): unknown flags \(entry.flags)")
        }
        guard number < KindLayout.allKinds.count else { continue }
        let known = KindLayout.allKinds[number]
        if entry.fixedBytes != known.fixedBytes || entry.elementBytes != known.elementBytes {
            report.add(
                .error, "L", offset: at,
                "kind \(number): layout says \(entry.fixedBytes) bytes and \(entry.elementBytes) an element, expected \(known.fixedBytes) and \(known.elementBytes)"
            )
        }
    }
    for kind in Kind.allCases where Int(kind.rawValue) >= entries.count {
        guard
            btf.starts.contains(where: { TypeInfo(rawValue: btf.words[Int($0) + 1]).kind == kind })
        else { continue }
        report.add(.error, "L", offset: 28, "\(kind.word): no layout for a kind that occurs")
    }
}
