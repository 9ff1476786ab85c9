// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

extension AtomicFile {
    /// As `replace`, but leaves a file that has these contents already as it is, with its time.
    /// - Returns: true when the file was written.
    package static func update(
        _ path: String, with chunks: [ByteView]
    ) throws(HostError) -> Bool {
        if has(path, chunks) { return false }
        try replace(path, with: chunks)
        return true
    }

    private static func has(_ path: String, _ chunks: [ByteView]) -> Bool {
        let status = FileStatus(path)
        guard status.isRegular, status.size == UInt64(chunks.reduce(0) { $0 + $1.count }),
            let old = try? FileReader.map(path)
        else { return false }
        var at = 0
        for chunk in chunks {
            guard let part = old.slice(at, chunk.count), same(part, chunk) else { return false }
            at += chunk.count
        }
        return at == old.count
    }

    private static func same(_ one: ByteView, _ other: ByteView) -> Bool {
        unsafe one.withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                guard one.count == other.count else { return false }
                guard let first = unsafe one.baseAddress, let second = unsafe other.baseAddress
                else { return one.isEmpty }
                // SAFETY: both have that many bytes, and live through the call.
                return unsafe memcmp(first, second, one.count) == 0
            }
        }
    }
}
