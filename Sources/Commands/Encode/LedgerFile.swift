// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import DWARFToBTF
import HostIO

/// The JSON of `--ledger`: what was left out of the BTF or changed, and why.
///
///     {"file":"foo.ko","schema":1,"entries":[{"name":"bar","unit":"foo.c","reason":"no-symbol"}],"diagnostics":[]}
///
/// One such object for one file, an array of them for several. The object of a file that could not
/// be encoded has an `error`. docs/json.md lists all keys.
enum LedgerFile {
    /// - Parameter reads: other files that the command reads.
    /// - Throws: if the ledger at `path` cannot be written, or would overwrite a file, its BTF, or
    ///   one of `reads`.
    static func refuse(
        _ path: String, over jobs: [Destinations.Job], _ reads: [String]
    ) throws(Failure) {
        do throws(HostError) { try AtomicFile.checkReplaceable(path) } catch {
            throw Failure(error)
        }
        let status = FileStatus(path)
        guard status.isRegular || !status.exists else { return }
        for job in jobs {
            if job.detached == path {
                throw Failure("--ledger \(path): it would overwrite the BTF of \(job.path)")
            }
        }
        guard let identity = status.identity else { return }
        for read in jobs.map(\.path) + reads where FileStatus(read).identity == identity {
            throw Failure("--ledger \(path): it would overwrite \(read)")
        }
    }

    static func write(_ outcomes: [EncodeBatch.Outcome], to path: String) throws(Failure) {
        var json = JSONWriter()
        if outcomes.count == 1 {
            write(outcomes[0], to: &json)
        } else {
            json.array(outcomes, onLines: true) { write($1, to: &$0) }
        }
        do throws(HostError) {
            try AtomicFile.replace(path, with: [ByteView(json.bytes + [10])])
        } catch { throw Failure(error) }
    }

    private static func write(_ outcome: EncodeBatch.Outcome, to json: inout JSONWriter) {
        outcome.write(to: &json) { json in
            json.field("schema", JSONWriter.schema)
            json.array("entries", outcome.value?.entries ?? [], onLines: true) { json, entry in
                json.object { json in
                    json.field("name", entry.name)
                    json.field("unit", entry.unit)
                    json.field("reason", entry.reason.rawValue)
                }
            }
        }
    }
}
