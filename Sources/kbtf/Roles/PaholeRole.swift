// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// kbtf called `pahole`.
enum PaholeRole {
    /// - Returns: the exit status.
    static func run(_ arguments: ArraySlice<String>) -> Int32 {
        Talk().say(Failure("pahole: not built yet"))
        return 1
    }
}
