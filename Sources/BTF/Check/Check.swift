// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Checks a blob: header, sections and strings, then its own types.
///
/// - Parameters:
///   - base: the BTF that the blob continues; assumed to be sound.
///   - filePointerSize: see `BTF.parse`.
///   - limit: how many findings are listed; all are counted.
/// - Returns: a report; a blob that cannot be read at all has one finding, with rule `H`.
package func check(
    _ bytes: ByteView, base: BTF? = nil, filePointerSize: UInt32? = nil,
    profile: CheckProfile = .structure, limit: Int = 1000
) -> CheckReport {
    CheckedBTF(
        bytes, base: base, filePointerSize: filePointerSize, profile: profile, limit: limit
    ).report
}

/// A blob that was checked.
package struct CheckedBTF: Sendable {
    package private(set) var report: CheckReport
    /// As it was read for that; nil if it cannot be read.
    package private(set) var btf: BTF?

    /// Checks a blob as `check` does.
    package init(
        _ bytes: ByteView, base: BTF? = nil, filePointerSize: UInt32? = nil,
        profile: CheckProfile = .structure, limit: Int = 1000
    ) {
        self.init(
            bytes, base: base, filePointerSize: filePointerSize, profile: profile,
            mayBeEmpty: false, limit: limit)
    }

    /// - Parameter mayBeEmpty: having no types is not a fault.
    init(
        _ bytes: ByteView, base: BTF?, filePointerSize: UInt32?,
        profile: CheckProfile = .structure, mayBeEmpty: Bool, limit: Int
    ) {
        report = CheckReport(limit: limit)
        do throws(BTFError) {
            let btf = try BTF.parse(
                bytes, base: base, filePointerSize: filePointerSize, isForReading: true)
            self.btf = btf
            report.typeCount = btf.starts.count
            checkSections(btf.header, dataLength: bytes.count, isSplit: base != nil, &report)
            checkLayout(of: btf, in: bytes, &report)
            if mayBeEmpty, btf.ownIDs.isEmpty { return }
            var checker = TypeChecker(btf, report, profile)
            checker.run()
            report = checker.report
        } catch {
            report.add(.error, "H", offset: error.offset, error.message)
        }
    }
}

/// Checks the own types of BTF that was already read.
package func check(
    _ btf: BTF, profile: CheckProfile = .structure, limit: Int = 1000
) -> CheckReport {
    var checker = TypeChecker(btf, CheckReport(limit: limit), profile)
    checker.run()
    return checker.report
}

/// The layout of the sections. Parsing only required them to be inside and not to overlap.
private func checkSections(
    _ header: Header, dataLength: Int, isSplit: Bool, _ report: inout CheckReport
) {
    var sections = [
        (start: header.typeOffset, length: header.typeLength, at: 8),
        (start: header.stringOffset, length: header.stringLength, at: 16),
    ]
    if header.layoutLength != 0 {
        sections.append((start: header.layoutOffset, length: header.layoutLength, at: 24))
    }
    sections.sort { ($0.start, $0.length) < ($1.start, $1.length) }
    var end = 0
    for section in sections {
        if section.start > end {
            report.add(
                .error, "S2", offset: section.at,
                "Unsupported section found: \(section.start - end) bytes before offset \(section.start)"
            )
        }
        end = section.start + section.length
    }
    if header.length + end < dataLength {
        report.add(
            .error, "S5", offset: header.length + end,
            "Unsupported section found: \(dataLength - header.length - end) bytes after the last one"
        )
    }
    if header.length < Header.longLength, header.stringOffset + header.stringLength != end {
        report.add(.error, "T1", offset: 16, "String section is not at the end")
    }
    if header.stringLength == 0, !isSplit {
        report.add(.error, "T3", offset: 20, "Invalid string section: empty")
    }
    if header.stringLength > 0x100_0000 {
        report.add(
            .error, "T3", offset: 20, "Invalid string section: \(header.stringLength) bytes")
    }
}
