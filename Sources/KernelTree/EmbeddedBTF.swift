// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes

/// Searches for a kernel's BTF in memory without a section table: a raw image, or a tar file.
enum EmbeddedBTF {
    /// Below this it is not a kernel's: blobs of preloaded BPF programs have some tens of types,
    /// the smallest kernels some ten thousand.
    static let leastTypes = TargetEvidence.leastTypes
    /// A hostile file may contain any number of headers; at most this many are fully parsed.
    static let mostParsed = 32

    enum Result {
        case none
        case one(ByteView)
        /// More than one, at these offsets.
        case ambiguous([Int])
    }

    /// The only kernel BTF inside `view`, from its header to the end of its last section.
    static func find(in view: ByteView) -> Result {
        var found: [(offset: Int, bytes: ByteView)] = []
        var parsed = 0
        for magic: [UInt8] in [[0x9f, 0xeb, 1, 0], [0xeb, 0x9f, 1, 0]] {
            var at = 0
            while parsed < mostParsed, let hit = view.find(magic, from: at) {
                at = hit + 1
                guard let bytes = candidate(view, hit, bigEndian: magic[0] == 0xeb) else {
                    continue
                }
                parsed += 1
                guard let btf = try? BTF.parse(bytes), Int(btf.typeCount) > leastTypes else {
                    continue
                }
                found.append((hit, bytes))
                at = hit + bytes.count
            }
        }
        found.sort { $0.offset < $1.offset }
        if found.count > 1 { return .ambiguous(found.map(\.offset)) }
        return found.first.map { .one($0.bytes) } ?? .none
    }

    /// The bytes that a plausible header at `offset` claims; cheap, because it runs on every magic
    /// number.
    private static func candidate(_ view: ByteView, _ offset: Int, bigEndian: Bool) -> ByteView? {
        guard let header = view.slice(offset, Header.shortLength) else { return nil }
        func field(_ at: Int) -> Int {
            let value = header.u32(at)
            return Int(bigEndian ? value.byteSwapped : value)
        }
        let length = field(4)
        guard length == Header.shortLength || length == Header.longLength else { return nil }
        // The smallest record has three words. All are 32-bit values: the sums cannot overflow.
        guard field(12) >= leastTypes * 12, field(20) > leastTypes else { return nil }
        var end = max(field(8) + field(12), field(16) + field(20))
        if length == Header.longLength, let layout = view.slice(offset + 24, 8) {
            let (start, count) = (layout.u32(0), layout.u32(4))
            if count != 0 {
                end = max(
                    end,
                    Int(bigEndian ? start.byteSwapped : start)
                        + Int(bigEndian ? count.byteSwapped : count))
            }
        }
        guard let bytes = view.slice(offset, length + end),
            bytes.byte(length + field(16)) == 0,
            bytes.byte(length + field(16) + field(20) - 1) == 0
        else { return nil }
        return bytes
    }
}
