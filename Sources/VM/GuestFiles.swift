// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import HostIO

/// A test that runs in the guest.
package struct GuestTest: Sendable {
    package let name: String
    /// Its path in the guest.
    package let path: String
    /// Time limit in seconds.
    package let seconds: Int
    /// Why it is skipped.
    package let denied: String?
    package let arguments: [String]

    /// As many as the guest's init passes on.
    package static let mostArguments = 56
}

/// Tests and the files that come along, as they will be in the guest, below /tests.
package struct GuestFiles: Sendable {
    package struct File: Sendable {
        /// Its path in the guest.
        package let path: String
        package let mode: UInt32
        package let bytes: ByteView
    }

    package private(set) var files: [File] = []
    package private(set) var tests: [GuestTest] = []

    /// - Parameters:
    ///   - paths: programs, each a test; and directories, in which every executable file is a test
    ///     and everything else comes along.
    ///   - seconds: time limit for each test.
    ///   - denied: tests to skip, with the reason, by name.
    ///   - arguments: for tests, by name.
    ///   - system: the contents of the guest's disk; nil if it has none.
    ///   - busybox: what the guest gets instead; nil for nothing.
    ///   - programs: of the host's that the guest gets.
    /// - Throws: if a test cannot be read, or cannot run in the guest.
    package init(
        _ paths: [String], seconds: Int, denied: [String: String] = [:],
        arguments: [String: [String]] = [:], system: GuestSystem? = nil,
        busybox: Busybox? = nil, programs: HostPrograms? = nil,
        for architecture: Architecture
    ) throws(VMError) {
        /// The path of each test on the host.
        var sources: [(path: String, bytes: ByteView)] = []
        for path in paths {
            let isFolder = FileStatus(path).isDirectory
            let found: [String]
            if isFolder {
                do throws(HostError) { found = try Directory.walk(path) } catch {
                    throw VMError(error)
                }
            } else {
                found = [path]
            }
            let before = tests.count
            for file in found {
                let name = isFolder ? GuestFiles.below(path, file) : GuestFiles.last(path)
                let status = FileStatus(file)
                let isProgram = status.mode & 0o111 != 0
                guard status.isRegular || !status.exists else {
                    throw VMError("\(file): not a regular file")
                }
                let bytes = try add(file, as: name, mode: isProgram || !isFolder ? 0o755 : 0o644)
                guard isFolder else {
                    guard isProgram else {
                        throw VMError("\(path): not executable", hint: "chmod +x \(path)")
                    }
                    addTest(name, seconds, denied, arguments)
                    sources.append((file, bytes))
                    continue
                }
                guard isProgram, !TestProgram.isLibrary(bytes, file) else { continue }
                addTest(name, seconds, denied, arguments)
                sources.append((file, bytes))
            }
            guard tests.count > before else {
                throw VMError(
                    "\(path): no test in this directory: nothing in it is executable",
                    hint: "chmod +x the programs that are tests")
            }
        }
        let brought = Set(files.map { $0.path }).union(programs?.paths ?? [])
        for (test, source) in zip(tests, sources) where test.denied == nil {
            try TestProgram(
                path: source.path, bytes: source.bytes, architecture: architecture,
                system: system, busybox: busybox, brought: brought
            ).check()
        }
    }

    private mutating func addTest(
        _ name: String, _ seconds: Int, _ denied: [String: String], _ arguments: [String: [String]]
    ) {
        tests.append(
            GuestTest(
                name: name, path: "/tests/\(name)", seconds: seconds, denied: denied[name],
                arguments: arguments[name] ?? []))
    }

    /// The same with some of the tests; all files come along.
    package func keeping(_ part: Range<Int>) -> GuestFiles {
        var copy = self
        copy.tests = Array(tests[part.clamped(to: tests.indices)])
        return copy
    }

    private mutating func add(
        _ path: String, as name: String, mode: UInt32
    ) throws(VMError) -> ByteView {
        guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw VMError("\(path): a control character in the name of a test")
        }
        guard !files.contains(where: { $0.path == "/tests/\(name)" }) else {
            throw VMError("\(path): test \(name) was already given")
        }
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw VMError(error) }
        files.append(File(path: "/tests/\(name)", mode: mode, bytes: bytes))
        return bytes
    }

    private static func last(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    private static func below(_ folder: String, _ file: String) -> String {
        String(file.dropFirst(folder.count).drop { $0 == "/" })
    }
}
