// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import DWARFToBTF
import HostIO

/// The JSON of `--ledger`: what was left out of the BTF or changed, and why.
///
///     {"file":"foo.ko","entries":[{"name":"bar","unit":"foo.c","reason":"no-symbol"}]}
///
/// One such object for one file, an array of them for several. A file that could not be encoded
/// also has an `error`.
enum LedgerFile {
    /// - Throws: if the ledger at `path` would overwrite a file or its BTF.
    static func refuse(_ path: String, over jobs: [Destinations.Job]) throws(Failure) {
        let status = FileStatus(path)
        guard status.isRegular || !status.exists else { return }
        for job in jobs {
            if job.detached == path {
                throw Failure("--ledger \(path): it would overwrite the BTF of \(job.path)")
            }
            if let identity = status.identity, identity == FileStatus(job.path).identity {
                throw Failure("--ledger \(path): it would overwrite \(job.path)")
            }
        }
    }

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
        let error = outcome.failure.map { $0.json + "," } ?? ""
        return "{\"file\":\(jsonString(outcome.path)),\(error)"
            + "\"entries\":[\(entries.joined(separator: ","))]}"
    }
}
