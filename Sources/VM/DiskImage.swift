// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
import HostIO

/// A file with the file system of a complete system, to be a guest's root.
///
/// Guests only read it; what they write stays in their memory, so any number of them may share one.
package struct DiskImage: Sendable, Equatable {
    package let path: String
    /// The type of its file system for mount(2).
    package let type: String

    /// The same for any file.
    var withoutPath: DiskImage { DiskImage(path: "", type: type) }

    private init(path: String, type: String) {
        self.path = path
        self.type = type
    }

    /// - Throws: if the file cannot be read, or has no supported file system.
    package init(_ path: String) throws(VMError) {
        let view: ByteView
        do throws(HostError) { view = try FileReader.map(path) } catch { throw VMError(error) }
        guard let type = DiskImage.type(of: view) else {
            throw VMError(
                "\(path): no supported file system in it (ext4, squashfs, erofs)")
        }
        self.path = path
        self.type = type
    }

    /// The file system at the start of `view`; nil for anything else. Sources are the kernel's
    /// Documentation/filesystems: ext4/super.rst (the superblock is at 1024), squashfs.rst,
    /// erofs.rst.
    package static func type(of view: ByteView) -> String? {
        func has(_ bytes: [UInt8], at offset: Int) -> Bool {
            view.count >= offset + bytes.count
                && bytes.indices.allSatisfy { view[offset + $0] == bytes[$0] }
        }
        if view.hasBytes("hsqs") { return "squashfs" }
        // Two bytes prove little, for example in a compressed initramfs: the block size and
        // revision that follow are small numbers.
        if has([0x53, 0xef], at: 1024 + 0x38), has([0, 0, 0], at: 1024 + 0x19),
            has([0, 0, 0], at: 1024 + 0x4d), view[1024 + 0x18] <= 6, view[1024 + 0x4c] <= 1
        {
            return "ext4"
        }
        if has([0xe2, 0xe1, 0xf5, 0xe0], at: 1024) { return "erofs" }
        return nil
    }

    /// Modules that a guest needs for it, unless they are built into the kernel.
    package func drivers(_ architecture: Architecture) -> [String] {
        architecture.diskDrivers + ["virtio_blk", type, "overlay"]
    }

    /// The contents of the disk.
    package var system: GuestSystem { GuestSystem(self) }

    /// Its name in the guest, which has no other disk.
    static let device = "/dev/vda"
}
