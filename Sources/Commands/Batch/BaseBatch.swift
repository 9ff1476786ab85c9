// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree
import Synchronization

/// A file as it was opened to see which base it needs.
protocol BatchContents: Sendable {
    var keeping: Keeping { get }
}

/// What it takes to keep the contents of a file.
struct Keeping: Sendable {
    /// Bytes of memory, because it was decompressed; 0 for a mapped file.
    var size = 0
    /// It cannot be read a second time: a pipe, such as the shell's `<(xzcat foo.ko.xz)`.
    var isRequired = false
}

/// Processes many files that are built against bases. Each base is read once; the files that share
/// it are processed in parallel, the largest first. The outcomes are in the order of the files,
/// whatever the number of jobs, and what files have in common is reported once, with the first one.
struct BaseBatch<Base: SearchedBase> {
    let search: SearchPlaces
    let jobs: Int
    let talk: Talk
    /// For the line of progress, such as `encoding`.
    let activity: String
    /// Fail files whose base is of another kernel instead of warning of it.
    var refusesForeign = false
    /// Say how many files lack a base.
    var countsLacking = false
    /// Reads a base, on that many threads; nil for `BaseChoice.none`.
    let load: (BaseChoice, _ jobs: Int) throws(Failure) -> Base?
    /// What to do with files whose base cannot be read: `failure` names the first of them.
    var lacking: (BaseChoice, _ failure: Failure) -> Substitute = { _, _ in .nothing }

    enum Substitute {
        /// They fail.
        case nothing
        /// They are left unchanged.
        case skipping(Talk.Message)
        /// They are worked on without a base.
        case noBase(Talk.Message?)
    }

    /// What a file says of itself.
    struct Need: Sendable {
        let choice: BaseChoice
        var release: KernelRelease?
        /// nil for a file whose base may be of any kernel.
        var machine: String?
    }

    /// What a file is worked on with.
    struct Setting: Sendable {
        let base: Base?
        let foreign: ForeignBase?
        /// Threads for this file.
        let jobs: Int
    }

    /// - Parameters:
    ///   - value: what an outcome begins with.
    ///   - open: reads a file; more than once where memory is short.
    ///   - need: which base it needs.
    func run<File: BatchFile, Opened: BatchContents, Value: Sendable>(
        _ files: [File], _ value: Value,
        open: @Sendable (File) throws(Failure) -> Opened,
        need: @Sendable (File, Opened) throws(Failure) -> Need,
        work:
            @Sendable (File, Opened, Setting, inout FileOutcome<Value>) throws(Failure) -> Void
    ) -> [FileOutcome<Value>] {
        var outcomes = files.map { FileOutcome(path: $0.path, value: value) }
        let kept = Kept<Opened>()
        let needs = parallelMap(count: files.count, jobs: files.count < 16 ? 1 : jobs) {
            index -> Swift.Result<Need, Failure> in
            do throws(Failure) {
                let opened = try open(files[index])
                let need = try need(files[index], opened)
                kept.keep(opened, index)
                return .success(need)
            } catch { return .failure(error) }
        }
        var progress = Progress(
            total: files.count, activity: activity, talk: talk, search.surroundings)
        for (choice, group) in groups(needs, &outcomes) {
            guard case .some(let base) = base(choice, group, &outcomes) else { continue }
            let members = compare(group, needs, base, &outcomes)
            let order = members.map { (size: FileStatus(files[$0].path).size, index: $0) }
                .sorted { ($1.size, $0.index) < ($0.size, $1.index) }
                .map(\.index)
            let (started, known, single) = (progress, outcomes, members.count == 1 ? jobs : 1)
            let worked = parallelMap(count: order.count, jobs: jobs) { position in
                started.show(position, of: order.count)
                let (file, index) = (files[order[position]], order[position])
                var outcome = known[index]
                let setting = Setting(base: base, foreign: outcome.foreign, jobs: single)
                do throws(Failure) {
                    let opened = if let opened = kept.take(index) { opened } else { try open(file) }
                    try work(file, opened, setting, &outcome)
                } catch { outcome.fail(error) }
                return outcome
            }
            for (index, outcome) in zip(order, worked) { outcomes[index] = outcome }
            warnOfForeign(members, &outcomes)
            progress.done += group.count
        }
        progress.clear()
        return outcomes
    }

    /// The files that share a base, in order of the first of each.
    private func groups<Value>(
        _ needs: [Swift.Result<Need, Failure>], _ outcomes: inout [FileOutcome<Value>]
    ) -> [(BaseChoice, [Int])] {
        var found: [(BaseChoice, [Int])] = []
        var places: [BaseChoice: Int] = [:]
        for (index, need) in needs.enumerated() {
            switch need {
            case .failure(let failure): outcomes[index].fail(failure)
            case .success(let need):
                if let place = places[need.choice] {
                    found[place].1.append(index)
                } else {
                    places[need.choice] = found.count
                    found.append((need.choice, [index]))
                }
            }
        }
        return found
    }

    // MARK: What files share

    /// The base of `members`, which may be none; nil where nothing is to be done with them.
    private func base<Value>(
        _ choice: BaseChoice, _ members: [Int], _ outcomes: inout [FileOutcome<Value>]
    ) -> Base?? {
        var failure: Failure
        do throws(Failure) { return .some(try load(choice, jobs)) } catch { failure = error }
        if case .auto = choice {
            failure = failure.about(outcomes[members[0]].path, others: members.count - 1)
        }
        failure.subject = .base
        switch lacking(choice, failure) {
        case .nothing:
            fail(members, failure, &outcomes)
            count(members, &outcomes)
            return .none
        case .skipping(let message):
            say(message, members, &outcomes)
            return .none
        case .noBase(let message):
            if let message {
                say(message, members, &outcomes)
                count(members, &outcomes)
            }
            return .some(nil)
        }
    }

    private func count<Value>(_ members: [Int], _ outcomes: inout [FileOutcome<Value>]) {
        guard countsLacking, members.count > 1 else { return }
        outcomes[members[0]].shared.append(
            .note("\(members.count) files cannot be read without this base"))
    }

    private func fail<Value>(
        _ members: [Int], _ failure: Failure, _ outcomes: inout [FileOutcome<Value>]
    ) {
        for index in members { outcomes[index].failure = failure }
        outcomes[members[0]].shared.append(.failure(failure))
    }

    private func say<Value>(
        _ message: Talk.Message, _ members: [Int], _ outcomes: inout [FileOutcome<Value>]
    ) {
        for index in members { outcomes[index].alsoSaid.append(message) }
        outcomes[members[0]].shared.append(message)
    }

    /// Sees which files are for another kernel than the base's.
    ///
    /// - Returns: those to work on.
    private func compare<Value>(
        _ members: [Int], _ needs: [Swift.Result<Need, Failure>], _ base: Base?,
        _ outcomes: inout [FileOutcome<Value>]
    ) -> [Int] {
        guard let base else { return members }
        let origin = BaseOrigin(
            path: base.path, release: base.release, machine: base.machine,
            running: search.surroundings.running)
        for index in members {
            guard let need = try? needs[index].get(), let machine = need.machine else { continue }
            outcomes[index].foreign = ForeignBase(
                release: need.release, machine: machine, base: base.path, origin: origin,
                baseMachine: base.machine)
        }
        guard refusesForeign else { return members }
        for (foreign, files) in alike(members, outcomes) {
            fail(
                files,
                Failure(
                    foreign.message(outcomes[files[0]].path, others: files.count - 1),
                    hint: foreign.hint), &outcomes)
        }
        return members.filter { outcomes[$0].foreign == nil }
    }

    private func warnOfForeign<Value>(
        _ members: [Int], _ outcomes: inout [FileOutcome<Value>]
    ) {
        for (foreign, files) in alike(members.filter { outcomes[$0].failure == nil }, outcomes) {
            let text = foreign.message(outcomes[files[0]].path, others: files.count - 1)
            outcomes[files[0]].shared.append(.warning(text, hint: foreign.hint))
        }
    }

    /// The files whose base is of another kernel, by what differs, in order.
    private func alike<Value>(
        _ members: [Int], _ outcomes: [FileOutcome<Value>]
    ) -> [(ForeignBase, [Int])] {
        var found: [(ForeignBase, [Int])] = []
        var places: [ForeignBase: Int] = [:]
        for index in members {
            guard let foreign = outcomes[index].foreign else { continue }
            if let place = places[foreign] {
                found[place].1.append(index)
            } else {
                places[foreign] = found.count
                found.append((foreign, [index]))
            }
        }
        return found
    }
}

/// Files that took decompressing or can be read only once, from when their base was determined
/// until they are worked on.
private final class Kept<Opened: BatchContents>: Sendable {
    private let state = Mutex<(opened: [Int: Opened], room: Int)>(([:], 256 << 20))

    func keep(_ opened: Opened, _ index: Int) {
        let (size, isRequired) = (opened.keeping.size, opened.keeping.isRequired)
        guard size > 0 || isRequired else { return }
        state.withLock { state in
            guard state.room >= size || isRequired else { return }
            state.room -= size
            state.opened[index] = opened
        }
    }

    func take(_ index: Int) -> Opened? {
        state.withLock { state in
            guard let opened = state.opened.removeValue(forKey: index) else { return nil }
            state.room += opened.keeping.size
            return opened
        }
    }
}
