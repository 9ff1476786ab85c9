// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import KernelTree

// Bases that cannot be read, and those of other kernels. Each is reported once, with the first of
// its files.

extension EncodeBatch {
    /// The base cannot be read.
    func refuse(
        _ members: [Int], _ choice: BaseChoice, _ failure: Failure, _ outcomes: inout [Outcome]
    ) {
        guard let first = members.first else { return }
        var failure = failure
        if case .auto = choice {
            failure = failure.about(outcomes[first].path, others: members.count - 1)
        }
        failure.subject = .base
        fail(members, failure, &outcomes)
    }

    /// The base cannot be read, and that is not a failure.
    func forgo(_ members: [Int], _ failure: Failure, _ outcomes: inout [Outcome]) {
        guard let first = members.first else { return }
        let what =
            withoutBase == .skip
            ? "no BTF is generated" : "standalone BTF is generated, which the kernel does not read"
        let about = failure.about(outcomes[first].path, others: members.count - 1)
        outcomes[first].messages.append(
            .warning("\(about.message): \(what)", hint: failure.hint))
    }

    /// The files whose base belongs to another kernel, by mismatch, in order.
    func foreignBases(
        _ members: [Int], _ subjects: [Swift.Result<Subject, Failure>], _ base: IndexedBase?
    ) -> [(foreign: ForeignBase, files: [Int])] {
        guard let base else { return [] }
        let origin = BaseOrigin(
            path: base.path, release: base.release, machine: base.machine,
            running: search.surroundings.running)
        var found: [(foreign: ForeignBase, files: [Int])] = []
        var places: [ForeignBase: Int] = [:]
        for index in members {
            guard case .success(let subject) = subjects[index],
                let foreign = ForeignBase(
                    release: subject.release, machine: subject.machine, base: base.path,
                    origin: origin, baseMachine: base.machine)
            else { continue }
            if let place = places[foreign] {
                found[place].files.append(index)
            } else {
                places[foreign] = found.count
                found.append((foreign, [index]))
            }
        }
        return found
    }

    /// - Returns: the remaining members.
    func refuse(
        _ members: [Int], _ foreign: [(foreign: ForeignBase, files: [Int])],
        _ outcomes: inout [Outcome]
    ) -> [Int] {
        var refused: Set<Int> = []
        for (foreign, files) in foreign {
            fail(
                files,
                Failure(
                    foreign.message(outcomes[files[0]].path, others: files.count - 1),
                    hint: foreign.hint), &outcomes)
            refused.formUnion(files)
        }
        return members.filter { !refused.contains($0) }
    }

    private func fail(_ members: [Int], _ failure: Failure, _ outcomes: inout [Outcome]) {
        for index in members {
            outcomes[index].failure = failure
            outcomes[index].failed = true
        }
        outcomes[members[0]].messages.append(.failure(failure))
    }
}
