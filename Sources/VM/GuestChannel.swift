// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// What a saved machine finds in its channel when it goes on: a page with the words below, and the
/// archive that a machine that boots has as its initramfs. selftests/guest/channel.c reads it.
struct GuestChannel {
    private static let page = 4096
    static let randomBytes = 64

    /// The channel's size in bytes for an archive: few sizes, so that few machines are saved.
    ///
    /// - Returns: nil if it does not fit in any.
    static func size(for archive: [ByteView]) -> Int? {
        let bytes = page + archive.reduce(0) { $0 + $1.count }
        return [64 << 20, 512 << 20].first { $0 >= bytes }
    }

    let contents: [ByteView]

    /// - Parameters:
    ///   - time: the host's, in nanoseconds since 1970.
    ///   - random: bytes that no other guest gets.
    ///   - isBigEndian: the guest's byte order.
    init(archive: [ByteView], time: Int64, random: [UInt8], isBigEndian: Bool) {
        let second: Int64 = 1_000_000_000
        var head = ByteWriter(bigEndian: isBigEndian)
        head.put(UInt64(1))
        head.put(UInt64(archive.reduce(0) { $0 + $1.count }))
        head.put(time / second)
        head.put(time % second)
        head.put(random)
        head.align(to: GuestChannel.page)
        contents = [ByteView(head.bytes)] + archive
    }

    /// Random bytes of the host.
    static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<randomBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
