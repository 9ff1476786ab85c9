// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import ELF
import HostIO

/// A static busybox for guests without a system: `/bin/sh` and its other commands.
package struct Busybox: Sendable {
    let bytes: ByteView
    private let commands: Set<String>

    /// In the guest.
    static let path = "/bin/busybox"
    /// Where `busybox --install` links its commands.
    private static let folders = ["/bin", "/sbin", "/usr/bin", "/usr/sbin"]
    private static let mostName = 24

    /// - Throws: if the file cannot be read, is not a busybox, or cannot run in guests of this
    ///   architecture.
    package init(_ path: String, for architecture: Architecture) throws(VMError) {
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw VMError(error) }
        do {
            try TestProgram(
                path: path, bytes: bytes, architecture: architecture, system: nil, busybox: nil,
                brought: []
            ).checkProgram()
        } catch {
            throw VMError(error.description, hint: "Debian's busybox-static has one")
        }
        commands = Busybox.commands(in: bytes)
        guard commands.isSuperset(of: ["busybox", "sh"]) else {
            throw VMError("\(path): not a busybox with a shell")
        }
    }

    /// Whether `path` will be one of its commands: false, or nil if that cannot be ruled out, since
    /// each is in one directory only.
    func has(_ path: String) -> Bool? {
        if path == Busybox.path || path == "/bin/sh" { return true }
        guard let slash = path.lastIndex(of: "/"), Busybox.folders.contains(String(path[..<slash])),
            commands.contains(String(path[path.index(after: slash)...]))
        else { return false }
        return nil
    }

    /// The names of its commands: a busybox has them as one table of strings in order, which the
    /// longest such row with `sh` in it is.
    private static func commands(in bytes: ByteView) -> Set<String> {
        var longest: [[UInt8]] = []
        var row: [[UInt8]] = []
        var name: [UInt8] = []
        func end() {
            if row.count > longest.count, row.contains(Array("sh".utf8)) { longest = row }
            row = []
        }
        for index in 0..<bytes.count {
            guard bytes[index] == 0 else {
                if name.count <= mostName { name.append(bytes[index]) }
                continue
            }
            let isName =
                (1...mostName).contains(name.count)
                && name.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }
            if !isName || row.last.map({ !$0.lexicographicallyPrecedes(name) }) == true { end() }
            if isName { row.append(name) }
            name.removeAll(keepingCapacity: true)
        }
        end()
        return Set(longest.map { String(decoding: $0, as: UTF8.self) })
    }
}
