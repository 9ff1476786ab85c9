// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import CLinux
import Glibc

/// A child process with its standard output and error on pipes.
///
/// It is killed and waited for when the value is destroyed. It also ends with this process, however
/// that ends (SIGKILL included): it is started through a `leash`, a program that calls
/// `ChildProcess.leash`. The kernel watches the thread that started it, so that thread has to
/// outlive the value.
package struct ChildProcess: ~Copyable {
    /// How a child ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// Input from the child.
    package enum Input: Sendable {
        case output([UInt8])
        case errors([UInt8])
        /// From the other end of its control socket.
        case control([UInt8])
        /// Nothing arrived within the given time.
        case nothing
        /// Both pipes are at their end, and so is the control socket.
        case end
    }

    /// How to start children.
    package struct Launcher: Sendable {
        /// The command line of a program that calls `leash` with the words that follow.
        package let leash: [String]
        /// `NAME=value` each.
        package let environment: [String]

        package init(leash: [String], environment: [String]) {
            self.leash = leash
            self.environment = environment
        }
    }

    /// The descriptor of the first file that a program is given; those of others follow, and then
    /// that of its control socket.
    package static let firstDescriptor = 3

    /// The path at which a program finds a file it is given, by the file's index.
    package static func path(ofFile index: Int) -> String {
        "/proc/self/fd/\(firstDescriptor + index)"
    }

    private let process: pid_t
    private var output: Int32
    private var errors: Int32
    private var control: Int32 = -1
    private var ending: Ending?

    /// Starts `words`; the first one is searched in PATH unless it contains a slash.
    ///
    /// - Parameters:
    ///   - files: what it has open, at `path(ofFile:)`.
    ///   - hasControl: it also has a socket, whose other end is this value's.
    package init(
        _ words: [String], launcher: Launcher, files: [OpenFile] = [], hasControl: Bool = false
    ) throws(HostError) {
        let name = words.first ?? ""
        let out = try Pipe(name)
        let err = try Pipe(name)
        var ends: [Int32] = [-1, -1]
        defer { for end in ends where end >= 0 { _ = close(end) } }
        // SAFETY: the array has room for two.
        if hasControl, unsafe linux_socket_pair(&ends) != 0 {
            throw HostError(name, "run", errno: errno)
        }
        defer { withExtendedLifetime(files) {} }
        let given = files.map(\.fd) + (hasControl ? [ends[1]] : [])
        // Out of the way of the numbers that they are to have.
        let copies = given.map { fcntl($0, F_DUPFD_CLOEXEC, 64) }
        defer { for copy in copies where copy >= 0 { _ = close(copy) } }
        guard copies.allSatisfy({ $0 >= 0 }) else { throw HostError(name, "run", errno: EMFILE) }
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        // SAFETY: both are initialised here, used by the call below, and destroyed on every exit.
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, out.writing, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, err.writing, 2)
        for (index, copy) in copies.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(
                &actions, copy, Int32(ChildProcess.firstDescriptor + index))
        }
        // An ignored signal stays ignored in a new program.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        let all = launcher.leash + ["\(getpid())"] + words
        var child: pid_t = 0
        // SAFETY: every word is a NUL-terminated copy, freed after the call; the list ends with
        // nil.
        let texts = unsafe all.map { unsafe $0.withSystemText { unsafe strdup($0) } }
        let variables = unsafe launcher.environment.map {
            unsafe $0.withSystemText { unsafe strdup($0) }
        }
        defer { _ = unsafe (texts + variables).map { unsafe free($0) } }
        let reason = unsafe posix_spawnp(
            &child, all[0], &actions, &attributes, texts + [nil], variables + [nil])
        guard reason == 0 else { throw HostError(all[0], "run", errno: reason) }
        process = child
        output = out.takeReading()
        errors = err.takeReading()
        control = ends[0]
        ends[0] = -1
    }

    deinit {
        if control >= 0 { _ = close(control) }
        if output >= 0 { _ = close(output) }
        if errors >= 0 { _ = close(errors) }
        if ending == nil {
            _ = Glibc.kill(process, SIGKILL)
            _ = ChildProcess.wait(process)
        }
    }

    /// The next input, within `milliseconds`.
    package mutating func read(milliseconds: Int) -> Input {
        guard isOpen else { return .end }
        // poll ignores negative descriptors.
        var ready = [output, errors, control].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // SAFETY: the array has three elements.
        let count = unsafe poll(&ready, 3, Int32(clamping: max(0, milliseconds)))
        guard count > 0 else { return .nothing }
        if ready[0].revents != 0 {
            if let bytes = ChildProcess.take(&output) { return .output(bytes) }
        } else if ready[1].revents != 0 {
            if let bytes = ChildProcess.take(&errors) { return .errors(bytes) }
        } else if ready[2].revents != 0, let bytes = ChildProcess.take(&control) {
            return .control(bytes)
        }
        return isOpen ? .nothing : .end
    }

    private var isOpen: Bool { output >= 0 || errors >= 0 || control >= 0 }

    /// Writes to its control socket, unless it has closed that.
    package func send(_ bytes: [UInt8]) {
        // SAFETY: the bytes are sent inside the call. A socket that is closed is no signal here.
        unsafe bytes.withUnsafeBytes {
            _ = unsafe Glibc.send(control, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// Kills it, unless it has ended.
    package mutating func kill() {
        if ending == nil { _ = Glibc.kill(process, SIGKILL) }
    }

    /// Waits until it ends.
    package mutating func wait() -> Ending {
        if let ending { return ending }
        let status = ChildProcess.wait(process)
        let ended: Ending =
            status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
        ending = ended
        return ended
    }

    /// Becomes the program `words`, which is killed when the process `parent` ends. For a program
    /// that was started as a leash.
    ///
    /// - Returns: only on failure.
    package static func leash(parent: Int32, _ words: [String]) -> HostError {
        let name = words.first ?? ""
        guard linux_die_with_parent() == 0 else { return HostError(name, "run", errno: errno) }
        // It may have ended before the line above.
        guard getppid() == parent else { return HostError(name, "run", errno: ESRCH) }
        return become(words)
    }

    /// Becomes the program `words`.
    ///
    /// - Returns: only on failure.
    package static func become(_ words: [String]) -> HostError {
        // SAFETY: every word is a NUL-terminated copy that lives as long as this process's memory.
        let copies = unsafe words.map { unsafe $0.withSystemText { unsafe strdup($0) } } + [nil]
        guard let name = words.first else { return HostError("", "run", errno: EINVAL) }
        _ = unsafe name.withSystemText { unsafe execvp($0, copies) }
        return HostError(name, "run", errno: errno)
    }

    /// Reads from `fd`; at its end the descriptor is closed and made negative, and the result is
    /// nil.
    private static func take(_ fd: inout Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        // SAFETY: the buffer's own size is passed; the result says how much of it is filled.
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe Glibc.read(fd, $0.baseAddress, $0.count)
        }
        if count > 0 {
            bytes.removeLast(bytes.count - count)
            return bytes
        }
        if count < 0, errno == EINTR { return [] }
        _ = close(fd)
        fd = -1
        return nil
    }

    private static func wait(_ process: pid_t) -> Int32 {
        var status: Int32 = 0
        // SAFETY: `status` is a local of the right type.
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

/// Two ends, closed with the value unless taken.
private struct Pipe: ~Copyable {
    private let reading: Int32
    let writing: Int32

    init(_ name: String) throws(HostError) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the array has room for two.
        guard unsafe linux_pipe(&ends) == 0 else { throw HostError(name, "run", errno: errno) }
        reading = ends[0]
        writing = ends[1]
    }

    deinit {
        _ = close(reading)
        _ = close(writing)
    }

    /// A copy of the reading end for the caller to close.
    func takeReading() -> Int32 { fcntl(reading, F_DUPFD_CLOEXEC, 0) }
}
