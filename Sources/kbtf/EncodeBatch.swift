// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Encodes many files. Files that stand on one base are encoded beside each other, on an index of it
/// that is made once; the outcomes are in the order of the files, whatever the number of jobs.
struct EncodeBatch {
    /// `--base`; nil: by the kind of file.
    let base: String?
    let search: SearchOptions
    let options: EncodeOptions
    let jobs: Int
    /// `--force`
    var forcesDistilledBase = false
    let talk: Talk
    /// Fill in `.BTF_ids` of files that get their BTF put in.
    var fillsIDs = false

    /// What came of one file.
    struct Outcome: Sendable {
        let path: String
        var messages: [Talk.Message] = []
        var ledger: Ledger?
        /// Why there is no BTF.
        var failure: Failure?
        var failed = false
    }

    func run(_ files: [Destinations.Job]) -> [Outcome] {
        var outcomes = files.map { Outcome(path: $0.path) }
        var order: [BaseChoice] = []
        var groups: [BaseChoice: [Int]] = [:]
        for (index, choice) in chooseBases(files).enumerated() {
            switch choice {
            case .success(let choice):
                if groups[choice] == nil { order.append(choice) }
                groups[choice, default: []].append(index)
            case .failure(let failure): outcomes[index].fail(failure)
            }
        }
        let debugFiles = DebugInfo.search(
            folders: search.folders,
            separatingSections: options.features.contains(.globalVariables))
        var progress = Progress(total: files.count, talk: talk)
        for choice in order {
            let members = groups[choice] ?? []
            let base: IndexedBase?
            do throws(Failure) { base = try choice.loadIndexed(search, jobs: jobs) } catch {
                refuse(members, choice, error, &outcomes)
                continue
            }
            var options = options
            options.jobs = members.count == 1 ? jobs : 1
            let (started, chosen) = (progress, options)
            let wholeBase = base.map { LazyBTF($0.bytes) }
            let order = EncodeBatch.largestFirst(members, files)
            let encoded = parallelMap(count: order.count, jobs: jobs) { position in
                started.show(position, of: order.count)
                return EncodeFile(
                    job: files[order[position]], options: chosen, base: base,
                    wholeBase: wholeBase, forcesDistilledBase: forcesDistilledBase,
                    debugFiles: debugFiles, fillsIDs: fillsIDs
                ).run()
            }
            for (position, outcome) in zip(order, encoded) { outcomes[position] = outcome }
            progress.done += members.count
        }
        progress.clear()
        return outcomes
    }

    /// What each file stands on.
    private func chooseBases(_ files: [Destinations.Job]) -> [Swift.Result<BaseChoice, Failure>] {
        parallelMap(count: files.count, jobs: files.count < 16 ? 1 : jobs) { index in
            let path = files[index].path
            do throws(Failure) {
                let elf = try openELF(path)
                // Only modules have a .modinfo, and it names their kernel.
                let own = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
                return .success(
                    try BaseChoice(
                        option: base ?? (own == nil ? "" : "auto"), path: path, own: own,
                        bigEndian: elf.isBigEndian, search: search))
            } catch { return .failure(error) }
        }
    }

    /// The files in the order to work on them: what takes long does not begin when all else is done.
    private static func largestFirst(_ members: [Int], _ files: [Destinations.Job]) -> [Int] {
        members.map { (size: FileStatus(files[$0].path).size, index: $0) }
            .sorted { ($1.size, $0.index) < ($0.size, $1.index) }
            .map(\.index)
    }

    /// The base cannot be had: said once, with the first of the files that need it.
    private func refuse(
        _ members: [Int], _ choice: BaseChoice, _ failure: Failure, _ outcomes: inout [Outcome]
    ) {
        guard let first = members.first else { return }
        var failure = failure
        if case .auto = choice {
            failure = failure.about(outcomes[first].path, others: members.count - 1)
        }
        failure.subject = .base
        for index in members {
            outcomes[index].failure = failure
            outcomes[index].failed = true
        }
        outcomes[first].messages.append(.failure(failure))
    }
}

extension EncodeBatch.Outcome {
    mutating func fail(_ failure: Failure) {
        self.failure = failure
        failed = true
        messages.append(.failure(failure))
    }
}
