// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Lists directories. Results are sorted by bytes, so that every run sees the same order.
package enum Directory {
    /// The names in the directory at `path`, without "." and "..".
    package static func list(_ path: String) throws(HostError) -> [String] {
        try entries(path).map(\.name)
    }

    private struct Entry {
        enum Form { case file, folder, other }

        let name: String
        /// As the directory has it; `other` also where it does not know.
        let form: Form
    }

    private static func entries(_ path: String) throws(HostError) -> [Entry] {
        // SAFETY: the path is NUL-terminated for the call; the stream is closed once.
        guard let stream = unsafe path.withSystemText({ unsafe opendir($0) }) else {
            throw HostError(path, "list", errno: errno)
        }
        defer { _ = unsafe closedir(stream) }
        var entries: [Entry] = []
        while true {
            errno = 0
            // SAFETY: the stream is open, used by this thread only, and each entry is copied before
            // the next call.
            guard let entry = unsafe readdir(stream) else {
                let reason = errno
                if reason != 0 { throw HostError(path, "list", errno: reason) }
                break
            }
            // SAFETY: d_name is NUL-terminated inside the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(systemText: $0)
                }
            }
            guard name != ".", name != ".." else { continue }
            let form: Entry.Form =
                switch unsafe Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .folder
                default: .other
                }
            entries.append(Entry(name: name, form: form))
        }
        entries.sort { precedes($0.name, $1.name) }
        return entries
    }

    /// The order of bytes.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        unsafe a.utf8.withContiguousStorageIfAvailable { a in
            unsafe b.utf8.withContiguousStorageIfAvailable { b in
                // SAFETY: both have as many bytes; an empty one has an address or is not read.
                guard let x = a.baseAddress, let y = b.baseAddress else {
                    return a.count < b.count
                }
                let order = unsafe memcmp(x, y, min(a.count, b.count))
                return order == 0 ? a.count < b.count : order < 0
            }
        }.flatMap { $0 } ?? a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// Creates the directory at `path` and its parents, unless they exist.
    package static func make(_ path: String) throws(HostError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            // SAFETY: the path is NUL-terminated for the call.
            guard unsafe made.withSystemText({ unsafe mkdir($0, 0o777) }) != 0 else { continue }
            let reason = errno
            guard FileStatus(made).isDirectory else {
                throw HostError(path, "make", errno: reason == EEXIST ? ENOTDIR : reason)
            }
        }
    }

    /// What a walk passes by.
    package enum Omission {
        /// A symbolic link with a name that is searched for.
        case link(String)
        /// Another symbolic link, to a directory.
        case folderLink(String)
        /// A directory below the first, which cannot be read: files in it may be missing.
        case unreadable(HostError)
    }

    /// The paths of all regular files under `path` whose names end in one of `suffixes` (all files
    /// if it is empty). Symbolic links are not followed.
    ///
    /// - Parameter omit: called with what is passed by.
    /// - Throws: if the directory itself cannot be listed.
    package static func walk(
        _ path: String, suffixes: [String] = [], omit: (Omission) -> Void
    ) throws(HostError) -> [String] {
        var found: [String] = []
        var pending = [path]
        var children = try entries(path)
        while let folder = pending.popLast() {
            if folder != path {
                do throws(HostError) { children = try entries(folder) } catch {
                    // One that was removed meanwhile holds nothing.
                    if !error.isNotFound { omit(.unreadable(error)) }
                    continue
                }
            }
            /// Why its files cannot be examined: their names alone may be read, which the first of
            /// them shows.
            var reason: Int32?
            for (number, entry) in children.enumerated() {
                let name = entry.name
                let child = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
                let isWanted = suffixes.isEmpty || suffixes.contains { name.hasSuffix($0) }
                if number > 0, reason == nil, entry.form != .other {
                    if entry.form == .folder {
                        pending.append(child)
                    } else if isWanted {
                        found.append(child)
                    }
                    continue
                }
                let status = FileStatus(child, followLinks: false)
                if status.isDirectory {
                    pending.append(child)
                } else if status.isRegular, isWanted {
                    found.append(child)
                } else if status.isSymbolicLink, isWanted {
                    omit(.link(child))
                } else if status.isSymbolicLink, FileStatus(child).isDirectory {
                    omit(.folderLink(child))
                } else if let failure = status.failure, failure != ENOENT {
                    reason = failure
                }
            }
            if let reason { omit(.unreadable(HostError(folder, "search", errno: reason))) }
        }
        found.sort(by: precedes)
        return found
    }

    /// The same, of which nothing may be missing.
    ///
    /// - Throws: also if a directory below cannot be read.
    package static func walk(
        _ path: String, suffixes: [String] = []
    ) throws(HostError) -> [String] {
        var failure: HostError?
        let found = try walk(path, suffixes: suffixes) {
            if case .unreadable(let error) = $0, failure == nil { failure = error }
        }
        if let failure { throw failure }
        return found
    }
}
