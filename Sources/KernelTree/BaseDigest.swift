// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import Synchronization

/// Distinguishes the BTF of two builds of a kernel: the first 16 hexadecimal digits of
/// its SHA-256, as in `sha256sum /sys/kernel/btf/vmlinux | head -c 16`.
package struct BaseDigest: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big-endian.
    let value: UInt64

    init(value: UInt64) { self.value = value }

    package init(of btf: ByteView) {
        value = btf.withSpan { sha256($0) }.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// nil for anything else than 16 lower-case hexadecimal digits.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 16, !text.contains(where: { $0.isUppercase || $0 == "+" }),
            let value = UInt64(text, radix: 16)
        else { return nil }
        self.value = value
    }

    package var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The digest of a base, computed when it is first asked for: that takes longer than all the rest
/// that is done for a small module. Safe to use from several threads.
package final class LazyBaseDigest: Sendable {
    private let btf: ByteView
    private let known: Mutex<BaseDigest?>

    /// - Parameter known: the digest, from a cache.
    package init(_ btf: ByteView, known: BaseDigest? = nil) {
        self.btf = btf
        self.known = Mutex(known)
    }

    package var value: BaseDigest {
        known.withLock { known in
            let value = known ?? BaseDigest(of: btf)
            known = value
            return value
        }
    }
}
