// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import HostIO
import TestSupport
import Testing

/// Real modules, where `make conformance` has fetched some.
struct RealModuleTests {
    static let kernel: String? = {
        let home = getenv("HOME").map { String(cString: $0) } ?? ""
        let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? home + "/.cache"
        let folder = cache + "/kbtf/kernels/6.1"
        return FileStatus(folder + "/vmlinux.btf").exists ? folder : nil
    }()

    @Test(.enabled(if: kernel != nil)) func overlay() throws {
        let kernel = try #require(RealModuleTests.kernel)
        let base = kernel + "/vmlinux.btf"
        let found = try Directory.walk(kernel + "/dbg", suffixes: ["overlay.ko"])
        let original = try #require(found.first)
        let scratch = try Scratch()
        let file = try scratch.write("overlay.ko", try Sample.bytes(original))
        let detached = scratch.path + "/overlay.btf"

        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        let once = try Sample.bytes(file)
        #expect(try Command.kbtf("encode", "--base", base, file).status == 0)
        #expect(try Sample.bytes(file) == once)
        #expect(
            try Command.kbtf("encode", "--base", base, "--detached", detached, file).status == 0)
        #expect(try Sample.section(".BTF", of: file) == Sample.bytes(detached))
        let check = try Command.kbtf("check", "--base", base, file, detached)
        #expect(check.status == 0, "\(check)")
        #expect(try Command.kbtf("diff", "--base", base, file, detached).status == 0)
        if FileStatus(kernel + "/image").isDirectory {
            #expect(try Command.kbtf("encode", "--sysroot", kernel + "/image", file).status == 0)
            let section = try Sample.section(".BTF", of: file)
            #expect(try section == Sample.bytes(detached), "auto found another base")
        }
        // with the base's index from the cache: the same bytes
        let cache = ["XDG_CACHE_HOME=\(scratch.path)/cache"]
        let entries = scratch.path + "/cache/kbtf/bases"
        for arguments in [["--no-cache"], [], []] {
            let words = ["encode", "--base", base, "--detached", detached + "2"] + arguments
            let result = try Command.kbtf(words + [file], environment: cache)
            #expect(result.status == 0, "\(result)")
            #expect(try Sample.bytes(detached + "2") == Sample.bytes(detached))
            #expect(FileStatus(entries).exists == arguments.isEmpty)
            if arguments.isEmpty { #expect(try Directory.list(entries).count == 1) }
        }
        // nothing but .BTF is added, without a mark
        try scratch.write("overlay.ko", try Sample.bytes(original))
        #expect(try Command.kbtf("encode", "--no-mark", "--base", base, file).status == 0)
        let stripped = try Command.shell(
            "objcopy --remove-section=.BTF '\(file)' '\(file).a' && "
                + "objcopy --remove-section=.BTF '\(original)' '\(file).b' && cmp '\(file).a' '\(file).b'"
        )
        #expect(stripped.status == 0, "\(stripped)")
    }
}
