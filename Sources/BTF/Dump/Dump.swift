// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The output format of a dump.
package enum DumpFormat: String, CaseIterable, Sendable {
    /// One line per type and element, like `bpftool btf dump file F`.
    case raw
    /// C declarations, like `bpftool btf dump file F format c`.
    case c
    /// One line of JSON, like `bpftool -j btf dump file F`.
    case json
}

/// The limit for a dump: in a hostile file, names and padding may take little space and print
/// endlessly. vmlinux takes 2 to 13 MB.
let maxDumpBytes = 1 << 30

/// Appends a dump of `btf` to `out`.
///
/// - Parameters:
///   - format: raw and json list the own types of split BTF by id; for C see `COptions`.
///   - selected: only these types (possibly base types); C adds the types they need. nil: all.
///   - options: for C only.
/// - Throws: `BTFError` for a selected id that does not exist, for a dump longer than a gigabyte,
///   and if C cannot express a type: dangling references, types that contain themselves, or nesting
///   beyond compilers' limits. `out` then contains part of the dump.
package func dump(
    _ btf: BTF, format: DumpFormat, selecting selected: [TypeID]? = nil,
    c options: COptions = COptions(), into out: inout [UInt8]
) throws(BTFError) {
    let types = TypeTable(btf)
    if let missing = selected?.first(where: { !types.exists($0.rawValue) }) {
        throw BTFError(offset: 0, "no type \(missing); ids end at \(types.typeCount - 1)")
    }
    let ids = selected.map { $0.map(\.rawValue) }
    let limit = out.count + maxDumpBytes
    switch format {
    case .raw:
        let dumper = RawDumper(types: types, limit: limit)
        for id in ids ?? Array(types.ownIDs) {
            dumper.dump(id, into: &out)
            try checkLength(out, limit)
        }
    case .json:
        let dumper = JSONDumper(types: types, limit: limit)
        out.put("{\"types\":[")
        for (index, id) in (ids ?? Array(types.ownIDs)).enumerated() {
            if index > 0 { out.append(44) }
            dumper.dump(id, into: &out)
            try checkLength(out, limit)
        }
        out.put("]}\n")
    case .c:
        try dumpC(types, selecting: ids, options, into: &out)
    }
}

private func checkLength(_ out: [UInt8], _ limit: Int) throws(BTFError) {
    guard out.count <= limit else {
        throw BTFError(offset: 0, "the dump is longer than \(maxDumpBytes) bytes")
    }
}

extension BTF {
    /// Types of any kind with this name, the base's first.
    package func ids(named name: String) -> [TypeID] {
        let wanted = name.systemBytes
        guard !wanted.isEmpty else { return [] }
        let types = TypeTable(self)
        return (1..<max(types.typeCount, 1)).lazy
            .filter { types.string(at: types.nameOffset($0)).elementsEqual(wanted) }
            .map { TypeID($0) }
    }
}
