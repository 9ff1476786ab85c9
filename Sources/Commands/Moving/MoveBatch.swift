// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// A base that files are moved to or from, with everything known about it.
struct MoveBase: Sendable {
    let index: BaseIndex
    let btf: BTF
    let path: String
    let how: String
    let release: KernelRelease?
}

/// Applies the same step to many files with bases. Each base is read once; outcomes are in the
/// order of the files, whatever the number of jobs.
struct MoveBatch {
    /// `--base`.
    let base: String
    let search: SearchPlaces
    let jobs: Int

    /// The result for one file.
    struct Outcome: Sendable {
        let path: String
        var messages: [Talk.Message] = []
        /// Members of a JSON object, without the file's name.
        var facts: [(name: String, value: String)] = []
        /// A line for standard output.
        var line: String?
        var failure: Failure?

        mutating func fail(_ failure: Failure) {
            self.failure = failure
            messages.append(.failure(failure))
        }

        var json: String {
            let all = [("file", jsonString(path))] + facts
            let members = all.map { "\"\($0.0)\":\($0.1)" } + (failure.map { [$0.json] } ?? [])
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    func run(
        _ jobs: [Destinations.Job],
        _ work:
            @Sendable (ModuleBTF, MoveBase, Destinations.Job, inout Outcome) throws(Failure) -> Void
    ) -> [Outcome] {
        var outcomes = jobs.map { Outcome(path: $0.path) }
        var order: [BaseChoice] = []
        var groups: [BaseChoice: [Int]] = [:]
        for (index, job) in jobs.enumerated() {
            do throws(Failure) {
                let file = try ModuleBTF.open(job.path)
                let choice = try BaseChoice(
                    option: base, path: job.path, own: file.release,
                    bigEndian: file.header.bigEndian, search: search)
                if groups[choice] == nil { order.append(choice) }
                groups[choice, default: []].append(index)
            } catch { outcomes[index].fail(error) }
        }
        for choice in order {
            let members = groups[choice] ?? []
            let base: MoveBase
            do throws(Failure) { base = try load(choice) } catch {
                for index in members { outcomes[index].failure = error }
                if let first = members.first {
                    outcomes[first].messages.append(
                        .failure(error.about(outcomes[first].path, others: members.count - 1)))
                }
                continue
            }
            let moved = parallelMap(count: members.count, jobs: self.jobs) { position in
                let job = jobs[members[position]]
                var outcome = Outcome(path: job.path)
                do throws(Failure) {
                    try work(try ModuleBTF.open(job.path), base, job, &outcome)
                } catch { outcome.fail(error) }
                return outcome
            }
            for (index, outcome) in zip(members, moved) { outcomes[index] = outcome }
        }
        return outcomes
    }

    /// The byte order of the first file that can be read.
    func byteOrder(of jobs: [Destinations.Job]) throws(Failure) -> Bool {
        for job in jobs {
            if let file = try? ModuleBTF.open(job.path) { return file.header.bigEndian }
        }
        return false
    }

    /// Reads a base; one named by the user from its file.
    func load(_ choice: BaseChoice) throws(Failure) -> MoveBase {
        guard let base = try choice.loadIndexed(search, jobs: jobs) else {
            throw Failure("--base '': a base is required", hint: "specify it with --base FILE")
        }
        do throws(BTFError) {
            return MoveBase(
                index: base.index, btf: try BTF.parse(base.bytes), path: base.path, how: base.how,
                release: base.release)
        } catch { throw Failure("\(base.path): \(error)") }
    }
}

extension MoveBatch {
    /// Prints the messages, and ends with an error if a file failed.
    ///
    /// - Parameter json: print the outcomes of all files as JSON.
    static func report(
        _ outcomes: [Outcome], talk: Talk, to output: Stream, json: Bool
    ) throws {
        for outcome in outcomes {
            for message in outcome.messages { talk.say(message) }
        }
        if json {
            try output.print(jsonArray(outcomes.map(\.json)))
        } else {
            try output.print(
                outcomes.compactMap { $0.line.map { $0.shown + "\n" } }.joined())
        }
        let failed = outcomes.count { $0.failure != nil }
        guard failed > 0 else { return }
        if outcomes.count > 1 { talk.note("\(failed) of \(outcomes.count) files failed") }
        throw ExitCode(1)
    }
}
