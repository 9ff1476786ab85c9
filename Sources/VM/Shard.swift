// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A share of a run: part K of N. The same command line, with each K in turn, does everything once,
/// wherever the parts run.
///
/// What is shared out are cells, a kernel with a test each, kernel by kernel in the order of the
/// command line. Each part gets a run of them that follow each other, so that few kernels are
/// booted twice. A kernel without tests is one cell.
package struct Shard: Sendable, Equatable, CustomStringConvertible {
    package let part: Int
    package let count: Int

    /// Parts that there may be.
    package static let most = 10_000

    /// `K/N`, from 1/N to N/N; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false)
        guard numbers.count == 2, let part = Shard.number(numbers[0]),
            let count = Shard.number(numbers[1]), part <= count
        else { return nil }
        self.part = part
        self.count = count
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard (1...5).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), (1...most).contains(number)
        else { return nil }
        return number
    }

    package var description: String { "\(part)/\(count)" }

    /// The cells of this part, of `total`. Parts differ by one cell at most.
    package func cells(of total: Int) -> Range<Int> {
        (part - 1) * total / count..<part * total / count
    }

    /// For each kernel, the tests of this part; nil for a kernel that has none of them.
    ///
    /// - Parameter tests: how many tests each kernel has.
    package func share(_ tests: [Int]) -> [Range<Int>?] {
        let own = cells(of: tests.reduce(0) { $0 + max(1, $1) })
        var first = 0
        return tests.map { count in
            let cells = first..<first + max(1, count)
            first = cells.upperBound
            let common = cells.clamped(to: own)
            guard !common.isEmpty else { return nil }
            return count == 0
                ? 0..<0
                : common.lowerBound - cells.lowerBound..<common.upperBound - cells.lowerBound
        }
    }

    /// Whether these are all parts of one run, once each.
    ///
    /// - Parameters:
    ///   - shards: with the file that each is from.
    ///   - files: all that are merged; without any part among them, they are whole runs.
    /// - Returns: what is wrong; nil if nothing is.
    static func fault(
        _ shards: [(file: String, shard: Shard)], of files: [String]
    ) -> String? {
        guard let first = shards.first else { return nil }
        if let other = files.first(where: { file in !shards.contains { $0.file == file } }) {
            return "\(other): not a part of a run, as \(first.file) is"
        }
        var seen: [Int: String] = [:]
        for (file, shard) in shards {
            guard shard.count == first.shard.count else {
                return "\(file): part \(shard), but \(first.file) is part \(first.shard)"
            }
            if let other = seen[shard.part] {
                return "\(file): part \(shard) is already in \(other)"
            }
            seen[shard.part] = file
        }
        let missing = (1...first.shard.count).filter { seen[$0] == nil }
        guard !missing.isEmpty else { return nil }
        let shown = missing.prefix(8).map { "\($0)/\(first.shard.count)" }
        return "results are missing: part \(shown.joined(separator: ", "))"
            + (missing.count > 8 ? " and \(missing.count - 8) more" : "")
    }
}
