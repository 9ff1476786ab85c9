// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// A compression used for kernels, modules or BTF files, recognised by its first bytes.
package enum CompressionFormat: String, Sendable, CaseIterable {
    case gzip
    case xz
    /// The headerless format of old kernels (`CONFIG_KERNEL_LZMA`).
    case lzma
    case zstd
    /// The format of `lz4 -l` and of kernels: blocks of 8 MiB, nothing else.
    case lz4Legacy
    /// The format of lz4 files.
    case lz4
    case bzip2
    case lzo

    /// The everyday name: `gzip`, `lz4`.
    package var name: String { self == .lz4Legacy ? "lz4" : rawValue }

    /// Whether kbtf can decompress it. The others are recognised only to be refused by name.
    package var isSupported: Bool { self != .bzip2 && self != .lzo }

    /// The format whose magic number is at `offset`; nil if there is no known one.
    ///
    /// lzma has no magic number: it is recognised by its usual properties byte, a dictionary size
    /// that lzma writes, and a plausible length.
    package static func detect(_ view: ByteView, at offset: Int = 0) -> CompressionFormat? {
        guard offset >= 0, offset < view.count else { return nil }
        switch view[offset] {
        // RFC 1952 2.3.1: magic, method 8 (deflate), no reserved flags.
        case 0x1f:
            guard view.matches([0x1f, 0x8b, 0x08], at: offset), let flags = view.byte(offset + 3),
                flags & 0xe0 == 0
            else { return nil }
            return .gzip
        // xz file format 2.1.1.1.
        case 0xfd:
            return view.matches([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], at: offset) ? .xz : nil
        // RFC 8878 3.1.1.
        case 0x28: return view.matches([0x28, 0xb5, 0x2f, 0xfd], at: offset) ? .zstd : nil
        // A skippable frame (RFC 8878 3.1.2): pzstd begins with one.
        case 0x50...0x5f where view.matches([0x2a, 0x4d, 0x18], at: offset + 1): return .zstd
        // lz4 frame format, "Legacy frame" and "General Structure of LZ4 Frame format".
        case 0x02: return view.matches([0x02, 0x21, 0x4c, 0x18], at: offset) ? .lz4Legacy : nil
        case 0x04: return view.matches([0x04, 0x22, 0x4d, 0x18], at: offset) ? .lz4 : nil
        case 0x42:
            guard view.matches([0x42, 0x5a, 0x68], at: offset), let level = view.byte(offset + 3),
                level >= UInt8(ascii: "1"), level <= UInt8(ascii: "9")
            else { return nil }
            return view.matches([0x31, 0x41, 0x59, 0x26, 0x53, 0x59], at: offset + 4) ? .bzip2 : nil
        case 0x89:
            return view.matches([0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a], at: offset)
                ? .lzo : nil
        case 0x5d: return isLzma(view, at: offset) ? .lzma : nil
        default: return nil
        }
    }

    /// Properties (lc 3, lp 0, pb 2), dictionary size, length of the contents (all ones: unknown).
    private static func isLzma(_ view: ByteView, at offset: Int) -> Bool {
        guard let header = view.slice(offset, 13) else { return false }
        let dictionary = header.u32(1)
        let low = header.u32(5)
        let high = header.u32(9)
        // lzma writes only 2^n and 2^n + 2^(n-1); 64 KiB to 1.5 GiB are plausible.
        guard dictionary >= 1 << 16, dictionary <= 3 << 29 else { return false }
        let rest = dictionary & (dictionary - 1)
        guard rest == 0 || rest == 1 << UInt32(dictionary.trailingZeroBitCount + 1) else {
            return false
        }
        return low == .max && high == .max || high == 0 && low > 0
    }
}
