// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// The KTAP of several `kbtf vm run`, as one.
///
/// A kernel that is in several of them becomes one, with the tests of all. A test that is in
/// several (a module's, since each part loads it) is kept once; if it failed anywhere, as it
/// failed.
package struct MergedKTAP: Sendable {
    private var kernels: [KTAPResult] = []

    /// - Parameter files: paths, and what is in them.
    /// - Throws: for what is not KTAP, or is cut off; if parts are missing.
    package init(_ files: [(path: String, text: ByteView)]) throws(VMError) {
        var shards: [(file: String, shard: Shard)] = []
        for file in files {
            let (group, shard) = try MergedKTAP.read(file.text, file.path)
            if let shard { shards.append((file.path, shard)) }
            for result in group.results { add(result) }
        }
        if let fault = Shard.fault(shards, of: files.map(\.path)) { throw VMError(fault) }
    }

    /// Everything passed.
    package var hasPassed: Bool { kernels.allSatisfy { $0.verdict != .fail } }

    package var text: String {
        var text = "KTAP version 1\n1..\(kernels.count)\n"
        for (index, kernel) in kernels.enumerated() {
            if !kernel.subtests.isEmpty {
                text += "  KTAP version 1\n  # Subtest: \(kernel.name)\n"
                text += "  1..\(kernel.subtests.count)\n"
                text += Summary.results(kernel.subtests, true, indent: "  ")
            }
            for line in kernel.output { text += Summary.diagnostic(line) }
            let ok = kernel.verdict == .fail ? "not ok" : "ok"
            text += "\(ok) \(index + 1) \(Summary.escaped(kernel.name))"
            text += kernel.reason.isEmpty ? "\n" : " # \(kernel.reason)\n"
        }
        let leaves = kernels.flatMap(\.subtests).flatMap(\.leaves)
        let errors = kernels.count {
            $0.verdict == .fail && !$0.subtests.contains { $0.verdict == .fail }
        }
        return text + Summary.totals(leaves, errors: errors) + "\n"
    }

    /// The results in a file, and the part that it is.
    private static func read(
        _ text: ByteView, _ path: String
    ) throws(VMError) -> (KTAPGroup, Shard?) {
        var parser = KTAPParser()
        var shard: Shard?
        for line in text.array.split(separator: 10, omittingEmptySubsequences: true) {
            var line = String(decoding: line, as: UTF8.self)
            if line.last == "\r" { line.removeLast() }
            if line.hasPrefix("# shard "), shard == nil, let part = Shard(line.dropFirst(8)) {
                shard = part
                continue
            }
            parser.take(line)
        }
        guard let group = parser.outermost else {
            throw VMError("\(path): neither KTAP nor JUnit XML")
        }
        if let reason = parser.bailOut { throw VMError("\(path): it bailed out: \(reason)") }
        if let fault = group.finalFaults.first {
            throw VMError("\(path): not the complete results of kbtf vm run: \(fault)")
        }
        return (group, shard)
    }

    private mutating func add(_ result: KTAPResult) {
        var result = MergedKTAP.plain(result)
        // What is missing in the kernel's results is said by its reason.
        result.faults = []
        guard let place = kernels.firstIndex(where: { $0.name == result.name }) else {
            kernels.append(result)
            return
        }
        for test in result.subtests { kernels[place].add(test) }
        if result.said == .fail { kernels[place].said = .fail }
        kernels[place].output += result.output
        if !result.reason.isEmpty, kernels[place].reason != result.reason {
            let old = kernels[place].reason
            kernels[place].reason = old.isEmpty ? result.reason : "\(old); \(result.reason)"
        }
    }

    /// Without the lines that are printed again.
    private static func plain(_ result: KTAPResult) -> KTAPResult {
        var result = result
        result.output.removeAll { $0.hasPrefix("# Subtest:") }
        result.subtests = result.subtests.map { plain($0) }
        if result.said == .fail { result.faults = [] }
        return result
    }
}

extension KTAPResult {
    /// Adds a subtest, unless it is there.
    fileprivate mutating func add(_ test: KTAPResult) {
        guard let place = subtests.firstIndex(where: { $0.name == test.name }) else {
            subtests.append(test)
            return
        }
        if subtests[place].verdict != .fail, test.verdict == .fail { subtests[place] = test }
    }
}
