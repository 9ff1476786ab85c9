// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Report

extension SizeReport {
    /// The fields of a report.
    func write(
        to json: inout JSONWriter, limit: Int, _ outcomes: [FileOutcome<SizedFile?>],
        withUnits: Bool
    ) {
        json.field("bytes", total)
        json.array("kinds", kinds) { json, kind in
            json.object { json in
                json.field("kind", kind.word)
                json.write(kind.use)
            }
        }
        json.write(common, others)
        json.array("types", largestTypes(limit), onLines: true) { json, type in
            json.object { json in
                json.field("kind", type.name.kind)
                json.field("name", type.name.name)
                json.field("files", type.total.files)
                json.write(type.total.sum)
            }
        }
        json.field("names", types.count)
        json.array("files", outcomes, onLines: true) { json, outcome in
            outcome.write(to: &json) { json in
                outcome.value?.write(to: &json, withUnits: withUnits)
            }
        }
    }
}

extension SizedFile {
    fileprivate func write(to json: inout JSONWriter, withUnits: Bool) {
        json.field("name", name)
        json.field("bytes", total)
        json.array("kinds", account.kinds) { json, kind in
            json.object { json in
                json.field("kind", kind.word)
                json.write(kind.use)
            }
        }
        json.write(account.common, others)
        json.array("reasons", reasons) { json, reason in
            json.object { json in
                json.write(reason.type, reason.bytes)
                json.field("chain", reason.chain?.steps)
            }
        }
        json.object("also_in_base") { json in
            json.field("types", repeatedSum.types)
            json.field("bytes", repeatedSum.bytes.total)
            json.array("largest", repeats) { json, type in
                json.object { json in
                    json.write(type.type, type.bytes)
                    json.field("way", type.difference?.steps)
                    json.field("difference", type.difference?.text)
                }
            }
        }
        guard withUnits else { return }
        json.array("units", units) { json, unit in
            json.object { json in
                json.field("unit", unit.name)
                json.field("types", unit.sum.types)
                json.field("bytes", unit.sum.bytes.total)
            }
        }
    }
}

extension SizeDrift {
    /// The fields of a report.
    func write(
        to json: inout JSONWriter, limit: Int, _ outcomes: [FileOutcome<SizedFile?>]
    ) {
        json.field("before", old)
        json.field("after", new)
        for (key, changes) in [
            ("kinds", kinds), ("common", common), ("files", Array(files.prefix(limit))),
            ("types", Array(types.prefix(limit))),
        ] {
            json.array(key, changes, onLines: true) { json, change in
                json.object { json in
                    json.field("name", change.name)
                    json.field("before", change.old)
                    json.field("after", change.new)
                    json.field("state", change.state.rawValue)
                }
            }
        }
        json.field("changed_files", files.count)
        json.field("changed_types", types.count)
        json.array("read", outcomes, onLines: true) { json, outcome in
            outcome.write(to: &json) { _ in }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ use: SizeSum) {
        field("types", use.types)
        field("bytes", use.bytes.total)
        field("records", use.bytes.heads)
        field("elements", use.bytes.elements)
        field("strings", use.bytes.strings)
    }

    fileprivate mutating func write(_ type: TypeName, _ bytes: Int) {
        field("kind", type.kind)
        field("name", type.isMany ? nil : type.name)
        field("bytes", bytes)
    }

    /// Bytes that belong to no type.
    fileprivate mutating func write(_ common: CommonUse, _ others: [(name: String, bytes: Int)]) {
        object("common") { json in
            for part in common.parts { json.field(part.key, part.bytes) }
        }
        object("sections") { json in
            for other in others { json.field(other.name, other.bytes) }
        }
    }
}
