// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import HostIO
import KernelTree

/// Processes many files that are built against bases. Each base is read once; the files that share
/// it are processed in parallel, the largest first. The outcomes are in the order of the files,
/// whatever the number of jobs, and what files have in common is reported once, with the first one.
///
/// Which base a file needs is seen by opening it. A single file is worked on right then, and so are
/// those of many files that need the same one as the first; others are opened again in their turn,
/// so that only one base and the files in hand take memory.
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

    /// A file whose base is known.
    struct Member: Sendable {
        let index: Int
        let need: Need
    }

    /// - Parameters:
    ///   - value: what an outcome begins with.
    ///   - open: reads a file; a second time where it waits for its base and memory is short.
    ///   - need: which base it needs.
    func run<File: BatchFile, Opened: BatchContents, Value: Sendable>(
        _ files: [File], _ value: Value,
        open: @Sendable (File) throws(Failure) -> Opened,
        need: @Sendable (File, Opened) throws(Failure) -> Need,
        work:
            @Sendable (File, Opened, Setting, inout FileOutcome<Value>) throws(Failure) -> Void
    ) -> [FileOutcome<Value>] {
        let blank = files.map { FileOutcome(path: $0.path, value: value) }
        let (kept, refusesForeign) = (Kept<Opened>(), refusesForeign)
        @Sendable func look(_ index: Int) throws(Failure) -> (need: Need, opened: Opened) {
            if let failure = files[index].failure { throw failure }
            let opened = try open(files[index])
            return (try need(files[index], opened), opened)
        }
        @Sendable func result(
            _ member: Member, _ known: FileOutcome<Value>, _ ready: ReadyBase<Base>, jobs: Int,
            _ opened: Opened?
        ) -> FileOutcome<Value> {
            var outcome = known
            outcome.foreign = ready.foreign(member.need)
            if refusesForeign, outcome.foreign != nil { return outcome }
            let file = files[member.index]
            let setting = Setting(base: ready.base, foreign: outcome.foreign, jobs: jobs)
            do throws(Failure) {
                let opened = if let opened { opened } else { try open(file) }
                if let warning = opened.keeping.warning { outcome.messages.append(warning) }
                try work(file, opened, setting, &outcome)
            } catch { outcome.fail(error) }
            return outcome
        }

        let (isMany, isSingle) = (files.count >= 16, files.count == 1)
        let lead = isMany || isSingle ? lead(files.count, kept, look) : Lead()
        var outcomes = blank
        var progress = Progress(
            total: files.count, activity: activity, talk: talk, search.surroundings)
        let (started, threads) = (progress, isSingle ? jobs : 1)
        let all = largestFirst(Array(files.indices)) { files[$0].path }
        let seen = parallelMap(count: all.count, jobs: isMany ? jobs : 1) {
            position -> Seen<Value> in
            let index = all[position]
            do throws(Failure) {
                let (need, opened) =
                    if index < lead.needs.count {
                        (try lead.needs[index].get(), kept.take(index))
                    } else { try look(index) }
                let member = Member(index: index, need: need)
                guard let ready = lead.ready(need.choice) else {
                    if let opened { kept.keep(opened, index, always: isSingle) }
                    return .waits(member)
                }
                started.show(position, of: all.count)
                return .worked(result(member, blank[index], ready, jobs: threads, opened))
            } catch { return .failed(error) }
        }
        var (waiting, worked): ([Member], [Int]) = ([], [])
        for (index, seen) in zip(all, seen).sorted(by: { $0.0 < $1.0 }) {
            switch seen {
            case .failed(let failure): outcomes[index].fail(failure)
            case .waits(let member): waiting.append(member)
            case .worked(let outcome):
                outcomes[index] = outcome
                worked.append(index)
            }
        }
        sayForeign(worked, &outcomes)
        progress.done = worked.count

        for (choice, group) in groups(waiting) {
            let indices = group.map(\.index)
            guard let ready = ready(choice, indices, lead, &outcomes) else { continue }
            let order = largestFirst(group) { files[$0.index].path }
            let (started, known, single) = (progress, outcomes, order.count == 1 ? jobs : 1)
            let worked = parallelMap(count: order.count, jobs: jobs) { position in
                started.show(position, of: order.count)
                let member = order[position]
                let (outcome, opened) = (known[member.index], kept.take(member.index))
                return result(member, outcome, ready, jobs: single, opened)
            }
            for (member, outcome) in zip(order, worked) { outcomes[member.index] = outcome }
            sayForeign(indices, &outcomes)
            progress.done += group.count
        }
        progress.clear()
        return outcomes
    }

    // MARK: The first base

    /// What the first files need, up to one that needs a base, and that base.
    private struct Lead: Sendable {
        var needs: [Swift.Result<Need, Failure>] = []
        var choice: BaseChoice?
        var base: Swift.Result<ReadyBase<Base>, Failure>?

        /// nil for other bases, and if it cannot be read.
        func ready(_ choice: BaseChoice) -> ReadyBase<Base>? {
            self.choice == choice ? try? base?.get() : nil
        }
    }

    /// What became of a file when it was opened first.
    private enum Seen<Value: Sendable>: Sendable {
        case failed(Failure)
        /// For another base.
        case waits(Member)
        case worked(FileOutcome<Value>)
    }

    private func lead<Opened: BatchContents>(
        _ count: Int, _ kept: Kept<Opened>,
        _ look: (Int) throws(Failure) -> (need: Need, opened: Opened)
    ) -> Lead {
        var lead = Lead()
        // A kernel and its like come before their modules.
        for index in 0..<min(count, 8) where lead.choice == nil || lead.choice == BaseChoice.none {
            do throws(Failure) {
                let (need, opened) = try look(index)
                kept.keep(opened, index, always: count == 1)
                lead.needs.append(.success(need))
                lead.choice = need.choice
            } catch { lead.needs.append(.failure(error)) }
        }
        lead.base = lead.choice.map { choice in
            do throws(Failure) { return .success(try read(choice)) } catch {
                return .failure(error)
            }
        }
        return lead
    }

    private func read(_ choice: BaseChoice) throws(Failure) -> ReadyBase<Base> {
        ReadyBase(try load(choice, jobs), search.surroundings)
    }

    // MARK: Groups

    private func largestFirst<Item>(_ items: [Item], _ path: (Item) -> String) -> [Item] {
        items.enumerated().map { (size: FileStatus(path($1)).size, place: $0) }
            .sorted { ($1.size, $0.place) < ($0.size, $1.place) }
            .map { items[$0.place] }
    }

    /// The files that share a base, in order of the first of each.
    private func groups(_ members: [Member]) -> [(BaseChoice, [Member])] {
        var found: [(BaseChoice, [Member])] = []
        var places: [BaseChoice: Int] = [:]
        for member in members {
            let choice = member.need.choice
            if let place = places[choice] {
                found[place].1.append(member)
            } else {
                places[choice] = found.count
                found.append((choice, [member]))
            }
        }
        return found
    }

    /// The base of `members`, which may be none; nil where nothing is to be done with them.
    private func ready<Value>(
        _ choice: BaseChoice, _ members: [Int], _ lead: Lead,
        _ outcomes: inout [FileOutcome<Value>]
    ) -> ReadyBase<Base>? {
        var failure: Failure
        do throws(Failure) {
            if choice == lead.choice, let base = lead.base { return try base.get() }
            return try read(choice)
        } catch { failure = error }
        if case .auto = choice {
            failure = failure.about(outcomes[members[0]].path, others: members.count - 1)
        }
        failure.subject = .base
        switch lacking(choice, failure) {
        case .nothing:
            outcomes.fail(members, failure)
            count(members, &outcomes)
            return nil
        case .skipping(let message):
            outcomes.say(message, members)
            return nil
        case .noBase(let message):
            if let message {
                outcomes.say(message, members)
                count(members, &outcomes)
            }
            return ReadyBase(nil, search.surroundings)
        }
    }

    private func count<Value>(_ members: [Int], _ outcomes: inout [FileOutcome<Value>]) {
        guard countsLacking, members.count > 1 else { return }
        outcomes[members[0]].shared.append(
            .note("\(members.count) files cannot be read without this base"))
    }

    /// Reports the files among `members` that are for another kernel than their base's.
    private func sayForeign<Value>(_ members: [Int], _ outcomes: inout [FileOutcome<Value>]) {
        for (foreign, files) in outcomes.alike(members) {
            let text = foreign.message(outcomes[files[0]].path, others: files.count - 1)
            if refusesForeign {
                outcomes.fail(files, Failure(text, hint: foreign.hint))
            } else {
                outcomes[files[0]].shared.append(.warning(text, hint: foreign.hint))
            }
        }
    }
}
