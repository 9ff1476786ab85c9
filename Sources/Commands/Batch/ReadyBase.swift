// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import KernelTree

/// A base that was read, or none, for the files that need it.
struct ReadyBase<Base: SearchedBase>: Sendable {
    let base: Base?
    private let origin: BaseOrigin?

    init(_ base: Base?, _ surroundings: Surroundings) {
        self.base = base
        origin = base.flatMap {
            BaseOrigin(
                path: $0.path, release: $0.release, machine: $0.machine,
                running: surroundings.running)
        }
    }

    /// How the kernel of a file differs from that of the base; nil if it does not, as far as is
    /// known.
    func foreign(_ need: BaseBatch<Base>.Need) -> ForeignBase? {
        guard let base, let machine = need.machine else { return nil }
        return ForeignBase(
            release: need.release, machine: machine, base: base.path, origin: origin,
            baseMachine: base.machine)
    }
}
