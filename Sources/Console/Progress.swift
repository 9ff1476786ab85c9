// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A progress line on a terminal for a long batch. Not shown for work of less than two seconds,
/// with `-q`, and on anything but a terminal.
package struct Progress: Sendable {
    package let total: Int
    /// Files in finished groups.
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

    /// Work begins on file number `position` of a group of `count`. Called from any thread: indexes
    /// are handed out in rising order, so no common counter is needed.
    package func show(_ position: Int, of count: Int) {
        guard isShown, position % max(1, count / 200) == 0, isLong else { return }
        write("\r\(activity) \(done + position + 1) of \(total)")
    }

    /// Removes the line.
    package func clear() { if isShown, isLong { write("\r\u{1b}[K") } }

    private var isLong: Bool { surroundings.milliseconds() - start > 2000 }

    private func write(_ text: String) { try? surroundings.errors.print(text) }
}
