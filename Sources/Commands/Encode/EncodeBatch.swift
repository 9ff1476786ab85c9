// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import DWARFToBTF
import ELF
import HostIO
import KernelTree

/// Encodes many files. Files with the same base are encoded in parallel, on an index of it that is
/// built once; the outcomes are in the order of the files, whatever the number of jobs.
struct EncodeBatch {
    /// `--base`; nil: decided by the kind of file.
    let base: String?
    let search: SearchPlaces
    let options: EncodeOptions
    let jobs: Int
    let request: FeatureRequest
    /// `--target`.
    var target: NamedTarget?
    /// Hide the implicit arguments of kernel functions; kernel builds do that in a later step.
    var hidesImplicitArguments = false
    let talk: Talk
    /// Fill in `.BTF_ids` of files that get their BTF written into them.
    var fillsIDs = false
    /// `--strict`: warnings are errors.
    var isStrict = false
    /// What to do with a file whose base is not found.
    var withoutBase = WithoutBase.fail

    enum WithoutBase: String, CaseIterable {
        case fail
        /// Leave the file unchanged.
        case skip
        /// Generate standalone BTF.
        case standalone
    }

    /// What a file says about itself.
    struct Subject {
        let choice: BaseChoice
        let release: KernelRelease?
        let machine: String
    }

    /// The result for one file.
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
        let subjects = chooseBases(files)
        for (index, subject) in subjects.enumerated() {
            switch subject {
            case .success(let subject):
                let choice = subject.choice
                if groups[choice] == nil { order.append(choice) }
                groups[choice, default: []].append(index)
            case .failure(let failure): outcomes[index].fail(failure)
            }
        }
        let tree = search.surroundings.kbuildTree
        let debugFiles = DebugInfo.search(
            folders: search.folders,
            separation: options.features.sectionSeparation)
        var progress = Progress(total: files.count, talk: talk, search.surroundings)
        for choice in order {
            var members = groups[choice] ?? []
            let base: IndexedBase?
            do throws(Failure) { base = try choice.loadIndexed(search, jobs: jobs) } catch {
                guard case .auto = choice, withoutBase != .fail else {
                    refuse(members, choice, error, &outcomes)
                    continue
                }
                forgo(members, error, &outcomes)
                if withoutBase == .skip { continue }
                base = nil
            }
            let foreign = foreignBases(members, subjects, base)
            if isStrict { members = refuse(members, foreign, &outcomes) }
            var options = options
            options.jobs = members.count == 1 ? jobs : 1
            let (started, chosen) = (progress, options)
            let wholeBase = base.map { LazyBTF($0.bytes) }
            let order = EncodeBatch.largestFirst(members, files)
            let encoded = parallelMap(count: order.count, jobs: jobs) { position in
                started.show(position, of: order.count)
                return EncodeFile(
                    job: files[order[position]], options: chosen, request: request,
                    target: target, hidesImplicitArguments: hidesImplicitArguments,
                    kbuildTree: tree, roots: search.folders, base: base, wholeBase: wholeBase,
                    debugFiles: debugFiles, fillsIDs: fillsIDs, isStrict: isStrict
                ).run()
            }
            for (position, outcome) in zip(order, encoded) {
                let said = outcomes[position].messages
                outcomes[position] = outcome
                outcomes[position].messages = said + outcome.messages
            }
            for (foreign, all) in isStrict ? [] : foreign {
                let files = all.filter { !outcomes[$0].failed }
                guard !files.isEmpty else { continue }
                let text = foreign.message(outcomes[files[0]].path, others: files.count - 1)
                outcomes[files[0]].messages.append(.warning(text, hint: foreign.hint))
            }
            progress.done += members.count
        }
        progress.clear()
        return outcomes
    }

    /// The base of each file.
    private func chooseBases(_ files: [Destinations.Job]) -> [Swift.Result<Subject, Failure>] {
        parallelMap(count: files.count, jobs: files.count < 16 ? 1 : jobs) { index in
            let path = files[index].path
            do throws(Failure) {
                let elf = try openELF(path)
                // Only modules have a .modinfo, and it names their kernel.
                let own = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
                let choice = try BaseChoice(
                    option: base ?? (own == nil ? "" : "auto"), path: path, own: own,
                    bigEndian: elf.isBigEndian, search: search)
                return .success(
                    Subject(choice: choice, release: own, machine: KernelMachine.name(of: elf)))
            } catch { return .failure(error) }
        }
    }

    /// Processing order: the slowest files must not start last.
    private static func largestFirst(_ members: [Int], _ files: [Destinations.Job]) -> [Int] {
        members.map { (size: FileStatus(files[$0].path).size, index: $0) }
            .sorted { ($1.size, $0.index) < ($0.size, $1.index) }
            .map(\.index)
    }
}

extension EncodeBatch.Outcome {
    mutating func fail(_ failure: Failure) {
        self.failure = failure
        failed = true
        messages.append(.failure(failure))
    }
}
