// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF
import TestSupport
import Testing

@testable import KernelTree

@Suite struct BaseSourceTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func load(_ bytes: [UInt8], bigEndian: Bool? = nil) throws -> LoadedBase {
        try loadBase(try scratch.write("file", bytes), bigEndian: bigEndian)
    }

    private func failure(_ bytes: [UInt8], bigEndian: Bool? = nil) throws -> KernelTreeError {
        let path = try scratch.write("file", bytes)
        let error = #expect(throws: KernelTreeError.self) {
            try loadBase(path, bigEndian: bigEndian)
        }
        return try #require(error)
    }

    @Test(arguments: [false, true])
    func rawAndELF(_ bigEndian: Bool) throws {
        let btf = Assembled.btf(types: 5, bigEndian: bigEndian)
        let raw = try load(btf)
        #expect(raw.how == "raw BTF")
        #expect(raw.bytes.array == btf)
        #expect(raw.btf.typeCount == 6)
        #expect(raw.btf.bigEndian == bigEndian)
        #expect(raw.release == nil)
        let elf = try load(Assembled.vmlinux(btf, release: "6.1.0-9-s390x", bigEndian: bigEndian))
        #expect(elf.how == "ELF .BTF")
        #expect(elf.bytes.array == btf)
        #expect(elf.release == KernelRelease("6.1.0-9-s390x"))
    }

    @Test(arguments: CompressionFormat.allCases.filter(\.isSupported))
    func compressed(_ format: CompressionFormat) throws {
        let btf = Assembled.btf(types: 5)
        let raw = try load(compress(btf, format))
        #expect(raw.how == "\(format.name), raw BTF")
        #expect(raw.bytes.array == btf)
        let vmlinux = try load(compress(Assembled.vmlinux(btf, release: "6.1.0"), format))
        #expect(vmlinux.how == "\(format.name), ELF .BTF")
        #expect(vmlinux.release == KernelRelease("6.1.0"))
        // btfhub packs a tar file.
        let kernel = Assembled.btf()
        let tar = [UInt8](repeating: 0x61, count: 512) + kernel + [UInt8](repeating: 0, count: 999)
        #expect(try load(compress(tar, format)).bytes.array == kernel)
    }

    @Test(arguments: CompressionFormat.allCases.filter(\.isSupported))
    func bzImage(_ format: CompressionFormat) throws {
        let btf = Assembled.btf()
        let vmlinux = Assembled.vmlinux(btf, release: "6.1.0-test")
        let payload = compress(vmlinux, format)
        for sectors: UInt8 in [0, 4, 39] {
            let image = Assembled.bzImage(
                payload: payload, size: vmlinux.count, setupSectors: sectors)
            let base = try load(image)
            #expect(base.how == "x86 vmlinuz, \(format.name), ELF .BTF")
            #expect(base.bytes.array == btf)
            #expect(base.release == KernelRelease("6.1.0-test"))
        }
        // Before 2.08 the header does not say where the payload is.
        let old = Assembled.bzImage(payload: payload, size: vmlinux.count, version: 0x207)
        #expect(try load(old).bytes.array == btf)
        // The whole image, compressed again.
        let again = try load(compress(old, .gzip))
        #expect(again.how == "gzip, x86 vmlinuz, \(format.name), ELF .BTF")
        // Without a banner the header's word is taken.
        let silent = Assembled.vmlinux(btf)
        let quiet = Assembled.bzImage(payload: compress(silent, format), size: silent.count)
        #expect(try load(quiet).release == KernelRelease("6.1.0-test"))
    }

    @Test func otherImages() throws {
        let little = Assembled.btf()
        let big = Assembled.btf(bigEndian: true)
        var arm = Assembled.noise(70_000, seed: 21)
        arm.replaceSubrange(56..<60, with: Array("ARMd".utf8))
        arm += Assembled.banner("6.6.1-arm") + little + Assembled.noise(1000, seed: 22)
        let plain = try load(arm)
        #expect(plain.how == "arm64 Image, BTF inside")
        #expect(plain.bytes.array == little)
        #expect(plain.release == KernelRelease("6.6.1-arm"))
        #expect(try load(compress(arm, .gzip)).how == "gzip, arm64 Image, BTF inside")
        for format: CompressionFormat in [.gzip, .zstd, .xz, .lzma] {
            let packed = compress(arm, format) + Assembled.little(UInt32(arm.count))
            let base = try load(Assembled.zboot(payload: packed, name: format.rawValue))
            #expect(base.how == "EFI zboot image, \(format.name), BTF in the raw kernel")
            #expect(base.bytes.array == little)
            #expect(base.release == KernelRelease("6.6.1-arm"))
        }
        // s390: the payload is found by its magic number, and the kernel has no ELF headers.
        var s390 = [UInt8](repeating: 7, count: 0x12345)
        s390.replaceSubrange(0x10008..<0x1000e, with: Array("S390EP".utf8))
        // Magic numbers of xz and gzip that lead nowhere, as its own unpacker has them.
        s390 += [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3, 0x1f, 0x8b, 8, 0, 0]
        let kernel = Assembled.noise(333, seed: 4) + Assembled.banner("6.12.0-s390x") + big
        let image = try load(s390 + compress(kernel, .xz) + Assembled.noise(500, seed: 6))
        #expect(image.how == "s390 image, xz, BTF in the raw kernel")
        #expect(image.bytes.array == big)
        #expect(image.release == KernelRelease("6.12.0-s390x"))
        #expect(image.btf.bigEndian)
    }

    @Test func messages() throws {
        let end =
            "expected a vmlinux or vmlinuz of a kernel with CONFIG_DEBUG_INFO_BTF=y, or raw BTF"
        let path = scratch.path + "/file"
        let plain = Assembled.vmlinux(nil, release: "6.1.0-test")
        let payload = compress(plain, .xz)
        for (bytes, text) in [
            ([], "no BTF found: empty"),
            (Array("hello".utf8), "no BTF found: not an ELF file, BTF or a kernel image"),
            (plain, "no BTF found: ELF: no .BTF section"),
            (compress(plain, .gzip), "no BTF found: gzip, ELF: no .BTF section"),
            (compress(Array("hello".utf8), .zstd), "no BTF found: zstd: no BTF inside"),
            (
                Assembled.bzImage(payload: payload, size: plain.count),
                "no BTF found: x86 vmlinuz, xz, ELF: no .BTF section"
            ),
            (
                Assembled.elf([.init(name: ".BTF", bytes: [1, 2], type: 8)]),
                "no BTF found: ELF: its .BTF was stripped (a separate debug file)"
            ),
            (
                Assembled.noise(99, seed: 1) + compress(Assembled.banner("6.1.0"), .gzip),
                "no BTF found: gzip: a kernel without BTF"
            ),
        ] {
            let error = try failure(bytes)
            #expect(error.kind == .noBTF)
            #expect(error.description == "\(path): \(text); \(end)")
        }
        let image = Assembled.bzImage(payload: payload, size: plain.count)
        let cut = try failure(Array(image.prefix(4000)))
        #expect(cut.kind == .damaged)
        #expect(
            cut.message
                == "x86 vmlinuz: truncated: its kernel ends at \(image.count - 300), the file at 4000"
        )
        let short = try failure(Array(compress(plain, .zstd).dropLast(9)))
        #expect(short.kind == .damaged)
        #expect(short.message == "zstd data is truncated")
        let lzo = try failure(
            Assembled.bzImage(payload: compress([1], .lzo), size: 1))
        #expect(lzo.kind == .unsupported)
        #expect(lzo.message.contains("lzo compression is not supported"))
        var nested = Assembled.btf(types: 5)
        for _ in 0..<4 { nested = compress(nested, .gzip) }
        #expect(try failure(nested).message.hasSuffix("gzip, gzip, gzip: compressed again"))
    }

    @Test func notABase() throws {
        let split = Assembled.btf(types: 5)
        var bytes = split
        // Split BTF has no empty string at its start: that one is the base's.
        bytes[bytes.count - Array("\0type_0\0type_1\0type_2\0type_3\0type_4\0".utf8).count] = 0x61
        let module = Assembled.elf([.init(name: ".BTF", bytes: bytes)], type: 1)
        let error = try failure(module)
        #expect(error.kind == .notABase)
        #expect(error.message.hasPrefix("ELF .BTF: split BTF of a module"))
        #expect(error.hint != nil)
        // In a file that is not a module the same is plain damage.
        #expect(try failure(bytes).kind == .damaged)
        #expect(try failure(Assembled.elf([.init(name: ".BTF", bytes: bytes)])).kind == .damaged)
        // A module with standalone BTF is a base like any other.
        let standalone = Assembled.elf(
            [
                .init(name: ".modinfo", bytes: Array("license=GPL\0vermagic=6.1.0 SMP\0".utf8)),
                .init(name: ".BTF", bytes: split),
            ], type: 1)
        #expect(try load(standalone).release == KernelRelease("6.1.0"))
        let empty = try failure(Assembled.btf(types: 0))
        #expect(empty.kind == .notABase)
        #expect(empty.message == "raw BTF: contains no types")
        let order = try failure(Assembled.btf(types: 3), bigEndian: true)
        #expect(order.kind == .wrongByteOrder)
        #expect(
            order.message
                == "raw BTF: little-endian BTF, but big-endian is required: "
                + "its kernel is for another architecture")
        #expect(try load(Assembled.btf(types: 3), bigEndian: false).btf.typeCount == 4)
    }

    @Test func embeddedSearch() throws {
        func find(_ bytes: [UInt8]) -> EmbeddedBTF.Result { EmbeddedBTF.find(in: ByteView(bytes)) }
        let btf = Assembled.btf()
        let small = Assembled.btf(types: 30)
        let noise = Assembled.noise(777, seed: 9)
        // Blobs of BPF programs beside it do not count.
        guard case .one(let bytes) = find(noise + small + btf + small) else {
            Issue.record("not found")
            return
        }
        #expect(bytes.array == btf)
        guard case .ambiguous(let offsets) = find(noise + btf + small + btf) else {
            Issue.record("not ambiguous")
            return
        }
        #expect(offsets == [777, 777 + btf.count + small.count])
        for other in [noise, small, Array(btf.dropLast()), [], [0x9f], Array(btf.prefix(20))] {
            guard case .none = find(other) else {
                Issue.record("found in \(other.count) bytes")
                return
            }
        }
        // Any number of headers costs next to nothing.
        var headers = [UInt8]()
        for _ in 0..<20_000 { headers += btf.prefix(24) }
        guard case .none = find(headers + [UInt8](repeating: 1, count: 200_000)) else {
            Issue.record("found in headers")
            return
        }
    }

    /// Every prefix and damaged copies give an error or a base, never a trap.
    @Test func hostileFiles() throws {
        let vmlinux = Assembled.vmlinux(Assembled.btf(), release: "6.1.0-test")
        let seed: UInt64 = 20_261_121
        var generator = SeededRandom(seed: seed)
        for original in [
            vmlinux, Assembled.bzImage(payload: compress(vmlinux, .zstd), size: vmlinux.count),
            Assembled.zboot(payload: compress(vmlinux, .gzip), name: "gzip"),
        ] {
            for end in stride(from: 0, to: original.count, by: 1024) {
                var finder = BTFFinder(path: "x")
                _ = try? finder.find(in: ByteView(Array(original[..<end])))
            }
            for _ in 0..<60 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...6, using: &generator) {
                    let top = Bool.random(using: &generator) ? bytes.count : min(700, bytes.count)
                    bytes[Int.random(in: 0..<top, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                var finder = BTFFinder(path: "x")
                if let found = try? finder.find(in: ByteView(bytes)) {
                    _ = try? BTF.parse(found.bytes)
                }
            }
        }
    }

    /// Streams that all look good and grow large share one budget.
    @Test func manyBombsInAnImage() throws {
        var image = Assembled.noise(100, seed: 1)
        let bomb = zstdBomb(60 << 20)
        for _ in 0..<200 { image += bomb }
        var finder = BTFFinder(path: "x")
        let error = #expect(throws: KernelTreeError.self) { try finder.find(in: ByteView(image)) }
        #expect(error?.kind == .noBTF)
    }
}
