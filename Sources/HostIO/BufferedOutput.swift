// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

/// Collects bytes and writes them to a descriptor in large pieces. Call `flush` at the end: bytes
/// still in the buffer when the value is destroyed are lost.
///
/// A reader that went away (`EPIPE`, as with `| head`) is not an error: the rest is silently
/// dropped.
package struct BufferedOutput: ~Copyable {
    private let fd: Int32
    private let name: String
    private let capacity: Int
    private var buffer: [UInt8] = []
    /// The pipe has no reader any more; nothing more is written.
    package private(set) var isClosed = false

    /// - Parameters:
    ///   - fd: an open descriptor; it is not closed here.
    ///   - name: its name in errors.
    ///   - capacity: the buffer size in bytes.
    package init(fd: Int32, name: String, capacity: Int = 1 << 16) {
        self.fd = fd
        self.name = name
        self.capacity = capacity
        buffer.reserveCapacity(capacity)
    }

    /// The process's standard output.
    package static var standardOutput: BufferedOutput {
        BufferedOutput(fd: STDOUT_FILENO, name: "standard output")
    }

    /// The process's standard error.
    package static var standardError: BufferedOutput {
        BufferedOutput(fd: STDERR_FILENO, name: "standard error")
    }

    package mutating func append(_ text: String) throws(HostError) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= capacity { try flush() }
    }

    package mutating func append(byte: UInt8) throws(HostError) {
        buffer.append(byte)
        if buffer.count >= capacity { try flush() }
    }

    /// Appends `bytes`; many are written directly from their memory.
    package mutating func append(bytes: [UInt8]) throws(HostError) {
        if bytes.count < capacity {
            buffer.append(contentsOf: bytes)
            if buffer.count >= capacity { try flush() }
            return
        }
        try flush()
        guard !isClosed else { return }
        // SAFETY: the bytes are written inside the call.
        let reason = unsafe bytes.withUnsafeBytes { unsafe writeAll(fd, $0) }
        try finish(reason)
    }

    /// Appends `view`; large views are written directly from their memory.
    package mutating func append(_ view: ByteView) throws(HostError) {
        if view.count < capacity {
            // SAFETY: the bytes are copied inside the call.
            unsafe view.withUnsafeBytes { unsafe buffer.append(contentsOf: $0) }
            if buffer.count >= capacity { try flush() }
            return
        }
        try flush()
        guard !isClosed else { return }
        // SAFETY: the bytes are written inside the call.
        let reason = unsafe view.withUnsafeBytes { unsafe writeAll(fd, $0) }
        try finish(reason)
    }

    /// Writes the buffer.
    package mutating func flush() throws(HostError) {
        defer { buffer.removeAll(keepingCapacity: true) }
        guard !isClosed, !buffer.isEmpty else { return }
        // SAFETY: the buffer is not touched during the call.
        let reason = unsafe buffer.withUnsafeBytes { unsafe writeAll(fd, $0) }
        try finish(reason)
    }

    private mutating func finish(_ reason: Int32) throws(HostError) {
        if reason == EPIPE {
            isClosed = true
        } else if reason != 0 {
            throw HostError(name, "write", errno: reason)
        }
    }
}
