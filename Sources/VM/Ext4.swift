// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// Looks up paths in an ext2, ext3 or ext4 file system (the kernel's
/// Documentation/filesystems/ext4).
///
/// The image is untrusted: every offset is checked, and a lookup ends after a bounded number of
/// steps. Damage, and features that are not implemented here, make the answer `unknown`.
struct Ext4: Sendable {
    enum Answer: Equatable {
        /// Symbolic links followed.
        case found
        case absent
        case unknown
    }

    /// The image cannot be read any further.
    private struct Unreadable: Error {}

    private struct Inode {
        let offset: Int
        let mode: UInt32
        let flags: UInt32
        let size: Int

        var isFolder: Bool { mode & 0xf000 == 0x4000 }
        var isLink: Bool { mode & 0xf000 == 0xa000 }
        /// The offset of its block map.
        var map: Int { offset + 0x28 }
    }

    private enum Flag {
        static let encrypted: UInt32 = 0x800
        static let extents: UInt32 = 0x8_0000
        static let inlineData: UInt32 = 0x1000_0000
        static let caseFolded: UInt32 = 0x4000_0000
    }

    /// File types in directories, extents, 64 bit, multiple mount protection, flexible groups,
    /// attributes in inodes, a checksum seed, large directories, inline data, encryption, case
    /// folding.
    private static let knownFeatures: UInt32 = 0x3_e7c2
    private static let rootInode: UInt32 = 2
    private static let maximumSteps = 100_000
    /// The kernel's own limit (MAXSYMLINKS).
    private static let maximumLinks = 40

    private let view: ByteView
    private let blockSize: Int
    private let inodeCount: UInt32
    private let inodesPerGroup: UInt32
    private let inodeSize: Int
    private let descriptors: Int
    private let descriptorSize: Int

    /// - Parameter view: the image; the result is nil if it cannot be read.
    init?(_ view: ByteView) {
        guard DiskImage.type(of: view) == "ext4",
            let words = view.words(at: 1024, count: 64, bigEndian: false),
            words[0x60 / 4] & ~Ext4.knownFeatures == 0, words[0x28 / 4] > 0
        else { return nil }
        self.view = view
        blockSize = 1024 << Int(words[0x18 / 4])
        inodeCount = words[0]
        inodesPerGroup = words[0x28 / 4]
        let isDynamic = words[0x4c / 4] > 0
        inodeSize = isDynamic ? Int(words[0x58 / 4] & 0xffff) : 128
        let is64Bit = words[0x60 / 4] & 0x80 != 0
        descriptorSize = is64Bit ? Int(words[0xfc / 4] >> 16) : 32
        descriptors = (Int(words[0x14 / 4]) + 1) * blockSize
        guard inodeSize >= 128, descriptorSize >= (is64Bit ? 64 : 32) else { return nil }
    }

    /// Whether `path` exists, following links.
    func lookup(_ path: String) -> Answer {
        do throws(Unreadable) { return try find(path) ? .found : .absent } catch { return .unknown }
    }

    private func find(_ path: String) throws(Unreadable) -> Bool {
        var steps = Ext4.maximumSteps
        var links = Ext4.maximumLinks
        var rest = Ext4.parts(Array(path.utf8))
        var current = try inode(Ext4.rootInode)
        while let name = rest.popLast() {
            guard current.isFolder else { return false }
            guard let number = try entry(name, in: current, &steps) else { return false }
            let next = try inode(number)
            guard next.isLink else {
                current = next
                continue
            }
            links -= 1
            guard links >= 0 else { return false }
            let target = try contents(ofLink: next, &steps)
            if target.first == UInt8(ascii: "/") { current = try inode(Ext4.rootInode) }
            rest += Ext4.parts(target)
        }
        return true
    }

    /// The names in `path`, the last one first.
    private static func parts(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).filter { $0 != [UInt8(ascii: ".")] }
            .map { Array($0) }.reversed()
    }

    private func inode(_ number: UInt32) throws(Unreadable) -> Inode {
        guard number > 0, number <= inodeCount else { throw Unreadable() }
        let group = Int((number - 1) / inodesPerGroup)
        let descriptor = descriptors + group * descriptorSize
        var table = UInt64(try word(descriptor + 8))
        if descriptorSize >= 64 { table |= UInt64(try word(descriptor + 0x28)) << 32 }
        let offset =
            try place(ofBlock: table) + Int((number - 1) % inodesPerGroup) * inodeSize
        let size = UInt64(try word(offset + 4)) | UInt64(try word(offset + 0x6c)) << 32
        return Inode(
            offset: offset, mode: try word(offset) & 0xffff, flags: try word(offset + 0x20),
            size: Int(clamping: size))
    }

    /// The inode of `name` in `folder`; nil if there is no such name.
    private func entry(
        _ name: [UInt8], in folder: Inode, _ steps: inout Int
    ) throws(Unreadable) -> UInt32? {
        guard folder.flags & (Flag.encrypted | Flag.inlineData | Flag.caseFolded) == 0 else {
            throw Unreadable()
        }
        for block in 0..<(folder.size / blockSize) {
            guard let start = try place(of: block, in: folder, &steps) else { continue }
            var at = start
            // Inner nodes of hashed directories look like one unused entry.
            while at < start + blockSize {
                steps -= 1
                guard steps > 0 else { throw Unreadable() }
                let number = try word(at)
                let lengths = try word(at + 4)
                let length = Int(lengths & 0xffff)
                guard length >= 8, at + length <= start + blockSize else { throw Unreadable() }
                let nameLength = Int(lengths >> 16 & 0xff)
                if number != 0, nameLength == name.count,
                    view.bytes(at: at + 8, count: nameLength) == name
                {
                    return number
                }
                at += length
            }
        }
        return nil
    }

    private func contents(ofLink link: Inode, _ steps: inout Int) throws(Unreadable) -> [UInt8] {
        guard link.flags & (Flag.encrypted | Flag.inlineData) == 0, link.size > 0,
            link.size <= 4096
        else { throw Unreadable() }
        // A short link is stored in the inode, in place of the block map.
        let isInside = link.size < 60 && link.flags & Flag.extents == 0
        let start = isInside ? link.map : try place(of: 0, in: link, &steps)
        guard let start, isInside || link.size <= blockSize,
            let bytes = view.bytes(at: start, count: link.size)
        else { throw Unreadable() }
        return bytes
    }

    // MARK: Blocks

    /// The offset in the image of block `number` of `file`; nil for a block that was never written.
    private func place(
        of number: Int, in file: Inode, _ steps: inout Int
    ) throws(Unreadable) -> Int? {
        steps -= 1
        guard steps > 0 else { throw Unreadable() }
        let block =
            file.flags & Flag.extents != 0
            ? try extent(number, at: file.map, &steps) : try indirect(number, at: file.map)
        return block == 0 ? nil : try place(ofBlock: block)
    }

    private func extent(
        _ number: Int, at root: Int, _ steps: inout Int
    ) throws(Unreadable) -> UInt64 {
        var node = root
        var maximumDepth: UInt32 = 5
        while true {
            let header = try word(node)
            let count = Int(header >> 16)
            let depth = try word(node + 4) >> 16
            guard header & 0xffff == 0xf30a, depth <= maximumDepth, count <= blockSize / 12 else {
                throw Unreadable()
            }
            var child: UInt64?
            for index in 0..<count {
                steps -= 1
                guard steps > 0 else { throw Unreadable() }
                let at = node + 12 + 12 * index
                let first = Int(try word(at))
                guard first <= number else { break }
                guard depth == 0 else {
                    child =
                        UInt64(try word(at + 4)) | UInt64(try word(at + 8) & 0xffff) << 32
                    continue
                }
                let lengths = try word(at + 4)
                // Longer extents are reserved but not written.
                guard number < first + Int(lengths & 0xffff), lengths & 0xffff <= 0x8000 else {
                    continue
                }
                return (UInt64(lengths >> 16) << 32 | UInt64(try word(at + 8)))
                    + UInt64(number - first)
            }
            guard let child else { return 0 }
            node = try place(ofBlock: child)
            maximumDepth = depth - 1
        }
    }

    /// The older map: twelve blocks, one block of block numbers, one of those.
    private func indirect(_ number: Int, at map: Int) throws(Unreadable) -> UInt64 {
        if number < 12 { return UInt64(try word(map + 4 * number)) }
        let perBlock = blockSize / 4
        var rest = number - 12
        if rest < perBlock {
            return try pointer(rest, inBlock: UInt64(try word(map + 48)))
        }
        rest -= perBlock
        guard rest < perBlock * perBlock else { throw Unreadable() }
        let middle = try pointer(rest / perBlock, inBlock: UInt64(try word(map + 52)))
        return try pointer(rest % perBlock, inBlock: middle)
    }

    private func pointer(_ index: Int, inBlock block: UInt64) throws(Unreadable) -> UInt64 {
        block == 0 ? 0 : UInt64(try word(try place(ofBlock: block) + 4 * index))
    }

    private func place(ofBlock number: UInt64) throws(Unreadable) -> Int {
        guard number < UInt64(view.count / blockSize) else { throw Unreadable() }
        return Int(number) * blockSize
    }

    private func word(_ offset: Int) throws(Unreadable) -> UInt32 {
        guard let words = view.words(at: offset, count: 1, bigEndian: false) else {
            throw Unreadable()
        }
        return words[0]
    }
}
