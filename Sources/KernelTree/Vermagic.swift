// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF
import HostIO

/// The text by which a kernel recognises modules that were built for it: its release, and settings
/// that all modules must share (include/linux/vermagic.h).
package struct Vermagic: Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ text: String) { description = text }

    /// The kernel whose own modules have it.
    package var release: KernelRelease? {
        description.split(separator: " ").first.flatMap { KernelRelease($0) }
    }

    /// Whether this kernel accepts a module with `other`.
    ///
    /// - Parameter hasVersions: the module has checksums of symbols (`__versions`), so that
    ///   releases are not compared.
    package func accepts(_ other: Vermagic, hasVersions: Bool) -> Bool {
        if other == self { return true }
        let (own, text) = (description, other.description)
        guard hasVersions, let blank = own.firstIndex(of: " "),
            let place = text.firstIndex(of: " ")
        else { return false }
        return own[blank...] == text[place...]
    }

    /// That of a kernel: of the first of its own modules that can be read. nil if none can.
    ///
    /// - Parameter folder: `/lib/modules/RELEASE`.
    package static func ofModules(below folder: String) -> Vermagic? {
        var pending = [folder + "/kernel"]
        var tries = 0
        while let place = pending.popLast(), tries < 64 {
            for name in ((try? Directory.list(place)) ?? []).reversed() {
                let path = place + "/" + name
                if ModuleName.suffixes.contains(where: { name.hasSuffix($0) }) {
                    tries += 1
                    if let found = ofModule(path) { return found }
                } else if FileStatus(path, followLinks: false).isDirectory {
                    pending.append(path)
                }
            }
        }
        return nil
    }

    /// That of the kernel with this release in a vmlinux: the text that it compares with. nil for a
    /// kernel without modules.
    package static func inKernel(_ vmlinux: ByteView, _ release: KernelRelease) -> Vermagic? {
        let key = Array((release.text + " ").utf8)
        var at = 0
        while let hit = vmlinux.find(key, from: at) {
            at = hit + key.count
            guard hit > 0, vmlinux[hit - 1] == 0, let text = vmlinux.cString(at: hit),
                text.utf8.count < 256,
                text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "(") })
            else { continue }
            return Vermagic(text)
        }
        return nil
    }

    private static func ofModule(_ path: String) -> Vermagic? {
        guard FileStatus(path).isRegular, let view = try? FileReader.map(path) else { return nil }
        let format = CompressionFormat.detect(view)
        guard
            let bytes = format.map({ try? decompress(view, format: $0, concatenated: true) })
                ?? view, let elf = try? ELFFile(bytes, path: path)
        else { return nil }
        return Modinfo(elf)?["vermagic"].map { Vermagic($0) }
    }
}

extension ELFFile {
    /// It has checksums of the symbols that it was built against.
    package var hasSymbolVersions: Bool { section(named: "__versions") != nil }
}
