// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import DWARFToBTF
import HostIO

/// The JSON of `--ledger`: what was left out of the BTF or changed, and why.
///
///     {"file":"foo.ko","entries":[{"name":"bar","unit":"foo.c","reason":"no-symbol"}]}
///
/// One such object for one file, an array of them for several. A file that could not be encoded has an
/// `error` as well.
enum LedgerFile {
    static func write(_ outcomes: [EncodeBatch.Outcome], to path: String) throws(Failure) {
        let objects = outcomes.map(object)
        let text = objects.count == 1 ? objects[0] + "\n" : jsonArray(objects)
        do throws(HostError) {
            try AtomicFile.replace(path, with: [ByteView(Array(text.utf8))])
        } catch { throw Failure(error) }
    }

    private static func object(_ outcome: EncodeBatch.Outcome) -> String {
        let entries = (outcome.ledger?.entries ?? []).map {
            "\n{\"name\":\(jsonString($0.name)),\"unit\":\(jsonString($0.unit)),"
                + "\"reason\":\(jsonString($0.reason.rawValue))}"
        }
        let error = outcome.failure.map { "\"error\":\(jsonString($0.message))," } ?? ""
        return "{\"file\":\(jsonString(outcome.path)),\(error)"
            + "\"entries\":[\(entries.joined(separator: ","))]}"
    }
}
