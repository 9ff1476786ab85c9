// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A line on a terminal that tells how far a long batch is. Work that takes less than two seconds, `-q`,
/// and what is no terminal see nothing of it.
package struct Progress: Sendable {
    package let total: Int
    /// Files of groups that are through.
    package var done = 0
    /// What is done to them, such as `encoding`.
    private let activity: String
    private let isShown: Bool
    private let surroundings: Surroundings
    private let start: Int

    package init(total: Int, activity: String, talk: Talk, _ surroundings: Surroundings) {
        self.total = total
        self.activity = activity
        isShown = total > 1 && !talk.isQuiet && surroundings.errors.isTerminal()
        self.surroundings = surroundings
        start = surroundings.milliseconds()
    }

    /// Work begins on file number `position` of a group of `count`. Called from any thread: indexes are
    /// handed out in rising order, so they need no common counter.
    package func show(_ position: Int, of count: Int) {
        guard isShown, position % max(1, count / 200) == 0, isLong else { return }
        write("\r\(activity) \(done + position + 1) of \(total)")
    }

    /// Takes the line away.
    package func clear() { if isShown, isLong { write("\r\u{1b}[K") } }

    private var isLong: Bool { surroundings.milliseconds() - start > 2000 }

    private func write(_ text: String) { try? surroundings.errors.print(text) }
}
