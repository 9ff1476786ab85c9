// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// Checks the BTF of a `.BTF.base`: like any standalone BTF, and for what a kernel needs to find
/// each of its types in its own BTF. It is empty for a module that needs no type.
///
/// - Parameter filePointerSize: see `BTF.parse`.
package func checkDistilledBase(
    _ bytes: ByteView, filePointerSize: UInt32? = nil, limit: Int = 1000
) -> CheckReport {
    let checked = CheckedBTF(
        bytes, base: nil, filePointerSize: filePointerSize, mayBeEmpty: true, limit: limit)
    var report = checked.report
    guard let btf = checked.btf else { return report }
    let typesAt = btf.header.length + btf.header.typeOffset
    for (index, record) in btf.ownRecords.enumerated() {
        let offset = typesAt + Int(btf.starts[index]) * 4
        let subject = "\(record.info.kindWord) \(record.name.isEmpty ? "(anon)" : record.name): "
        if !record.kind.isInDistilledBase {
            report.add(
                .error, "D1", type: record.id, offset: offset,
                subject + "unexpected kind in distilled base BTF")
        } else if record.name.isEmpty {
            report.add(
                .error, "D2", type: record.id, offset: offset,
                subject + "invalid for distilled base BTF; it is anonymous")
        }
    }
    return report
}
