// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import Glibc
import HostIO
import Synchronization
import TestSupport
import Testing
import VMCommands

@testable import Commands

/// kbtf, run in this process, or as users run it: the built binary.
enum Command {
    /// What a run left behind.
    struct Result: CustomStringConvertible {
        /// -N when signal N ended the process.
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

    // MARK: In this process

    /// Runs `kbtf` in this process, with no environment but what is given and no cache of bases.
    /// Paths have to be absolute: all tests share one working directory.
    static func kbtf(_ arguments: String..., environment: [String] = []) throws -> Result {
        try run(["kbtf"] + arguments, environment)
    }

    /// - Parameter ownPath: where the program is, for those that it starts.
    static func kbtf(
        _ arguments: [String], environment: [String] = [], ownPath: String? = nil
    ) throws -> Result {
        try run(environment, ownPath: ownPath) { Program.run(["kbtf"] + arguments, in: $0) }
    }

    /// Runs it under another name, as kernel builds do.
    static func role(
        _ name: String, _ arguments: [String], environment: [String] = []
    ) throws -> Result {
        try run(["libexec/" + name] + arguments, environment)
    }

    /// Runs the program that `kbtf vm` becomes.
    static func vm(_ arguments: [String], environment: [String] = []) throws -> Result {
        try run(environment) { VMProgram.run(["kbtf-vm"] + arguments, in: $0) }
    }

    /// A command line that is read once, to be run again and again: reading takes longer than what
    /// most commands do.
    static func prepared(_ arguments: String...) throws -> () throws -> Result {
        let command = try #require(try Kbtf.named(arguments[...]))
        return {
            try run { surroundings in
                do {
                    try command.run(in: surroundings)
                    return 0
                } catch { return Kbtf.report(error, arguments[...], in: surroundings) }
            }
        }
    }

    private static func run(_ words: [String], _ environment: [String]) throws -> Result {
        try run(environment) { Program.run(words, in: $0) }
    }

    private static func run(
        _ environment: [String] = [], ownPath: String? = nil, _ program: (Surroundings) -> Int32
    ) throws -> Result {
        var variables: [String: String] = [:]
        for variable in environment {
            let equals = try #require(variable.firstIndex(of: "="), "NAME=value: \(variable)")
            variables[String(variable[..<equals])] = String(
                variable[variable.index(after: equals)...])
        }
        let (out, err) = (Bytes(), Bytes())
        let status = program(
            Surroundings(
                environment: { [variables] in variables[$0] }, variables: { environment },
                output: Stream(writer: { out.append($0) }),
                errors: Stream(writer: { err.append($0) }), kernel: { RunningKernel() },
                ownPath: { ownPath },
                become: { HostError($0[0], "run", errno: ENOSYS) }))
        return Result(
            status: status, out: out.bytes, err: String(decoding: err.bytes, as: UTF8.self))
    }

    /// What was written so far, from any thread.
    private final class Bytes: Sendable {
        private let storage = Mutex<[UInt8]>([])

        var bytes: [UInt8] { storage.withLock { $0 } }

        func append(_ bytes: [UInt8]) { storage.withLock { $0 += bytes } }
    }

    // MARK: As a process

    /// Runs the built binary.
    static func process(_ arguments: [String], environment: [String] = []) throws -> Result {
        try run([binary] + arguments, environment: environment)
    }

    /// As above, but once for all tests that want to see the same.
    static func processOnce(_ arguments: [String]) throws -> Result {
        try seen.value(arguments) { try process(arguments) }
    }

    private static let seen = Once<[String], Result>()

    /// Runs the built binary under another name.
    static func processRole(
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
