// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension ByteCursor {
    /// Where a list begins that is named by its index (DWARF 5 sections 7.28 and 7.29): a table of
    /// offsets stands at `base`, and they count from there.
    ///
    /// - Parameter base: the unit's `DW_AT_loclists_base` or `DW_AT_rnglists_base`.
    /// - Returns: bytes from the start of the section.
    func listStart(
        _ index: UInt64, base: UInt64, is64Bit: Bool
    ) throws(ByteError) -> Int {
        var cursor = self
        let (scaled, overflow) = index.multipliedReportingOverflow(by: is64Bit ? 8 : 4)
        let (at, overflow2) = scaled.addingReportingOverflow(base)
        guard !overflow, !overflow2 else { throw ByteError.truncated(offset: Int(clamping: index)) }
        try cursor.seek(to: Int(clamping: at))
        let (start, overflow3) = try cursor.readOffset(is64Bit: is64Bit)
            .addingReportingOverflow(base)
        guard !overflow3 else { throw ByteError.truncated(offset: cursor.offset) }
        return Int(clamping: start)
    }
}
