// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport

/// Small files put together byte by byte.
enum Assembled {
    /// BTF of `count` INTs with names of their own.
    static func btf(types count: Int = 1200, bigEndian: Bool = false) -> [UInt8] {
        var types = ByteWriter(bigEndian: bigEndian)
        var strings: [UInt8] = [0]
        for index in 0..<count {
            types.put(UInt32(strings.count))
            types.put(UInt32(Kind.int.rawValue) << 24)
            types.put(UInt32(4))
            types.put(UInt32(32))
            strings += Array("type_\(index)".utf8) + [0]
        }
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put(UInt16(0xeb9f))
        writer.put(UInt8(1))
        writer.put(UInt8(0))
        for field in [24, 0, types.bytes.count, types.bytes.count, strings.count] {
            writer.put(UInt32(field))
        }
        writer.put(types.bytes)
        writer.put(strings)
        return writer.bytes
    }

    struct Section {
        var name: String
        var bytes: [UInt8]
        var type: UInt32 = 1
        /// What the header says, when it is not the truth.
        var claimedSize: UInt64?
    }

    /// A 64-bit ELF file with these sections.
    static func elf(
        _ sections: [Section], type: UInt16 = 2, machine: UInt16 = 62, bigEndian: Bool = false
    ) -> [UInt8] {
        var names: [UInt8] = [0]
        var body: [UInt8] = []
        var headers: [(name: Int, section: Section, offset: Int)] = []
        let all = sections + [Section(name: ".shstrtab", bytes: [], type: 3)]
        for (index, var section) in all.enumerated() {
            let name = names.count
            names += Array(section.name.utf8) + [0]
            if index == all.count - 1 { section.bytes = names }
            headers.append((name, section, 64 + body.count))
            if section.type != 8 { body += section.bytes }
            while body.count % 8 != 0 { body.append(0) }
        }
        var writer = ByteWriter(bigEndian: bigEndian)
        writer.put([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1, 1, 0])
        writer.put(UInt64(0))
        writer.put(type)
        writer.put(machine)
        writer.put(UInt32(1))
        writer.put(UInt64(0))
        writer.put(UInt64(0))
        writer.put(UInt64(64 + body.count))
        writer.put(UInt32(0))
        for field in [64, 0, 0, 64, headers.count + 1, headers.count] { writer.put(UInt16(field)) }
        writer.put(body)
        writer.put([UInt8](repeating: 0, count: 64))
        for header in headers {
            writer.put(UInt32(header.name))
            writer.put(header.section.type)
            writer.put(UInt64(0))
            writer.put(UInt64(0))
            writer.put(UInt64(header.offset))
            writer.put(header.section.claimedSize ?? UInt64(header.section.bytes.count))
            writer.put(UInt32(0))
            writer.put(UInt32(0))
            writer.put(UInt64(1))
            writer.put(UInt64(0))
        }
        return writer.bytes
    }

    static func banner(_ release: String) -> [UInt8] {
        Array("Linux version %s\0Linux version \(release) (me@here) #1 SMP\n\0".utf8)
    }

    /// A vmlinux with `.BTF` and the banner of `release`.
    static func vmlinux(
        _ btf: [UInt8]? = Assembled.btf(), release: String? = nil, bigEndian: Bool = false
    ) -> [UInt8] {
        var sections = [Section(name: ".text", bytes: noise(40_000, seed: 7))]
        if let release { sections.append(Section(name: ".rodata", bytes: banner(release))) }
        if let btf { sections.append(Section(name: ".BTF", bytes: btf)) }
        return elf(sections, machine: bigEndian ? 22 : 62, bigEndian: bigEndian)
    }

    /// An x86 vmlinuz around a compressed kernel, to which kbuild has appended its size.
    static func bzImage(
        payload: [UInt8], size: Int, release: String = "6.1.0-test", setupSectors: UInt8 = 4,
        version: UInt16 = 0x20f
    ) -> [UInt8] {
        var image = [UInt8](
            repeating: 0, count: (Int(setupSectors == 0 ? 4 : setupSectors) + 1) * 512)
        func put(_ at: Int, _ bytes: [UInt8]) {
            image.replaceSubrange(at..<at + bytes.count, with: bytes)
        }
        let stub = noise(700, seed: 3)
        let whole = payload + little(UInt32(size))
        image[0x1f1] = setupSectors
        put(0x1fe, [0x55, 0xaa])
        put(0x202, Array("HdrS".utf8))
        put(0x206, [UInt8(version & 0xff), UInt8(version >> 8)])
        put(0x20e, [0x80, 0x01])
        put(0x248, little(UInt32(stub.count)))
        put(0x24c, little(UInt32(whole.count)))
        put(0x380, Array("\(release) (me@here) #1\0".utf8))
        return image + stub + whole + noise(300, seed: 5)
    }

    /// A self-extracting EFI image.
    static func zboot(payload: [UInt8], name: String) -> [UInt8] {
        var header: [UInt8] = [0x4d, 0x5a, 0, 0] + Array("zimg".utf8)
        header += little(4096) + little(UInt32(payload.count)) + [UInt8](repeating: 0, count: 8)
        header += Array(name.utf8)
        header += [UInt8](repeating: 0, count: 4096 - header.count)
        return header + payload + noise(100, seed: 8)
    }

    static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(value >> ($0 * 8) & 0xff) }
    }

    /// Bytes that do not compress.
    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededRandom(seed: seed)
        let words = (0..<(count + 7) / 8).map { _ in generator.next() }
        return Array(words.withUnsafeBytes { Array($0) }.prefix(count))
    }
}
