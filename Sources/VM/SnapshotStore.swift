// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Saved machines in the cache directory: a directory for each key. Several processes may use it.
///
/// A snapshot is written to a directory with a temporary name, under a lock of its key, and renamed
/// when complete. Nothing here waits for others: who does not get a lock does without.
package struct SnapshotStore: Sendable {
    let folder: String
    /// Snapshots kept, and the bytes that they take together. The one used last is always kept.
    let capacity: Int
    let mostBytes: UInt64

    /// - Parameter folder: made when a machine is saved.
    package init(folder: String, capacity: Int = 32, mostBytes: UInt64 = 4 << 30) {
        self.folder = folder
        self.capacity = capacity
        self.mostBytes = mostBytes
    }

    enum Found {
        case snapshot(Snapshot)
        /// A machine with this key cannot be saved, for this reason.
        case refusal(String)
        case nothing
    }

    func find(_ key: SnapshotKey) -> Found {
        let path = path(key)
        if let snapshot = Snapshot(path, for: key) {
            // The order in which they are removed is that of their last use.
            FileStatus.touch(path)
            return .snapshot(snapshot)
        }
        if let text = PrivateFile.map("\(path)/\(Snapshot.File.refusal)"),
            case let text = String(decoding: text.array, as: UTF8.self), text.hasPrefix(key.text)
        {
            FileStatus.touch(path)
            return .refusal(String(text.dropFirst(key.text.count)))
        }
        return .nothing
    }

    /// Writes a snapshot, or a refusal.
    ///
    /// - Parameter body: gets an empty directory to write to; false if it is of no use.
    /// - Returns: false if another process does that just now, and nothing was done.
    func write(
        _ key: SnapshotKey, _ body: (_ folder: String) throws(HostError) -> Bool
    ) throws(HostError) -> Bool {
        try Directory.make(folder)
        guard let lock = lock(key.number) else { return false }
        defer { withExtendedLifetime(lock) {} }
        let path = path(key)
        let new = try AtomicFolder.begin(path, isPrivate: true)
        do throws(HostError) {
            guard try body(new) else {
                try AtomicFolder.remove(new)
                return true
            }
            // An old directory is of no use, or it would have been found.
            if FileStatus(path).exists { try AtomicFolder.remove(path) }
            try AtomicFolder.rename(new, path, shownAs: path)
        } catch {
            try? AtomicFolder.remove(new)
            throw error
        }
        prune(keeping: key.name)
        return true
    }

    func remove(_ key: SnapshotKey) { try? AtomicFolder.remove(path(key)) }

    /// Whether there is room for a guest's memory, and some more.
    func hasRoom(_ bytes: Int) -> Bool {
        try? Directory.make(folder)
        return FileStatus.freeBytes(folder) >= UInt64(bytes) + 1 << 30
    }

    private func path(_ key: SnapshotKey) -> String { "\(folder)/\(key.name)" }

    private func lock(_ number: UInt64) -> FileLock? {
        FileLock("\(folder)/lock", number: number)
    }

    /// Removes what was used longest ago, as far as there are too many, and what killed processes
    /// left behind.
    private func prune(keeping kept: String) {
        guard let names = try? Directory.list(folder) else { return }
        var entries: [(used: Int64, name: String, bytes: UInt64)] = []
        for name in names {
            let path = "\(folder)/\(name)"
            if name.hasPrefix("."), let number = UInt64(name.dropFirst().prefix(16), radix: 16) {
                // Its writer holds the lock for as long as it lives.
                if let lock = lock(number) {
                    try? AtomicFolder.remove(path)
                    withExtendedLifetime(lock) {}
                }
            } else if name.utf8.count == 16, UInt64(name, radix: 16) != nil, name != kept {
                let files = (try? Directory.list(path)) ?? []
                let bytes = files.map { FileStatus("\(path)/\($0)").allocated }.reduce(0, +)
                entries.append((FileStatus(path).modified, name, bytes))
            }
        }
        entries.sort { ($0.used, $0.name) > ($1.used, $1.name) }
        let own = (try? Directory.list("\(folder)/\(kept)")) ?? []
        var bytes = own.map { FileStatus("\(folder)/\(kept)/\($0)").allocated }.reduce(0, +)
        for (index, entry) in entries.enumerated() {
            bytes += entry.bytes
            if index + 1 >= capacity || bytes > mostBytes {
                try? AtomicFolder.remove("\(folder)/\(entry.name)")
            }
        }
    }
}
