// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import CLinux
import Glibc

/// Replaces directories atomically: readers see the old one or the new one, never a part.
package enum AtomicFolder {
    /// Makes `path` a directory with these files.
    ///
    /// It is written as `.NAME.kbtf-XXXXXXXX` in the same directory and renamed when complete. On
    /// an error it is removed and the old one is unchanged. An old directory is removed with all
    /// its contents: the caller has to know that it may be. A symbolic link to it stays.
    ///
    /// - Parameters:
    ///   - files: paths in the directory, and contents.
    ///   - kept: entries of the old directory that move to the new one, if they exist.
    package static func replace(
        _ path: String, with files: [(path: String, contents: ByteView)],
        keeping kept: [String] = []
    ) throws(HostError) {
        let target = try resolved(path)
        let status = FileStatus(target)
        guard !status.exists || status.isDirectory else {
            throw HostError(path, "replace", errno: ENOTDIR)
        }
        let new = try begin(target, shownAs: path)
        do throws(HostError) {
            try write(files, to: new)
            if status.isDirectory {
                // SAFETY: the path is NUL-terminated for the call.
                guard unsafe new.withSystemText({ unsafe chmod($0, mode_t(status.mode)) }) == 0
                else {
                    throw HostError(path, "replace", errno: errno)
                }
                try exchange(new, target, keeping: kept, shownAs: path)
            } else {
                try rename(new, target, shownAs: path)
            }
        } catch {
            try? remove(new)
            throw error
        }
        // The temporary name now belongs to the old one.
        if status.isDirectory { try remove(new) }
    }

    /// Removes the directory and everything in it; links are removed, not followed.
    package static func remove(_ path: String) throws(HostError) {
        var folders = [path]
        var pending = [path]
        while let folder = pending.popLast() {
            for name in try Directory.list(folder) {
                let child = folder + "/" + name
                if FileStatus(child, followLinks: false).isDirectory {
                    folders.append(child)
                    pending.append(child)
                } else {
                    try AtomicFile.remove(child)
                }
            }
        }
        // A directory precedes those in it.
        for folder in folders.reversed() {
            // SAFETY: the path is NUL-terminated for the call.
            guard unsafe folder.withSystemText({ unsafe rmdir($0) }) == 0 else {
                throw HostError(folder, "remove", errno: errno)
            }
        }
    }

    /// Without links and trailing slashes.
    private static func resolved(_ path: String) throws(HostError) -> String {
        if let real = try realPath(path) { return real }
        var trimmed = path[...]
        while trimmed.utf8.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        return String(trimmed)
    }

    /// nil if there is nothing.
    private static func realPath(_ path: String) throws(HostError) -> String? {
        // SAFETY: realpath returns a malloc'd string or nil; it is freed after the copy.
        guard let text = unsafe path.withSystemText({ unsafe realpath($0, nil) }) else {
            guard errno == ENOENT else { throw HostError(path, "replace", errno: errno) }
            return nil
        }
        defer { unsafe free(text) }
        return unsafe String(systemText: text)
    }

    /// Makes an empty directory beside the one that it will replace, with a temporary name.
    ///
    /// - Parameters:
    ///   - path: its name in errors; `target` without one.
    ///   - isPrivate: nobody else may read it.
    package static func begin(
        _ target: String, shownAs path: String? = nil, isPrivate: Bool = false
    ) throws(HostError) -> String {
        let path = path ?? target
        for candidate in TemporaryNames(beside: target) {
            // SAFETY: the path is NUL-terminated for the call.
            if unsafe candidate.withSystemText({ unsafe mkdir($0, isPrivate ? 0o700 : 0o777) }) == 0
            {
                return candidate
            }
            guard errno == EEXIST else { throw HostError(path, "make", errno: errno) }
        }
        throw HostError(path, "make", errno: EEXIST)
    }

    static func write(
        _ files: [(path: String, contents: ByteView)], to folder: String
    ) throws(HostError) {
        for file in files {
            let path = folder + "/" + file.path
            try Directory.make(String(AtomicFile.folder(of: path).dropLast()))
            try AtomicFile.replace(path, with: [file.contents])
        }
    }

    private static func exchange(
        _ new: String, _ target: String, keeping kept: [String], shownAs path: String
    ) throws(HostError) {
        try swap(new, target, path)
        for (index, name) in kept.enumerated() {
            let from = new + "/" + name
            guard FileStatus(from, followLinks: false).exists else { continue }
            do throws(HostError) {
                try rename(from, target + "/" + name, shownAs: path)
            } catch {
                // Moves everything back.
                for name in kept[..<index] {
                    try? rename(target + "/" + name, new + "/" + name, shownAs: path)
                }
                try swap(new, target, path)
                throw error
            }
        }
    }

    private static func swap(_ one: String, _ other: String, _ path: String) throws(HostError) {
        // SAFETY: both paths are NUL-terminated for the call.
        guard
            unsafe one.withSystemText({ one in
                unsafe other.withSystemText { other in unsafe linux_exchange(one, other) }
            }) == 0
        else {
            throw HostError(path, "replace", errno: errno)
        }
    }

    /// Renames a directory.
    package static func rename(
        _ old: String, _ new: String, shownAs path: String
    ) throws(HostError) {
        // SAFETY: both paths are NUL-terminated for the call.
        guard
            unsafe old.withSystemText({ old in
                unsafe new.withSystemText { new in unsafe Glibc.rename(old, new) }
            }) == 0
        else {
            throw HostError(path, "replace", errno: errno)
        }
    }
}
