// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Attaching
import Console

/// The operands that select targets: names, and patterns as shells have them.
final class NameSelection {
    private var plain: [String: Bool] = [:]
    private var patterns: [(text: String, parts: NamePattern, isUsed: Bool)] = []
    private let order: [String]

    /// - Parameter names: empty selects everything.
    init(_ names: [String]) {
        order = names
        for name in names {
            if let pattern = NamePattern(name) {
                patterns.append((name, pattern, false))
            } else {
                plain[name] = false
            }
        }
    }

    /// Whether `name` is selected, and whether in full.
    func take(_ name: String, _ way: AttachWay?) -> (isTaken: Bool, isNamed: Bool) {
        if order.isEmpty { return (true, false) }
        let full = (way?.prefix ?? "") + name
        var isNamed = false
        for spelling in [name, full] where plain[spelling] != nil {
            plain[spelling] = true
            isNamed = true
        }
        var isTaken = isNamed
        for index in patterns.indices
        where patterns[index].parts.matches(name) || patterns[index].parts.matches(full) {
            patterns[index].isUsed = true
            isTaken = true
        }
        return (isTaken, isNamed)
    }

    /// An operand that selected nothing, and what to say of it.
    typealias Absent = (name: String, failure: Failure)

    func absent(
        _ listing: AttachListing, _ subject: AttachSubject, _ ways: [AttachWay]
    ) -> [Absent] {
        let unused = order.filter { name in
            plain[name].map { !$0 } ?? !(patterns.first { $0.text == name }?.isUsed ?? true)
        }
        return unused.map { ($0, failure($0, listing, subject, ways)) }
    }

    private func failure(
        _ name: String, _ listing: AttachListing, _ subject: AttachSubject, _ ways: [AttachWay]
    ) -> Failure {
        let types = ways.map(\.rawValue).joined(separator: ", ")
        let command =
            "kbtf attach\(subject.options)"
            + (ways == [.fentry] ? "" : ways.map { " --program \($0.rawValue)" }.joined())
        guard plain[name] != nil else {
            return Failure(
                "\(name): no target for \(types) in \(subject.name) matches",
                hint: hint(
                    pieces(of: name).max { $0.utf8.count < $1.utf8.count } ?? "", command,
                    listing.candidates))
        }
        var failure = Failure("\(name): no such target for \(types) in \(subject.name)")
        if let why = subject.absence(of: name) { failure.message += ": \(why)" }
        let near = nearNames(name, among: listing.candidates)
        if !near.isEmpty {
            failure.details = ["similar names: " + near.joined(separator: ", ")]
            failure.showsDetails = true
            failure.hint = "\(command) \(near[0])"
        } else {
            failure.hint = hint(name, command, listing.candidates)
        }
        return failure
    }

    /// The parts of a pattern that stand for themselves.
    private func pieces(of pattern: String) -> [String] {
        pattern.split { "*?[]".contains($0) }.map(String.init)
    }

    /// A command that lists names which have something in common with `name`, at least its first
    /// three characters; nil without such names.
    private func hint(_ name: String, _ command: String, _ candidates: [String]) -> String? {
        for length in stride(from: name.count, through: 3, by: -1) {
            let start = name.prefix(length)
            if candidates.contains(where: { $0.contains(start) }) {
                return "\(command) '*\(start)*'"
            }
        }
        return candidates.isEmpty ? nil : command
    }
}
