// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Synchronization

/// Makes each value once, whatever number of tests ask for it and when.
package final class Once<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private let entries = Mutex<[Key: Entry]>([:])

    package init() {}

    /// The value for `key`. Who asks while another thread makes it waits for that.
    ///
    /// - Throws: what `make` throws; the next who asks tries again.
    package func value(_ key: Key, _ make: () throws -> Value) throws -> Value {
        let entry = entries.withLock { entries in
            if let entry = entries[key] { return entry }
            let entry = Entry()
            entries[key] = entry
            return entry
        }
        return try entry.value.withLock { value in
            if let value { return value }
            let made = try make()
            value = made
            return made
        }
    }
}
