// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc

/// How long a fuzz test goes on: so many rounds, or the seconds that `make fuzz` asks for.
package struct FuzzClock {
    private let end: ContinuousClock.Instant?
    private var left: Int

    package init(rounds: Int) {
        let asked = getenv("KBTF_FUZZ_SECONDS").flatMap { Double(String(cString: $0)) }
        end = asked.map { .now + .seconds($0) }
        left = rounds
    }

    /// Whether there is time for one more.
    package mutating func goesOn() -> Bool {
        left -= 1
        return end.map { ContinuousClock.now < $0 } ?? (left >= 0)
    }
}
