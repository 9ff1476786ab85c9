// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The sizes of one file's BTF, without the BTF itself.
package struct SizedFile: Sendable {
    /// A type that its base has as well.
    package struct Repeat: Equatable, Sendable {
        package let type: TypeName
        package let bytes: Int
        /// nil where it is not known.
        package let difference: NearestDifferences.Difference?
    }

    /// Why a type is here.
    package struct Reason: Equatable, Sendable {
        package let type: TypeName
        package let bytes: Int
        /// nil for a type that no function, variable or section leads to.
        package let chain: ReferenceChains.Chain?
    }

    /// A source file and what it was the first to need.
    package struct Unit: Equatable, Sendable {
        package let name: String
        package let sum: SizeSum

        package init(name: String, sum: SizeSum) {
            self.name = name
            self.sum = sum
        }
    }

    /// What the file is called in reports.
    package let name: String
    package let account: SizeAccount
    package let sum: SizeSum
    /// Sections besides `.BTF`.
    package let others: [(name: String, bytes: Int)]
    package let types: [TypeName: SizeSum]
    /// The largest types, or those that were asked for.
    package let reasons: [Reason]
    /// The largest types that the base has as well.
    package let repeats: [Repeat]
    /// All such types.
    package let repeatedSum: SizeSum
    /// Empty where it was not asked for.
    package var units: [Unit] = []

    /// What is wanted of a file.
    package struct Request: Sendable {
        /// How many types to describe.
        package let limit: Int
        /// Types whose reasons are wanted; nil: the largest.
        package let names: [String]?

        package init(limit: Int, names: [String]?) {
            self.limit = limit
            self.names = names
        }
    }

    /// - Parameters:
    ///   - size: bytes of the BTF.
    ///   - others: names and bytes of further sections with type information.
    package init(
        _ name: String, _ btf: BTF, size: Int, others: [(name: String, bytes: Int)],
        _ request: Request
    ) {
        self.name = name
        self.others = others
        account = SizeAccount(btf, size: size)
        var sum = SizeSum()
        for kind in account.kinds { sum += kind.use }
        self.sum = sum
        let naming = TypeNaming(btf)
        var types: [TypeName: SizeSum] = [:]
        for (index, use) in account.types.enumerated() {
            types[naming.name(of: index), default: SizeSum()] += SizeSum(use)
        }
        self.types = types
        reasons = SizedFile.reasons(btf, account, naming, request)
        let namesakes = btf.namesakesOfBase
        var repeatedSum = SizeSum()
        for type in namesakes {
            repeatedSum += SizeSum(account.types[Int(type.own.rawValue - btf.firstID)])
        }
        self.repeatedSum = repeatedSum
        repeats = SizedFile.repeats(btf, account, naming, namesakes, request)
    }

    /// All bytes of type information.
    package var total: Int { others.reduce(account.total) { $0 + $1.bytes } }

    private static func reasons(
        _ btf: BTF, _ account: SizeAccount, _ naming: TypeNaming, _ request: Request
    ) -> [Reason] {
        let chosen: [Int]
        if let names = request.names {
            let wanted = Set(names)
            chosen = Array(
                account.types.indices.filter { wanted.contains(naming.ownName(of: $0)) }
                    .prefix(request.limit))
        } else {
            chosen = largest(
                account.types.indices.map { ($0, account.types[$0].total) }, request.limit)
        }
        guard !chosen.isEmpty else { return [] }
        let chains = ReferenceChains(btf)
        return chosen.map { index in
            Reason(
                type: naming.name(of: index), bytes: account.types[index].total,
                chain: chains.chain(to: TypeID(btf.firstID + UInt32(index))))
        }
    }

    private static func repeats(
        _ btf: BTF, _ account: SizeAccount, _ naming: TypeNaming, _ namesakes: [BTF.Namesake],
        _ request: Request
    ) -> [Repeat] {
        func place(_ type: BTF.Namesake) -> Int { Int(type.own.rawValue - btf.firstID) }
        var shown = namesakes.indices.map { ($0, account.types[place(namesakes[$0])].total) }
        if let names = request.names {
            let wanted = Set(names)
            shown = shown.filter { wanted.contains(namesakes[$0.0].name) }
        }
        guard !shown.isEmpty else { return [] }
        let differences = NearestDifferences(btf, of: namesakes)
        return largest(shown, request.limit).map { index in
            let type = namesakes[index]
            return Repeat(
                type: naming.name(of: place(type)), bytes: account.types[place(type)].total,
                difference: differences.difference(of: type))
        }
    }

    /// The indexes of the largest, in order; of the same size, the first ones.
    private static func largest(_ sizes: [(index: Int, bytes: Int)], _ limit: Int) -> [Int] {
        sizes.sorted { ($1.bytes, $0.index) < ($0.bytes, $1.index) }.prefix(limit).map(\.index)
    }
}
