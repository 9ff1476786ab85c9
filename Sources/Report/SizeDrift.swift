// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// How sizes changed between two builds.
package struct SizeDrift: Sendable {
    /// What has a size in one of them or in both.
    package struct Change: Equatable, Sendable {
        package let name: String
        /// nil where it is not there.
        package let old: Int?
        package let new: Int?

        package var delta: Int { (new ?? 0) - (old ?? 0) }

        package var state: State {
            if old == nil { return .new }
            if new == nil { return .gone }
            return delta < 0 ? .shrunk : delta > 0 ? .grown : .same
        }
    }

    package enum State: String, CaseIterable, Sendable {
        case new, grown, same, shrunk, gone
    }

    package let old: Int
    package let new: Int
    /// In the order of the kinds' bytes.
    package let kinds: [Change]
    package let common: [Change]
    /// Those that changed, the largest change first, whatever its direction.
    package let files: [Change]
    package let types: [Change]

    package init(_ old: SizeReport, _ new: SizeReport) {
        self.old = old.total
        self.new = new.total
        func changes<Key: Hashable>(
            _ old: [Key: Int], _ new: [Key: Int], _ name: (Key) -> String
        ) -> [Change] {
            Set(old.keys).union(new.keys)
                .map { Change(name: name($0), old: old[$0], new: new[$0]) }
                .sorted { a, b in
                    let (one, other) = (a.delta.magnitude, b.delta.magnitude)
                    return one != other ? one > other : a.name < b.name
                }
        }
        func kinds(_ report: SizeReport) -> [String: Int] {
            Dictionary(
                report.kinds.map { ($0.word, $0.use.bytes.total) }, uniquingKeysWith: +)
        }
        self.kinds = changes(kinds(old), kinds(new)) { $0 }
        common =
            zip(old.common.parts, new.common.parts).map {
                Change(name: $0.name, old: $0.bytes, new: $1.bytes)
            }
            + changes(
                Dictionary(old.others.map { ($0.name, $0.bytes) }, uniquingKeysWith: +),
                Dictionary(new.others.map { ($0.name, $0.bytes) }, uniquingKeysWith: +)
            ) { $0 }
        // One file against one: what they are called does not matter.
        let isPair = old.files.count == 1 && new.files.count == 1
        let name = new.files.first?.name ?? ""
        func files(_ report: SizeReport) -> [String: Int] {
            Dictionary(
                report.files.map { (isPair ? name : $0.name, $0.total) }, uniquingKeysWith: +)
        }
        self.files = changes(files(old), files(new)) { $0 }.filter { $0.state != .same }
        types = changes(
            old.types.mapValues(\.sum.bytes.total), new.types.mapValues(\.sum.bytes.total)
        ) { $0.title }.filter { $0.state != .same }
    }
}
