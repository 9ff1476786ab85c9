// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import KernelTree

@Suite struct BaseCacheTests {
    let scratch: Scratch
    let cache: BaseCache
    init() throws {
        scratch = try Scratch()
        cache = BaseCache(directory: scratch.path + "/deep/cache")
    }

    private func image(_ types: Int = 1200) throws -> String {
        let vmlinux = Assembled.vmlinux(Assembled.btf(types: types), release: "6.1.0-test")
        return try scratch.write(
            "vmlinuz", Assembled.bzImage(payload: compress(vmlinux, .gzip), size: vmlinux.count))
    }

    private var entries: [String] { (try? Directory.list(cache.directory)) ?? [] }

    @Test func secondReadComesFromTheCache() throws {
        let path = try image()
        let first = try loadBase(path, cache: cache)
        let second = try loadBase(path, cache: cache)
        #expect(!first.isFromCache && second.isFromCache)
        #expect(entries.count == 1)
        #expect(second.bytes.array == first.bytes.array)
        #expect(second.how == first.how)
        #expect(second.release == first.release)
        #expect(second.path == first.path)
        // By another name it is the same file.
        scratch.link("other", to: "vmlinuz")
        #expect(try loadBase(scratch.path + "/other", cache: cache).isFromCache)
        #expect(throws: KernelTreeError.self) {
            try loadBase(path, bigEndian: true, cache: cache)
        }
    }

    @Test func changedFileIsReadAnew() throws {
        let path = try image()
        _ = try loadBase(path, cache: cache)
        _ = try image(1300)
        let changed = try loadBase(path, cache: cache)
        #expect(!changed.isFromCache)
        #expect(changed.btf.typeCount == 1301)
        #expect(try loadBase(path, cache: cache).btf.typeCount == 1301)
    }

    @Test func readInPlaceIsNotCached() throws {
        _ = try loadBase(try scratch.write("v", Assembled.vmlinux()), cache: cache)
        _ = try loadBase(try scratch.write("r", Assembled.btf(types: 4)), cache: cache)
        #expect(entries.isEmpty)
    }

    /// Each byte of the head, and cuts: nothing is believed, everything is repaired.
    @Test func damagedEntriesAreIgnoredAndRewritten() throws {
        let path = try image()
        _ = try loadBase(path, cache: cache)
        let file = cache.directory + "/" + (try #require(entries.first))
        let good = try FileReader.map(file).array
        let places = Array(0..<160) + [good.count / 2, good.count - 1]
        let mode = FileStatus(file).mode
        for at in places {
            var bad = good
            bad[at] ^= 0x41
            try PrivateFile.replace(file, with: [ByteView(bad)])
            #expect(try loadBase(path, cache: cache).isFromCache == false, "byte \(at)")
            #expect(try FileReader.map(file).array == good)
        }
        for end in [0, 1, 15, 16, 47, 48, 63, 64, 100, good.count - 1] {
            try PrivateFile.replace(file, with: [ByteView(Array(good[..<end]))])
            #expect(try loadBase(path, cache: cache).isFromCache == false)
        }
        try PrivateFile.replace(file, with: [ByteView(good + [0])])
        #expect(try loadBase(path, cache: cache).isFromCache == false)
        #expect(FileStatus(file).mode == mode && mode == 0o600)
        #expect(try loadBase(path, cache: cache).isFromCache)
    }

    @Test func aCacheThatCannotBeWrittenIsNone() throws {
        try scratch.write("plain", "file")
        let path = try image()
        for folder in [scratch.path + "/plain/x", "/proc/nothing", ""] {
            let broken = BaseCache(directory: folder)
            for _ in 0..<2 {
                #expect(try loadBase(path, cache: broken).isFromCache == false)
            }
        }
        #expect(try Directory.list("/").allSatisfy { !$0.hasSuffix(".kbtf-base") })
    }

    @Test func oldEntriesGo() throws {
        let small = BaseCache(directory: cache.directory, capacity: 3)
        for count in 1200..<1206 { _ = try loadBase(try image(count), cache: small) }
        #expect(entries.count == 3)
        #expect(try loadBase(scratch.path + "/vmlinuz", cache: small).isFromCache)
    }

    @Test func concurrentWritersAndReaders() throws {
        let path = try image()
        let expected = try loadBase(path).bytes.array
        let cache = cache
        let results = parallelMap(count: 40, jobs: 4) { _ in
            (try? loadBase(path, cache: cache))?.bytes.array == expected
        }
        #expect(results == Array(repeating: true, count: 40))
        #expect(entries.count == 1)
    }
}
