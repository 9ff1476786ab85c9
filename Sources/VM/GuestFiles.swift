// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import ELF
import HostIO

/// A test that runs in the guest.
package struct GuestTest: Sendable {
    package let name: String
    /// In the guest.
    package let path: String
    /// Seconds it may take.
    package let seconds: Int
    /// Why it is not to run.
    package let denied: String?
}

/// Tests and what they bring along, as they will lie in the guest, below /tests.
package struct GuestFiles: Sendable {
    package struct File: Sendable {
        /// In the guest.
        package let path: String
        package let mode: UInt32
        package let bytes: ByteView
    }

    package private(set) var files: [File] = []
    package private(set) var tests: [GuestTest] = []
    private let hasSystem: Bool

    /// - Parameters:
    ///   - paths: programs, each a test; and folders, in which every file that may be executed is one, and
    ///     all else comes along.
    ///   - seconds: what each test may take.
    ///   - denied: tests that are not to run, and why, by name.
    ///   - hasSystem: the guest's root has interpreters and libraries.
    package init(
        _ paths: [String], seconds: Int, denied: [String: String] = [:],
        hasSystem: Bool = false, for architecture: Architecture
    ) throws(VMError) {
        self.hasSystem = hasSystem
        for path in paths {
            let status = FileStatus(path)
            guard status.isDirectory else {
                let name = GuestFiles.last(path)
                try add(path, as: name, mode: 0o755, architecture)
                addTest(name, seconds, denied)
                continue
            }
            let files: [String]
            do throws(HostError) { files = try Directory.walk(path) } catch { throw VMError(error) }
            for file in files {
                let name = GuestFiles.below(path, file)
                let isProgram = FileStatus(file).mode & 0o111 != 0
                try add(file, as: name, mode: isProgram ? 0o755 : 0o644, architecture)
                if isProgram { addTest(name, seconds, denied) }
            }
        }
    }

    private mutating func addTest(_ name: String, _ seconds: Int, _ denied: [String: String]) {
        tests.append(
            GuestTest(name: name, path: "/tests/\(name)", seconds: seconds, denied: denied[name]))
    }

    private mutating func add(
        _ path: String, as name: String, mode: UInt32, _ architecture: Architecture
    ) throws(VMError) {
        guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw VMError("\(path): a control character in the name of a test")
        }
        guard !files.contains(where: { $0.path == "/tests/\(name)" }) else {
            throw VMError("\(path): there is a test \(name) among the others already")
        }
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw VMError(error) }
        if mode & 0o111 != 0 { try check(bytes, path, architecture) }
        files.append(File(path: "/tests/\(name)", mode: mode, bytes: bytes))
    }

    /// A program that the guest cannot run is better told about here than after the boot.
    private func check(
        _ bytes: ByteView, _ path: String, _ architecture: Architecture
    ) throws(VMError) {
        if bytes.hasBytes("#!"), !hasSystem {
            throw VMError(
                "\(path): a script, and the guest has no interpreter for it",
                hint: "make it a static program; or give the guest a system: --image debian")
        }
        guard ELFFile.isELF(bytes) else { return }
        let file: ELFFile
        do throws(ELFError) { file = try ELFFile(bytes, path: path) } catch { throw VMError(error) }
        if !architecture.runs(file) {
            throw VMError("\(path): not a program for \(architecture.name)")
        }
        // PT_INTERP.
        if !hasSystem, file.segments.contains(where: { $0.type == 3 }) {
            throw VMError(
                "\(path): linked dynamically, and the guest has no libraries",
                hint: "link it with -static; or give the guest a system: --image debian")
        }
    }

    private static func last(_ path: String) -> String {
        String(path.split(separator: "/").last ?? "")
    }

    private static func below(_ folder: String, _ file: String) -> String {
        String(file.dropFirst(folder.count).drop { $0 == "/" })
    }
}
