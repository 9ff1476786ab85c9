// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import TestSupport
import Testing

@testable import KernelTree

/// The headers that identify bootable images, and kernels in images that do not say where.
@Suite struct KernelImageTests {
    private let scratch: Scratch
    init() throws { scratch = try Scratch() }

    /// An image with these bytes at these offsets.
    private func image(_ parts: [(Int, [UInt8])], count: Int = 0x11000) -> ByteView {
        var bytes = [UInt8](repeating: 0, count: count)
        for (at, part) in parts { bytes.replaceSubrange(at..<at + part.count, with: part) }
        return ByteView(bytes)
    }

    private static let zImage: [UInt8] = [0x18, 0x28, 0x6f, 0x01]
    private static let littleEndian: [UInt8] = [1, 2, 3, 4]

    @Test func machines() {
        for (parts, name, machine): ([(Int, [UInt8])], String, String?) in [
            ([(56, Array("ARMd".utf8))], "arm64 Image", "aarch64"),
            ([(48, Array("RISCV".utf8))], "RISC-V Image", "riscv64"),
            ([(0x10008, Array("S390EP".utf8))], "s390 image", "s390x"),
            ([(0x24, Self.zImage), (0x30, Self.littleEndian)], "arm zImage", "arm"),
            ([(0, Array("MZ".utf8)), (4, Array("zimg".utf8))], "EFI zboot image", nil),
        ] {
            let found = KernelImage(image(parts))
            #expect(found?.name == name)
            #expect(found?.machine == machine)
        }
        // Big-endian, or without the word that says so.
        #expect(KernelImage(image([(0x24, Self.zImage), (0x30, [4, 3, 2, 1])])) == nil)
        #expect(KernelImage(image([(0x24, Self.zImage)])) == nil)
        let whole = image([(0x24, Self.zImage), (0x30, Self.littleEndian)], count: 0x34)
        #expect(KernelImage(whole)?.machine == "arm")
        for count in 0..<0x34 {
            #expect(KernelImage(ByteView(Array(whole.array.prefix(count)))) == nil)
        }
    }

    /// The protocol's version, xloadflags, and the machine.
    @Test(
        arguments: [
            (0x206, 0, "x86_64"), (0x208, 0, "x86_64"), (0x20b, 0, "x86_64"), (0x20c, 0, "i686"),
            (0x20f, 0, "i686"), (0x20f, 0x1e, "i686"), (0x20c, 1, "x86_64"),
            (0x20f, 0x7f, "x86_64"),
        ] as [(UInt16, UInt8, String)])
    func x86(_ version: UInt16, _ flags: UInt8, _ machine: String) throws {
        var bytes = Assembled.bzImage(payload: [], size: 0, version: version)
        bytes[0x236] = flags
        let found = try #require(KernelImage(ByteView(bytes)))
        #expect(found.machine == machine)
        #expect(found.release == KernelRelease("6.1.0-test"))
    }

    /// What the PE header of a self-extracting EFI image says.
    @Test func zboot() throws {
        func machine(_ header: Int, _ bytes: [UInt8], count: Int = 0x1000) -> String? {
            KernelImage(
                image(
                    [
                        (0, Array("MZ".utf8)), (4, Array("zimg".utf8)),
                        (0x3c, Assembled.little(UInt32(header))),
                    ] + (bytes.isEmpty ? [] : [(header, bytes)]), count: count))?.machine
        }
        let signature: [UInt8] = Array("PE\0\0".utf8)
        #expect(machine(0x40, signature + [0x64, 0xaa]) == "aarch64")
        #expect(machine(0x80, signature + [0x64, 0x50]) == "riscv64")
        #expect(machine(0x40, signature + [0x64, 0x62]) == "loongarch64")
        #expect(machine(0x40, signature + [0x64, 0x86]) == nil)
        #expect(machine(0x40, [0x50, 0x45, 1, 0, 0x64, 0xaa]) == nil)
        #expect(machine(0x46, signature, count: 0x4a) == nil)
        #expect(machine(0x1000, [], count: 0x1000) == nil)
        #expect(machine(0x7fff_ffff, []) == nil)
        #expect(machine(0xffff_ffff, []) == nil)
    }

    private func load(_ bytes: [UInt8]) throws -> LoadedBase {
        try loadBase(try scratch.write("file", bytes))
    }

    private func message(_ bytes: [UInt8]) -> String? {
        do {
            _ = try load(bytes)
            return nil
        } catch { return (error as? KernelTreeError)?.message }
    }

    /// A zImage does not say where its kernel begins.
    @Test func armPayload() throws {
        let btf = Assembled.btf()
        var start = Assembled.noise(9000, seed: 31)
        start.replaceSubrange(0x24..<0x28, with: Self.zImage)
        start.replaceSubrange(0x30..<0x34, with: Self.littleEndian)
        let kernel = Assembled.noise(333, seed: 32) + Assembled.banner("6.1.0-armmp") + btf
        for format: CompressionFormat in [.gzip, .xz, .zstd] {
            let base = try load(start + compress(kernel, format) + Assembled.noise(50, seed: 33))
            #expect(base.how == "arm zImage, \(format.name), BTF in the raw kernel")
            #expect(base.bytes.array == btf)
            #expect(base.release == KernelRelease("6.1.0-armmp"))
            #expect(base.machine == "arm")
        }
        #expect(
            message(start + compress(Assembled.banner("6.1.0-armmp"), .xz))
                == "no BTF found: arm zImage, xz: a kernel without BTF")
    }

    /// A program of MIPS that unpacks the kernel.
    private func unpacker(_ data: [UInt8], type: UInt16 = 2) -> [UInt8] {
        Assembled.elf([.init(name: ".data", bytes: data)], type: type, machine: 8)
    }

    @Test func mipsPayload() throws {
        let btf = Assembled.btf()
        let kernel = Assembled.noise(333, seed: 42) + Assembled.banner("6.1.0-5kc-malta") + btf
        let packed = compress(kernel, .xz)
        let base = try load(unpacker(Assembled.noise(700, seed: 41) + packed))
        #expect(base.how == "ELF, xz, BTF in the raw kernel")
        #expect(base.bytes.array == btf)
        #expect(base.release == KernelRelease("6.1.0-5kc-malta"))
        #expect(base.machine == "mips64")
        // A vmlinux in it, as some are packed.
        let inner = compress(Assembled.vmlinux(btf, release: "6.1.0-inner"), .gzip)
        #expect(try load(unpacker(inner)).how == "ELF, gzip, ELF .BTF")

        let without = compress(Assembled.banner("6.1.0-5kc-malta"), .xz)
        let none = "no BTF found: ELF: no .BTF section"
        for (bytes, text) in [
            (unpacker(without), "no BTF found: ELF, xz: a kernel without BTF"),
            // Nothing that is a kernel.
            (unpacker(compress(Assembled.noise(99, seed: 43), .xz)), none),
            (unpacker(compress([1], .lzo)), none),
            (unpacker(Array(packed.prefix(packed.count / 2))), none),
            // An object file, a kernel that has its banner, a program in a program.
            (unpacker(packed, type: 1), none),
            (
                Assembled.elf([
                    .init(name: ".rodata", bytes: Assembled.banner("6.1.0")),
                    .init(name: ".data", bytes: packed),
                ]), none
            ),
            (unpacker(compress(unpacker(packed), .xz)), none),
        ] {
            #expect(message(bytes) == text)
        }
    }
}
