// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Console

extension Dump {
    /// `kbtf dump --layout`
    func printLayouts(_ surroundings: Surroundings) throws {
        try surroundings.output.reporting(isJSON) {
            try refuseForeignWords()
            let (file, names) = inputs
            let files = try Reading(base, surroundings).types(
                ofFiles: [(file, nil)] + (beside.map { [($0, nil)] } ?? []),
                talkOptions.talk(surroundings))
            var layouts = StructLayouts(files[0])
            let ids = try names.isEmpty ? layouts.own : composites(names, files[0], layouts, file)
            guard let beside else {
                let all = try ids.map { try layout(of: $0, &layouts, file) }
                return try show(all, "layouts", surroundings) {
                    $0.text(cacheLine: UInt64(cacheLine ?? 64))
                } json: {
                    $0.write(to: &$1)
                }
            }
            var others = StructLayouts(files[1])
            let pairs = try ids.compactMap { id -> LayoutComparison? in
                guard let other = try namesake(of: id, files, others, file, beside) else {
                    return nil
                }
                return LayoutComparison(
                    try layout(of: id, &layouts, file), try layout(of: other, &others, beside))
            }
            try show(pairs, "comparisons", surroundings) {
                $0.text()
            } json: {
                $0.write(to: &$1)
            }
        }
    }

    private func show<Value>(
        _ values: [Value], _ key: String, _ surroundings: Surroundings,
        text: (Value) -> [UInt8], json: (Value, inout JSONWriter) -> Void
    ) throws {
        if isJSON {
            try surroundings.output.report { report in
                report.array(key, values) { report, value in report.object { json(value, &$0) } }
            }
        } else {
            try surroundings.output.print(Array(values.map(text).joined(separator: [10])))
        }
    }

    private func layout(
        of id: TypeID, _ layouts: inout StructLayouts, _ file: String
    ) throws(Failure) -> StructLayout {
        do { return try layouts.layout(of: id) } catch {
            throw Failure("\(file): \(error.message)")
        }
    }

    /// What words select, without the types of the same name that have no members.
    private func composites(
        _ words: [String], _ btf: BTF, _ layouts: StructLayouts, _ file: String
    ) throws -> [TypeID] {
        try words.flatMap { word in
            let all = try ids(word, btf, file)
            let found = all.filter { layouts.hasLayout($0) }
            guard found.isEmpty else { return found }
            throw Failure(
                "\(file): \(word): no struct or union, but a \(btf.record(all[0])!.kind.word)")
        }
    }

    /// The type of B with the same kind and name.
    ///
    /// - Throws: if it was asked for by name; structs of a whole file that B lacks are left out.
    private func namesake(
        of id: TypeID, _ files: [BTF], _ others: StructLayouts, _ file: String, _ beside: String
    ) throws(Failure) -> TypeID? {
        guard let record = files[0].record(id) else { return nil }
        let other = files[1].ids(named: record.name).first {
            files[1].record($0)?.kind == record.kind && others.hasLayout($0)
        }
        if other == nil, !inputs.types.isEmpty {
            throw Failure("\(beside): no \(record.kind.word) named '\(record.name)'")
        }
        return other
    }
}
