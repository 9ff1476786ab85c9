// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import KernelTree

/// Indexes of bases, kept and fetched.
@Suite struct IndexCacheTests {
    let scratch: Scratch
    let cache: BaseCache
    init() throws {
        scratch = try Scratch()
        cache = BaseCache(directory: scratch.path + "/cache", smallestIndexed: 1)
    }

    private var entries: [String] {
        ((try? Directory.list(cache.directory)) ?? []).map { cache.directory + "/" + $0 }
    }

    private func load(_ path: String) throws -> IndexedBase {
        try loadIndexedBase(path, cache: cache)
    }

    /// What the index of `base` is made of.
    private func image(_ base: IndexedBase, _ btf: [UInt8]) -> [UInt8] {
        base.index.frozen(over: ByteView(btf)).array
    }

    @Test(arguments: [false, true]) func secondTimeComesFromTheCache(_ bigEndian: Bool) throws {
        let btf = Assembled.btf(bigEndian: bigEndian)
        let path = try scratch.write("raw", btf)
        let first = try load(path)
        let second = try load(path)
        #expect(!first.isFromCache && second.isFromCache)
        #expect(image(first, btf) == image(second, btf))
        #expect(second.index.typeCount == 1201)
        #expect(second.how == "raw BTF" && second.path == path)
        #expect(throws: KernelTreeError.self) {
            try loadIndexedBase(path, bigEndian: !bigEndian, cache: cache)
        }
        // The same BTF elsewhere, and in an ELF file, at an odd place there.
        #expect(try load(try scratch.write("copy", btf)).isFromCache)
        let elf = Assembled.elf([
            .init(name: ".odd", bytes: [1, 2, 3]), .init(name: ".BTF", bytes: btf),
        ])
        let fromELF = try load(try scratch.write("vmlinux", elf))
        #expect(fromELF.isFromCache && fromELF.how == "ELF .BTF")
        #expect(image(fromELF, btf) == image(first, btf))
        #expect(entries.count == 1)
    }

    /// Bases that differ only in what the entry's name ignores are distinguished.
    @Test func everyByteIsCompared() throws {
        let btf = Assembled.btf()
        let name = cache.path(for: .contents(ByteView(btf)))
        // Digits of names, one in eight.
        let others =
            stride(from: btf.count - 2, to: btf.count - 4_000, by: -8).compactMap { at in
                guard btf[at] >= UInt8(ascii: "0"), btf[at] <= UInt8(ascii: "9") else { return nil }
                var other = btf
                other[at] = UInt8(ascii: "!")
                return cache.path(for: .contents(ByteView(other))) == name ? other : nil
            } as [[UInt8]]
        #expect(others.count > 20)
        let path = try scratch.write("raw", btf)
        _ = try load(path)
        for other in others {
            let path = try scratch.write("other", other)
            #expect(try !load(path).isFromCache)
            #expect(try load(path).isFromCache)
            #expect(entries.count == 1)
        }
        #expect(try !load(path).isFromCache)
    }

    /// Types that refer to what is not there can be shown, but not built on; nothing is kept of
    /// them.
    @Test func danglingReferences() throws {
        var asm = BTFAssembler()
        let int = asm.int()
        _ = asm.pointer(int)
        _ = asm.structure("s", size: 8, [("a", 2, 0)])
        for last: UInt32 in [4, 5, .max] {
            var bad = asm
            _ = bad.array(last, index: int, 3)
            let path = try scratch.write("raw", bad.bytes())
            #expect(try loadBase(path).btf.typeCount == 5)
            guard last > 4 else {
                #expect(try load(path).index.typeCount == 5)
                for entry in entries { unlink(entry) }
                continue
            }
            let error = #expect(throws: KernelTreeError.self) { try load(path) }
            #expect(error?.message.contains("refers to type \(last), the last one is 4") == true)
            #expect(entries.isEmpty)
        }
    }

    @Test func imagesKeepBoth() throws {
        let vmlinux = Assembled.vmlinux(release: "6.1.0-test")
        let path = try scratch.write("vmlinux.gz", compress(vmlinux, .gzip))
        // Read for showing first: no index yet. Then with one, which the first kind of use takes
        // too.
        #expect(try !loadBase(path, cache: cache).isFromCache)
        #expect(try loadBase(path, cache: cache).isFromCache)
        #expect(try !load(path).isFromCache)
        let again = try load(path)
        #expect(again.isFromCache && again.release?.text == "6.1.0-test")
        #expect(again.how == "gzip, ELF .BTF")
        let read = try loadBase(path, cache: cache)
        #expect(read.isFromCache && read.bytes.array == Assembled.btf())
        #expect(entries.count == 1)
    }

    /// Any byte changed, cut anywhere: not trusted, and made again.
    @Test func damagedEntriesAreIgnoredAndRewritten() throws {
        let btf = Assembled.btf(types: 60)
        let path = try scratch.write("raw", btf)
        let expected = image(try load(path), btf)
        let file = try #require(entries.first)
        let good = try FileReader.map(file).array
        func tryOut(_ bytes: [UInt8], _ what: String) throws {
            try PrivateFile.replace(file, with: [ByteView(bytes)])
            let base = try load(path)
            #expect(!base.isFromCache, "\(what)")
            #expect(image(base, btf) == expected)
            #expect(try FileReader.map(file).array == good)
        }
        var random = SeededRandom(seed: 7)
        for at in Array(0..<72)
            + (0..<150).map({ _ in Int.random(in: 0..<good.count, using: &random) })
        {
            var bytes = good
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            try tryOut(bytes, "byte \(at)")
        }
        for end in [
            0, 1, 8, 63, 64, 65, good.count / 3, good.count / 2, good.count - 8, good.count - 1,
        ] {
            try tryOut(Array(good[..<end]), "cut at \(end)")
        }
        try tryOut(good + [0], "longer")
        try tryOut(good + good, "twice")
        // As another version, or a machine of the other byte order, writes it.
        try tryOut(Array("KBTFBAS1".utf8) + good.dropFirst(8), "version")
        try tryOut(Array(good[..<8].reversed()) + good.dropFirst(8), "byte order")
        #expect(try load(path).isFromCache)
    }

    /// An index that was made with other hashes, whole and in order.
    @Test func anotherIndexFormatIsMadeAnew() throws {
        let btf = ByteView(Assembled.btf(types: 60))
        let made = BaseIndex(try BTF.parse(btf))
        let image = made.frozen(over: btf)
        var other = image.array
        other[0] ^= 1
        #expect(BaseIndex(frozen: image, over: btf) != nil)
        #expect(BaseIndex(frozen: ByteView(other), over: btf) == nil)
    }

    @Test func whatIsSmallOrUnwritableIsNotKept() throws {
        let path = try scratch.write("raw", Assembled.btf(types: 60))
        let usual = BaseCache(directory: cache.directory)
        for _ in 0..<2 { #expect(try !loadIndexedBase(path, cache: usual).isFromCache) }
        #expect(entries.isEmpty)
        try scratch.write("plain", "file")
        for folder in [scratch.path + "/plain/x", "/proc/nothing", ""] {
            let broken = BaseCache(directory: folder, smallestIndexed: 1)
            for _ in 0..<2 { #expect(try !loadIndexedBase(path, cache: broken).isFromCache) }
        }
        for _ in 0..<2 { #expect(try !loadIndexedBase(path).isFromCache) }
    }

    /// What others own or may write is not believed, and replaced.
    @Test func foreignEntries() throws {
        let path = try scratch.write("raw", Assembled.btf(types: 60))
        _ = try load(path)
        let file = try #require(entries.first)
        #expect(chmod(file, 0o666) == 0)
        #expect(try !load(path).isFromCache)
        #expect(FileStatus(file).mode == 0o600)
        #expect(try load(path).isFromCache)
        unlink(file)
        symlink("/etc/passwd", file)
        #expect(try !load(path).isFromCache)
        #expect(FileStatus(file, followLinks: false).isRegular)
    }

    @Test func oldEntriesAndLeftoversGo() throws {
        let small = BaseCache(directory: cache.directory, capacity: 3, smallestIndexed: 1)
        let old = try scratch.write("cache/.0123456789abcdef.kbtf-base.kbtf-01234567", "left")
        let new = try scratch.write("cache/.0123456789abcdef.kbtf-base.kbtf-89abcdef", "busy")
        let other = try scratch.write("cache/notes", "mine")
        var times = [
            timespec(tv_sec: 1_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000, tv_nsec: 0),
        ]
        for file in [old, other] { #expect(utimensat(AT_FDCWD, file, &times, 0) == 0) }
        for count in 50..<56 {
            let path = try scratch.write("raw\(count)", Assembled.btf(types: count))
            _ = try loadIndexedBase(path, cache: small)
        }
        #expect(entries.count { $0.hasSuffix("0.kbtf-base") || $0.hasSuffix(".kbtf-base") } == 3)
        #expect(!FileStatus(old).exists && FileStatus(new).exists && FileStatus(other).exists)
        #expect(try loadIndexedBase(scratch.path + "/raw55", cache: small).isFromCache)
    }

    /// Writers race, readers see whole entries.
    @Test func concurrentWritersAndReaders() throws {
        let btf = Assembled.btf()
        let path = try scratch.write("raw", btf)
        let expected = image(try loadIndexedBase(path), btf)
        let cache = cache
        let results = parallelMap(count: 60, jobs: 4) { number -> Bool in
            if number % 5 == 0 {
                for entry in (try? Directory.list(cache.directory)) ?? [] {
                    unlink(cache.directory + "/" + entry)
                }
            }
            let base = try? loadIndexedBase(path, cache: cache)
            return base?.index.frozen(over: ByteView(btf)).array == expected
        }
        #expect(results == Array(repeating: true, count: 60))
    }
}
