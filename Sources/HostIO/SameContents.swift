// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Glibc

extension ByteView {
    /// Whether these are the bytes of `chunks`, in order: a file with such contents need not be
    /// written.
    package func holds(_ chunks: [ByteView]) -> Bool {
        guard count == chunks.reduce(0, { $0 + $1.count }) else { return false }
        var at = 0
        for chunk in chunks {
            guard let part = slice(at, chunk.count), part.isSame(as: chunk) else { return false }
            at += chunk.count
        }
        return true
    }

    private func isSame(as other: ByteView) -> Bool {
        unsafe withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                guard one.count == other.count else { return false }
                guard let first = one.baseAddress, let second = other.baseAddress
                else { return unsafe one.isEmpty }
                // SAFETY: both have that many bytes and outlive the call.
                return unsafe memcmp(first, second, one.count) == 0
            }
        }
    }
}
