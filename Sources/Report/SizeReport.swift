// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The sizes of all files together.
package struct SizeReport: Sendable {
    package let files: [SizedFile]
    package let kinds: [SizeAccount.KindUse]
    package let common: CommonUse
    package let sum: SizeSum
    /// Names and bytes of sections besides `.BTF`, in the order in which they first appear.
    package let others: [(name: String, bytes: Int)]
    package let types: [TypeName: TypeTotal]

    /// A type in all files that have it.
    package struct TypeTotal: Equatable, Sendable {
        package var files = 0
        package var sum = SizeSum()
    }

    package init(_ files: [SizedFile]) {
        self.files = files
        var kinds: [String: SizeSum] = [:]
        var order: [String] = []
        var common = CommonUse()
        var sum = SizeSum()
        var others: [(name: String, bytes: Int)] = []
        var types: [TypeName: TypeTotal] = [:]
        for file in files {
            for kind in file.account.kinds {
                if kinds[kind.word] == nil { order.append(kind.word) }
                kinds[kind.word, default: SizeSum()] += kind.use
            }
            common += file.account.common
            sum += file.sum
            for other in file.others {
                if let known = others.firstIndex(where: { $0.name == other.name }) {
                    others[known].bytes += other.bytes
                } else {
                    others.append(other)
                }
            }
            for (name, use) in file.types {
                types[name, default: TypeTotal()].files += 1
                types[name, default: TypeTotal()].sum += use
            }
        }
        self.kinds = order.map { SizeAccount.KindUse(word: $0, use: kinds[$0] ?? SizeSum()) }
            .sorted { ($1.use.bytes.total, $0.word) < ($0.use.bytes.total, $1.word) }
        self.common = common
        self.sum = sum
        self.others = others
        self.types = types
    }

    /// All bytes of type information.
    package var total: Int {
        sum.bytes.total + common.total + others.reduce(0) { $0 + $1.bytes }
    }

    /// The largest types first, without those that only their kind has in common.
    package func largestTypes(_ limit: Int) -> [(name: TypeName, total: TypeTotal)] {
        types.filter { !$0.key.isMany }.sorted { a, b in
            let (one, other) = (a.value.sum.bytes.total, b.value.sum.bytes.total)
            return one != other ? one > other : a.key < b.key
        }.prefix(limit).map { ($0.key, $0.value) }
    }

    /// The files with the most bytes first.
    package var largestFiles: [SizedFile] {
        files.sorted { a, b in a.total != b.total ? a.total > b.total : a.name < b.name }
    }

    /// What the files' bases have as well.
    package var repeatedSum: SizeSum {
        var sum = SizeSum()
        for file in files { sum += file.repeatedSum }
        return sum
    }

    /// The largest types that bases have as well, each with its file.
    package func largestRepeats(_ limit: Int) -> [(file: String, SizedFile.Repeat)] {
        files.flatMap { file in file.repeats.map { (file.name, $0) } }
            .sorted { a, b in
                let (one, other) = (a.1, b.1)
                if one.bytes != other.bytes { return one.bytes > other.bytes }
                return one.type != other.type ? one.type < other.type : a.0 < b.0
            }.prefix(limit).map { $0 }
    }
}
