// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Synchronization

/// How many bytes of a section may be read, by all threads together, where entries or units say which part.
///
/// Each has a part of its own as a rule (a table of abbreviations, a list of locations), so that the section's size
/// and a little more is read in all. A file may have each of many refer to the same long part, and so ask for the
/// product of both numbers.
final class ReadAllowance: Sendable {
    private let used = Atomic<Int>(0)
    private let most: Int

    /// - Parameter count: bytes of the section.
    init(for count: Int) { most = (1 << 20) + 64 * count }

    /// False when these bytes are more than may be read.
    func take(_ count: Int) -> Bool {
        used.wrappingAdd(count, ordering: .relaxed).newValue <= most
    }
}
