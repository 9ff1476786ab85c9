// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// A kernel's release as `uname -r` reports it: `6.1.0-53-cloud-amd64`.
package struct KernelRelease: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// nil for an impossible release. A release becomes part of file names, so it has no slash or
    /// blank; the kernel limits it to 64 bytes.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard let first = bytes.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9"),
            bytes.count <= 64,
            bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") })
        else { return nil }
        self.text = String(text)
    }

    package var description: String { text }

    /// The leading numbers: `6.1.0-53` gives (6, 1). nil if there are fewer than two.
    package var version: (major: Int, minor: Int)? {
        let parts = text.split(separator: ".", maxSplits: 2)
        guard parts.count >= 2, let major = Int(parts[0]),
            let minor = Int(parts[1].prefix { $0.isASCII && $0.isNumber })
        else { return nil }
        return (major, minor)
    }

    /// The release in a path in one of the usual locations: `/lib/modules/R/...`,
    /// `/usr/src/linux-headers-R/...`, `/usr/src/kernels/R/...`, `/boot/vmlinuz-R`. The path need
    /// not exist.
    package static func inPath(_ path: String) -> KernelRelease? {
        let parts = path.split(separator: "/")
        for (index, part) in parts.enumerated().reversed() where index > 1 {
            let place = (parts[index - 2], parts[index - 1])
            if place == ("lib", "modules") || place == ("src", "kernels"),
                let release = KernelRelease(part)
            {
                return release
            }
        }
        for part in parts.reversed() {
            for prefix in ["linux-headers-", "vmlinuz-", "vmlinux-"] where part.hasPrefix(prefix) {
                if let release = KernelRelease(part.dropFirst(prefix.count)) { return release }
            }
        }
        return nil
    }

    /// The release a module was built for: the first word of `vermagic=` in its `.modinfo`.
    package static func inModinfo(_ modinfo: ByteView) -> KernelRelease? {
        let key = Array("vermagic=".utf8)
        var at = 0
        while let hit = modinfo.find(key, from: at) {
            at = hit + key.count
            if hit == 0 || modinfo[hit - 1] == 0 { return word(in: modinfo, at: at) }
        }
        return nil
    }

    /// The release in the kernel's own banner, `Linux version R (...`, wherever it is in `view`.
    package static func inBanner(_ view: ByteView) -> KernelRelease? {
        let key = Array("Linux version ".utf8)
        var at = 0
        // Other strings begin the same way; a kernel has a handful of them at most.
        for _ in 0..<64 {
            guard let hit = view.find(key, from: at) else { return nil }
            at = hit + key.count
            if let release = word(in: view, at: at) { return release }
        }
        return nil
    }

    /// The release in a header that kbuild generates: `#define UTS_RELEASE "R"`.
    package static func inUtsRelease(_ header: ByteView) -> KernelRelease? {
        let key = Array("UTS_RELEASE \"".utf8)
        guard let hit = header.find(key) else { return nil }
        return word(in: header, at: hit + key.count)
    }

    /// The text from `offset` up to a blank, a quote, NUL or the end.
    static func word(in view: ByteView, at offset: Int) -> KernelRelease? {
        var bytes: [UInt8] = []
        var at = offset
        while let byte = view.byte(at), byte > 0x20, byte != UInt8(ascii: "\""), bytes.count <= 64 {
            bytes.append(byte)
            at += 1
        }
        return KernelRelease(String(decoding: bytes, as: UTF8.self))
    }
}
