// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

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

/// Writes a dump of `btf`.
///
/// - Parameters:
///   - format: raw and json list the own types of split BTF by id; for C see `COptions`.
///   - selected: only these types (possibly base types, or void); C adds the types they need.
///     nil: all.
///   - options: for C only.
///   - write: takes a piece of the text, in order; false wants no more.
/// - Throws: `BTFError` for a selected id that does not exist, for a dump longer than a gigabyte,
///   and if C cannot express a type: dangling references, types that contain themselves, or nesting
///   beyond compilers' limits. Of C nothing is written then, of the others a part if they are too
///   long.
package func dump(
    _ btf: BTF, format: DumpFormat, selecting selected: [TypeID]? = nil,
    c options: COptions = COptions(), write: @escaping (borrowing TextBuffer) -> Bool
) throws(BTFError) {
    let types = TypeTable(btf)
    if let missing = selected?.first(where: { $0 != .void && !types.exists($0.rawValue) }) {
        throw BTFError(offset: 0, "no type \(missing); ids end at \(types.typeCount - 1)")
    }
    var out = DumpOutput(limit: maxDumpBytes, write: write)
    switch format {
    case .raw:
        let dumper = RawDumper(types: types)
        if let selected {
            for id in selected where out.next() { dumper.dump(id.rawValue, to: &out) }
        } else {
            for id in types.ownIDs where out.next() { dumper.dump(id, to: &out) }
        }
    case .json:
        let dumper = JSONDumper(types: types)
        out.text.put("{\"types\":[")
        for index in 0..<(selected?.count ?? types.ownIDs.count) where out.next() {
            if index > 0 { out.text.put(byte: 44) }
            dumper.dump(selected?[index].rawValue ?? types.firstID + UInt32(index), to: &out)
        }
        out.text.put("]}\n")
    case .c:
        _ = write(try dumpC(types, selecting: selected?.map(\.rawValue), options))
        return
    }
    out.pass()
    try out.checkLength()
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
