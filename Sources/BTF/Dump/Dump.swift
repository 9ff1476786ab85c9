// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// How a BTF is written out.
package enum DumpFormat: String, CaseIterable, Sendable {
    /// One line per type and element, as `bpftool btf dump file F`.
    case raw
    /// C declarations, as `bpftool btf dump file F format c`.
    case c
    /// One line of JSON, as `bpftool -j btf dump file F`.
    case json
}

/// Appends a dump of `btf` to `out`.
///
/// - Parameters:
///   - format: raw and json list the own types of split BTF by id; C declares the own types together
///     with all that they need.
///   - selected: only these types (base types may be among them); C adds what they need. nil: all.
///   - options: for C only.
/// - Throws: `BTFError` when C is asked of types that no C can express: cycles that are not broken by
///   a pointer, or nesting beyond any compiler's limits.
package func dump(
    _ btf: BTF, format: DumpFormat, selecting selected: [TypeID]? = nil,
    c options: COptions = COptions(), into out: inout [UInt8]
) throws(BTFError) {
    let types = TypeTable(btf)
    if let missing = selected?.first(where: { !types.exists($0.rawValue) }) {
        throw BTFError(offset: 0, "there is no type \(missing); ids end at \(types.typeCount - 1)")
    }
    switch format {
    case .raw:
        let dumper = RawDumper(types: types)
        for id in selected?.map(\.rawValue) ?? Array(types.ownIDs) { dumper.dump(id, into: &out) }
    case .json:
        let dumper = JSONDumper(types: types)
        dumper.dump(selected?.map(\.rawValue) ?? Array(types.ownIDs), into: &out)
    case .c:
        try dumpC(types, selecting: selected?.map(\.rawValue), options, into: &out)
    }
}

extension BTF {
    /// Types of any kind with this name, those of the base first.
    package func ids(named name: String) -> [TypeID] {
        let wanted = Array(name.utf8)
        guard !wanted.isEmpty else { return [] }
        let types = TypeTable(self)
        return (1..<max(types.typeCount, 1)).lazy
            .filter { types.string(at: types.nameOffset($0)).elementsEqual(wanted) }
            .map { TypeID($0) }
    }
}
