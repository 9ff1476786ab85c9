// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// kbtf called `resolve_btfids`.
enum ResolveBTFIDsRole {
    /// - Returns: the exit status.
    static func run(_ arguments: ArraySlice<String>) -> Int32 {
        Talk().say(Failure("resolve_btfids: not built yet"))
        return 255
    }
}
