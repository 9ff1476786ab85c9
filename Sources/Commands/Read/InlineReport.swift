// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console

/// What a module's `.BTF.inline` holds, read on the module's own BTF.
struct InlineReport: Sendable, JSONValue {
    let bytes: Int
    /// Own types; nil if they cannot be read.
    private(set) var types: Int?
    /// Places where functions are inlined.
    private(set) var sites = 0
    /// The first thing that is wrong, with its offset: `+0x18: ...`.
    private(set) var fault: String?

    init(_ section: ByteView, on btf: BTF) {
        bytes = section.count
        do throws(BTFError) {
            let inline = try BTF.parse(section, base: btf, isForReading: true)
            types = inline.ownIDs.count
            for record in inline.ownRecords where record.kind == .locsec { sites += record.count }
            fault = check(inline).firstError.map { "\($0)" }
        } catch { fault = "\(error)" }
    }

    /// `5 types, 3 inline sites`
    var text: String? {
        types.map { "\($0) types, \(sites) inline sites, \(bytes) bytes" }
    }

    /// A kernel loads the module without it.
    func warning(_ path: String) -> Talk.Message? {
        fault.map {
            .warning(
                "\(path): \(NewBTF.inlineName)\($0) (kernels load the module without this section)",
                hint: nil)
        }
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("types", types)
            json.field("sites", sites)
            json.field("bytes", bytes)
            json.field("fault", fault)
        }
    }
}
