// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Writes cpio archives in the format "newc", which the kernel unpacks as its initramfs
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
///
/// Nothing depends on this machine: the owner is root, times are 0, inode numbers count up. So root
/// is not needed, and the same entries give the same bytes. Parent directories are created as
/// needed.
struct CpioWriter {
    enum Kind {
        case folder
        case file(ByteView)
        case link(String)
        case characterDevice(major: UInt32, minor: UInt32)
    }

    /// The archive so far, in pieces: contents of files are not copied.
    private(set) var chunks: [ByteView] = []
    private var names: Set<String> = []
    private var inode: UInt32 = 0

    /// Adds an entry.
    ///
    /// - Parameters:
    ///   - path: in the archive; leading slashes are ignored. If the path already exists, this
    ///     entry is left out.
    ///   - mode: permission bits.
    /// - Throws: for files of 4 GiB and more, which the format cannot represent.
    mutating func add(_ path: String, mode: UInt32, _ kind: Kind) throws(VMError) {
        let parts = path.split(separator: "/")
        for depth in parts.indices.dropLast() {
            try put(parts[...depth].joined(separator: "/"), mode: 0o755, .folder)
        }
        try put(parts.joined(separator: "/"), mode: mode, kind)
    }

    /// Ends the archive.
    mutating func finish() throws(VMError) {
        append(name: "TRAILER!!!", mode: 0, links: 1, device: (0, 0), inode: 0, .empty)
        // cpio(1) and the kernel's own gen_init_cpio end archives on a block of 512 bytes.
        let size = chunks.reduce(0) { $0 + $1.count }
        chunks.append(ByteView([UInt8](repeating: 0, count: (512 - size % 512) % 512)))
    }

    private mutating func put(_ name: String, mode: UInt32, _ kind: Kind) throws(VMError) {
        guard !name.isEmpty, names.insert(name).inserted else { return }
        inode += 1
        var contents = ByteView.empty
        var device: (UInt32, UInt32) = (0, 0)
        let type: UInt32
        switch kind {
        case .folder: type = 0o040000
        case .file(let bytes):
            type = 0o100000
            contents = bytes
        case .link(let target):
            type = 0o120000
            contents = ByteView(Array(target.utf8))
        case .characterDevice(let major, let minor):
            type = 0o020000
            device = (major, minor)
        }
        guard UInt32(exactly: contents.count) != nil else {
            throw VMError("\(name): \(contents.count) bytes do not fit in an initramfs")
        }
        append(
            name: name, mode: type | (mode & 0o7777), links: type == 0o040000 ? 2 : 1,
            device: device,
            inode: inode, contents)
    }

    private mutating func append(
        name: String, mode: UInt32, links: UInt32, device: (UInt32, UInt32), inode: UInt32,
        _ contents: ByteView
    ) {
        // Magic, then 13 numbers: inode, mode, owner, group, links, time, size, device of the file
        // (two), device number (two), length of the name with its NUL, checksum.
        let numbers: [UInt32] = [
            inode, mode, 0, 0, links, 0, UInt32(contents.count), 0, 0, device.0, device.1,
            UInt32(name.utf8.count + 1), 0,
        ]
        var header = Array("070701".utf8)
        for number in numbers { header += CpioWriter.hex(number) }
        header += Array(name.utf8) + [0]
        CpioWriter.pad(&header)
        chunks.append(ByteView(header))
        guard !contents.isEmpty else { return }
        chunks.append(contents)
        let rest = (4 - contents.count % 4) % 4
        if rest > 0 { chunks.append(ByteView([UInt8](repeating: 0, count: rest))) }
    }

    private static func pad(_ bytes: inout [UInt8]) {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    /// Eight digits.
    private static func hex(_ number: UInt32) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<8).map { digits[Int(number >> (28 - 4 * UInt32($0)) & 0xf)] }
    }
}
