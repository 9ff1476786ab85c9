// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport

/// The built binary, run as users run it.
enum Command {
    /// What a process left behind.
    struct Result: CustomStringConvertible {
        /// -N when signal N ended it.
        let status: Int32
        let out: [UInt8]
        let err: String

        var text: String { String(decoding: out, as: UTF8.self) }
        var errorLines: [Substring] { err.split(separator: "\n") }
        var description: String { "status \(status)\nstdout: \(text.prefix(2000))\nstderr: \(err)" }
    }

    /// Beside the test bundle, which is this process.
    static let binary: String = {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes {
            readlink(
                "/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        let bundle = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/") + "/kbtf"
    }()

    /// Runs `kbtf`.
    static func kbtf(_ arguments: String..., environment: [String] = []) throws -> Result {
        try run([binary] + arguments, environment: environment)
    }

    /// Runs `kbtf` under another name, as kernel builds do.
    static func role(
        _ name: String, _ arguments: [String], environment: [String] = []
    ) throws -> Result {
        let scratch = try Scratch()
        scratch.link("libexec/" + name, to: binary)
        return try run(["\(scratch.path)/libexec/\(name)"] + arguments, environment: environment)
    }

    /// Runs a line of shell; `$KBTF` is the binary.
    static func shell(_ line: String) throws -> Result { try run(["/bin/sh", "-c", line]) }

    static func run(_ words: [String], environment: [String] = []) throws -> Result {
        let scratch = try Scratch()
        let process = try start(
            words, out: scratch.path + "/out", err: scratch.path + "/err", environment: environment)
        let status = wait(process)
        return Result(
            status: status, out: try FileReader.map(scratch.path + "/out").array,
            err: String(decoding: try FileReader.map(scratch.path + "/err").array, as: UTF8.self))
    }

    /// Starts a process with nothing to read and no cache of bases, and does not wait for it.
    static func start(
        _ words: [String], out: String = "/dev/null", err: String = "/dev/null",
        environment: [String] = []
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let variables =
            environment + [
                "PATH=\(path)", "LC_ALL=C", "KBTF=\(binary)", "SWIFT_BACKTRACE=enable=no",
            ]
        var process: pid_t = 0
        let reason = withArray(words) { argv in
            withArray(variables) { envp in
                posix_spawnp(&process, words[0], &actions, nil, argv, envp)
            }
        }
        guard reason == 0 else { throw HostError(words[0], "run", errno: reason) }
        return process
    }

    /// The exit status of `process`, or the signal that ended it, negative.
    static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }

    private static func withArray<R>(
        _ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
    ) -> R {
        let copies = words.map { $0.withSystemText { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
