// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension SizeReport {
    /// The sizes as parts of parts: files if there are several, kinds, types.
    package var map: [MapNode] {
        guard files.count != 1 else { return files[0].map(of: total) }
        return files.map { file in
            MapNode(
                file.name, detail: detail(file.total, total), size: file.total, style: "file",
                file.map(of: total))
        }
    }
}

extension SizedFile {
    fileprivate func map(of whole: Int) -> [MapNode] {
        var byKind: [String: [(name: TypeName, sum: SizeSum)]] = [:]
        for (name, sum) in types { byKind[name.kind, default: []].append((name, sum)) }
        let kinds = account.kinds.map { kind in
            let types = (byKind[kind.word] ?? []).sorted { $0.name < $1.name }
            return MapNode(
                kind.word,
                detail: "\(ReportTable.Cell.number(kind.use.types).grouped) types, "
                    + detail(kind.use.bytes.total, whole), size: kind.use.bytes.total,
                style: MapStyle(kind: kind.word).rawValue,
                types.map { type in
                    MapNode(
                        type.name.name.isEmpty ? "without a name" : type.name.name,
                        detail: "\(type.name.title): " + detail(type.sum.bytes.total, whole),
                        size: type.sum.bytes.total, style: MapStyle(kind: kind.word).rawValue)
                })
        }
        let parts =
            account.common.parts.map { ($0.name, $0.bytes) } + others.map { ($0.name, $0.bytes) }
        return kinds
            + parts.map { name, bytes in
                MapNode(
                    name, detail: detail(bytes, whole), size: bytes,
                    style: MapStyle.common.rawValue)
            }
    }
}

extension SizeDrift {
    /// The changes by what they are: the larger a rectangle, the larger the change.
    package var map: [MapNode] {
        [State.new, .grown, .shrunk, .gone].map { state in
            let changes = (files.count > 1 ? files : types).filter { $0.state == state }
            let sum = changes.reduce(0) { $0 + $1.delta }
            return MapNode(
                state.rawValue, detail: change(sum), size: Int(sum.magnitude),
                style: state.rawValue,
                changes.map {
                    MapNode(
                        $0.name, detail: "\(state.rawValue), \(change($0.delta))",
                        size: Int($0.delta.magnitude), style: state.rawValue)
                })
        }
    }
}

/// The colours of a map, each with a name for the legend.
enum MapStyle: String, CaseIterable {
    case file
    case composite, enumeration, function, reference, data, other, common
    case new, grown, shrunk, gone

    init(kind: String) {
        self =
            switch kind {
            case "STRUCT", "UNION": .composite
            case "ENUM", "ENUM64": .enumeration
            case "FUNC", "FUNC_PROTO": .function
            case "PTR", "ARRAY", "TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "FWD", "TYPE_TAG":
                .reference
            case "VAR", "DATASEC": .data
            default: .other
            }
    }

    var name: String {
        switch self {
        case .file: "file"
        case .composite: "structs and unions"
        case .enumeration: "enums"
        case .function: "functions and prototypes"
        case .reference: "pointers, arrays, typedefs, qualifiers"
        case .data: "variables and sections"
        case .other: "other kinds"
        case .common: "bytes of no type"
        case .new, .grown, .shrunk, .gone: rawValue
        }
    }

    /// Hue, and saturation in percent.
    var colour: (hue: Int, saturation: Int) {
        switch self {
        case .file: (0, 0)
        case .composite: (210, 60)
        case .enumeration: (40, 70)
        case .function: (140, 40)
        case .reference: (275, 40)
        case .data: (20, 60)
        case .other: (180, 30)
        case .common: (220, 8)
        case .new: (20, 75)
        case .grown: (40, 75)
        case .shrunk: (200, 60)
        case .gone: (240, 50)
        }
    }
}

private func detail(_ bytes: Int, _ whole: Int) -> String {
    "\(ReportTable.Cell.number(bytes).grouped) bytes, \(ReportTable.Cell.share(bytes, of: whole).plain)"
}

private func change(_ bytes: Int) -> String { "\(ReportTable.Cell.change(bytes).grouped) bytes" }
