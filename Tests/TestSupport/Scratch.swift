// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO

/// A directory that is removed with its value.
package final class Scratch {
    package let path: String

    package init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        let root = parent.hasPrefix("/") ? parent : "/tmp"
        var template = Array((root + "/kbtf-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw HostError(root, "write", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Scratch.remove(path) }

    /// Writes a file and the directories above it; answers its path.
    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = makeParents(name)
        try AtomicFile.replace(file, with: [ByteView(bytes)])
        return file
    }

    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    /// A process that another test starts just now has copies of this one's descriptors, and what
    /// is open for writing does not run (ETXTBSY): a program is written by a process of its own.
    ///
    /// - Parameter mode: whatever the process' mask is.
    @discardableResult
    package func write(_ name: String, _ text: String, mode: mode_t) throws -> String {
        guard mode & 0o111 != 0 else {
            let file = try write(name, text)
            file.withSystemText { _ = chmod($0, mode) }
            return file
        }
        let source = try write(name + ".text", text)
        defer { source.withSystemText { _ = unlink($0) } }
        let file = self(name)
        guard shell("install -m \(String(mode, radix: 8)) '\(source)' '\(file)'") else {
            throw HostError(file, "write", errno: EIO)
        }
        return file
    }

    /// The path of a file in it.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    package func read(_ name: String) throws -> String {
        String(decoding: try FileReader.map(self(name)).array, as: UTF8.self)
    }

    package func link(_ name: String, to target: String) { symlink(target, makeParents(name)) }

    private func makeParents(_ name: String) -> String {
        let file = path + (name.hasPrefix("/") ? name : "/" + name)
        var at = path
        for part in file.dropFirst(path.count).split(separator: "/").dropLast() {
            at += "/" + part
            at.withSystemText { _ = mkdir($0, 0o755) }
        }
        return file
    }

    private static func remove(_ path: String) {
        for name in (try? Directory.list(path)) ?? [] {
            let child = "\(path)/\(name)"
            let status = FileStatus(child, followLinks: false)
            if status.isDirectory {
                remove(child)
            } else {
                child.withSystemText { _ = unlink($0) }
            }
        }
        path.withSystemText { _ = rmdir($0) }
    }
}
