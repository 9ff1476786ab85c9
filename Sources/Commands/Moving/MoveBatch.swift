// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// A base that files are moved to or from: all that may be asked about it.
struct MoveBase: SearchedBase {
    let indexed: IndexedBase
    let btf: BTF

    var index: BaseIndex { indexed.index }
    var path: String { indexed.path }
    var how: String { indexed.how }
    var release: KernelRelease? { indexed.release }
    var machine: String? { indexed.machine }
}

/// Does the same to many files that stand on bases.
struct MoveBatch {
    /// `--base`.
    let base: String
    let search: SearchPlaces
    let jobs: Int
    let talk: Talk
    /// For the line of progress.
    let activity: String
    /// The BTF stays that of the file's own kernel: a base of another one is a warning.
    var staysWithKernel = false

    /// What came of one file.
    struct Result: Sendable {
        /// Fields of a report, less the file's name.
        var facts: [(name: String, value: any JSONValue & Sendable)] = []
        /// A line for standard output.
        var line: String?
    }

    typealias Outcome = FileOutcome<Result>

    func run(
        _ jobs: [Destinations.Job],
        _ work:
            @Sendable (ModuleBTF, MoveBase, Destinations.Job, inout Outcome) throws(Failure) -> Void
    ) -> [Outcome] {
        let batch = BaseBatch<MoveBase>(
            search: search, jobs: self.jobs, talk: talk, activity: activity
        ) { choice, _ throws(Failure) in try load(choice) }
        return batch.run(jobs, Result()) { job throws(Failure) in
            try ModuleBTF.open(job.path)
        } need: { job, file throws(Failure) in
            .init(
                choice: try BaseChoice(
                    option: base, path: job.path, own: file.release,
                    bigEndian: file.header.bigEndian, search: search),
                release: file.release,
                machine: staysWithKernel ? file.elf.map { KernelMachine.name(of: $0) } : nil)
        } work: { job, file, setting, outcome throws(Failure) in
            // The command line asks for a base.
            guard let base = setting.base else { return }
            try work(file, base, job, &outcome)
        }
    }

    /// The byte order of the first file that can be read.
    func byteOrder(of jobs: [Destinations.Job]) throws(Failure) -> Bool {
        for job in jobs where job.failure == nil {
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
            return MoveBase(indexed: base, btf: try BTF.parse(base.bytes))
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
        outcomes.say(talk)
        if json {
            try output.report { json in
                json.array("files", outcomes, onLines: true) { json, outcome in
                    outcome.write(to: &json) { json in
                        for fact in outcome.value.facts { json.field(fact.name, fact.value) }
                    }
                }
            }
        } else {
            try output.print(
                outcomes.compactMap { $0.value.line.map { $0.shown + "\n" } }.joined())
        }
        let failed = outcomes.count { $0.failure != nil }
        guard failed > 0 else { return }
        if outcomes.count > 1 { talk.note("\(failed) of \(outcomes.count) files failed") }
        throw ExitCode(1)
    }
}
