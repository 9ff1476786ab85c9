// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO
import TestSupport
import Testing

@testable import VM

/// File systems made by mke2fs of trees that are known.
@Suite struct Ext4Tests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The options of mke2fs: with 64-bit descriptors, without, with small blocks and inodes, and
    /// those of before.
    private static let kinds = [
        "-t ext4", "-t ext4 -O ^64bit,^metadata_csum,^flex_bg", "-t ext4 -b 1024 -I 128",
        "-t ext3 -b 1024", "-t ext2", "-t ext2 -r 0 -b 1024 -O none",
        "-t ext4 -O inline_data -I 256",
    ]

    private func image(_ options: String, size: String = "1m") throws -> [UInt8] {
        let file = scratch.path + "/image"
        _ = try Shell.run(
            "rm -f '\(file)'; PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F \(options) "
                + "-d '\(scratch.path)/tree' '\(file)' \(size) 2>&1")
        return try FileReader.map(file).array
    }

    private func makeTree() throws {
        try scratch.write("tree/usr/bin/sh", "program")
        try scratch.write("tree/usr/lib64/ld.so.2", "loader")
        scratch.link("tree/bin", to: "usr/bin")
        scratch.link("tree/lib64", to: "/usr/lib64")
        scratch.link("tree/usr/bin/up", to: "../lib64/./ld.so.2")
        scratch.link("tree/usr/bin/to", to: "/bin/up")
        scratch.link("tree/loop", to: "loop")
        scratch.link("tree/nothing", to: "usr/nothing")
        // Too long for an inode.
        let long = String(repeating: "usr/../", count: 20) + "usr/bin/sh"
        scratch.link("tree/long", to: long)
        // A directory of many blocks, whose names are hashed where the file system knows that.
        for number in 0..<1500 { scratch.link("tree/many/name-of-some-length-\(number)", to: "x") }
        try scratch.write("tree/many/real", "here")
    }

    @Test func lookups() throws {
        try makeTree()
        for kind in Self.kinds {
            let files = try #require(Ext4(ByteView(try image(kind, size: "8m"))), "\(kind)")
            // With inline data short links and directories lie in the inode, which is not read
            // here.
            let isInline = kind.contains("inline")
            for path in [
                "/", "/usr/bin/sh", "usr//bin/./sh", "/bin/sh", "/lib64/ld.so.2", "/bin/up",
                "/bin/to",
                "/usr/bin/../bin/sh", "/long", "/many/real", "/usr/bin",
            ] {
                let answer = files.lookup(path)
                #expect(
                    answer == .found || isInline && answer == .unknown,
                    "\(kind): \(path): \(answer)")
            }
            for path in [
                "/usr/bin/zsh", "/sbin/sh", "/bin/sh/more", "/loop", "/nothing", "/many/name",
                "/many/name-of-some-length-7", "/lib64/ld.so.20",
            ] {
                let answer = files.lookup(path)
                #expect(
                    answer == .absent || isInline && answer == .unknown,
                    "\(kind): \(path): \(answer)")
            }
        }
    }

    /// Whatever is damaged: an answer, and never a wrong way out of the image.
    @Test func damage() throws {
        try scratch.write("tree/usr/bin/sh", "program")
        scratch.link("tree/bin", to: "usr/bin")
        var random = SeededRandom(seed: 1)
        for kind in ["-t ext4", "-t ext2 -b 1024"] {
            let whole = try image(kind)
            // Where anything is written.
            let places = whole.indices.filter { whole[$0] != 0 }
            var answers: [Ext4.Answer] = []
            for _ in 0..<300 {
                var bytes = whole
                for _ in 0..<3 {
                    let place = places.randomElement(using: &random)!
                    bytes[place] = [0, 1, 0x40, 0x7f, 0x80, 0xff].randomElement(using: &random)!
                }
                guard let files = Ext4(ByteView(bytes)) else { continue }
                answers.append(files.lookup("/bin/sh"))
            }
            #expect(answers.contains(.found) && answers.contains(.unknown), "\(kind)")
            for size in [0, 1, 1024, 1080, 2047, 2048, 4096, 5000] {
                let cut = Ext4(ByteView(Array(whole.prefix(size))))
                #expect(cut?.lookup("/bin/sh") ?? .unknown == .unknown)
            }
        }
    }

    /// A directory without end, of blocks that were never written.
    @Test func hugeFolder() throws {
        try scratch.write("tree/usr/bin/sh", "program")
        var bytes = try image("-t ext4 -b 1024")
        // The root's inode is the second in the table that the first group names.
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        let inodeSize = word(1024 + 0x58) & 0xffff
        let root = word(2048 + 8) * 1024 + inodeSize
        #expect(word(root) & 0xf000 == 0x4000)
        for index in 0..<4 {
            bytes[root + 4 + index] = 0xff
            bytes[root + 0x6c + index] = 0xff
        }
        let files = try #require(Ext4(ByteView(bytes)))
        #expect(files.lookup("/usr/bin/sh") == .found)
        #expect(files.lookup("/nothing") == .unknown)
    }
}
