// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console
import DWARFToBTF
import KernelTree

extension EncodeFile {
    /// Moves what only inline sites need out of the BTF.
    ///
    /// - Returns: the contents of `.BTF.inline`, which continue the BTF; nil without sites.
    func separateSites(
        _ encoded: inout Encoded, _ whole: BTF?, _ plan: Plan
    ) throws(Failure) -> [UInt8]? {
        let functions = encoded.functions
        do throws(BTFError) {
            let base = try encoded.base.map { bytes throws(BTFError) in
                try BTF.parse(ByteView(bytes))
            }
            var btf = try BTF.parse(ByteView(encoded.bytes), base: base ?? whole)
            // Both parts get the order in which a named target looks types up.
            if let target = plan.target, target.isNamed, target.rules.has(.sortedNames) {
                btf = try btf.sortedByName()
            }
            // What the function selection left out stays out.
            let parts = try btf.separatingSites { name, isFirst in
                isFirst && functions.contains(Array(name))
            }
            guard let parts else { return nil }
            encoded.bytes = parts.main.serialized()
            encoded.typeCount = parts.main.ownIDs.count
            return parts.inline.serialized()
        } catch { throw Failure("\(job.path): .BTF\(error)") }
    }
}

extension EncodeOptions {
    /// Inline sites go to a section of their own.
    var separatesSites: Bool { features.contains(.inlineSites) && !joinsSites }
}
