// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Synchronization

/// Limits the bytes of a section that all threads together may read where entries or units choose
/// the part.
///
/// Normally each has its own part (an abbreviation table, a location list), so that the section's
/// size and a little more is read in total. In a hostile file many of them may refer to the same
/// long part, which would multiply the two numbers.
final class ReadAllowance: Sendable {
    private let used = Atomic<Int>(0)
    private let most: Int

    /// - Parameter count: bytes of the section.
    init(for count: Int) { most = (1 << 20) + 64 * count }

    /// False if this exceeds the limit.
    func take(_ count: Int) -> Bool {
        used.wrappingAdd(count, ordering: .relaxed).newValue <= most
    }
}
