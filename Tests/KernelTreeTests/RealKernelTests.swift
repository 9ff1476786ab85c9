// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import Testing

@testable import KernelTree

/// Debian's kernels, as `make setup` unpacks them.
private let kernels: String = {
    if let cache = getenv("XDG_CACHE_HOME") { return String(cString: cache) + "/kbtf/kernels" }
    return getenv("HOME").map { String(cString: $0) + "/.cache/kbtf/kernels" } ?? "/nowhere"
}()

private func releaseOf(_ series: String) -> KernelRelease? {
    guard let view = try? FileReader.map("\(kernels)/\(series)/release") else { return nil }
    return KernelRelease.word(in: view, at: 0)
}

private func isThere(_ series: String) -> Bool {
    guard let release = releaseOf(series) else { return false }
    return FileStatus("\(kernels)/\(series)/vmlinux.btf").exists
        && FileStatus("\(kernels)/\(series)/image/boot/vmlinuz-\(release)").exists
}

@Suite struct RealKernelTests {
    private static let series = ["6.1", "6.12"].filter(isThere)

    @Test(.enabled(if: !series.isEmpty), arguments: series)
    func vmlinuzHoldsTheSameBTF(_ series: String) throws {
        let root = "\(kernels)/\(series)/image"
        let release = try #require(releaseOf(series))
        let expected = try loadBase("\(kernels)/\(series)/vmlinux.btf")
        let base = try loadBase("\(root)/boot/vmlinuz-\(release)", bigEndian: false)
        #expect(base.release == release)
        #expect(base.how.hasPrefix("x86 vmlinuz, "))
        #expect(isSame(base.bytes, expected.bytes))
        let found = try BaseSearch(release: release, roots: [root]).run()
        #expect(found.base.path == "\(root)/boot/vmlinuz-\(release)")
        #expect(found.isReleaseVerified)
    }

    @Test(.enabled(if: !series.isEmpty), arguments: series)
    func debugVmlinuxHoldsTheSameBTF(_ series: String) throws {
        let root = "\(kernels)/\(series)/dbg"
        let release = try #require(releaseOf(series))
        let path = "\(root)/usr/lib/debug/boot/vmlinux-\(release)"
        guard FileStatus(path).exists else { try Test.cancel("no debug vmlinux") }
        let result = try BaseSearch(release: release, roots: [root]).run()
        #expect(result.base.path == path)
        #expect(result.isReleaseVerified)
        let expected = try loadBase("\(kernels)/\(series)/vmlinux.btf")
        #expect(isSame(result.base.bytes, expected.bytes))
    }

    @Test(.enabled(if: !series.isEmpty), arguments: series)
    func modulesTellTheirRelease(_ series: String) throws {
        let modules = try Directory.walk(
            "\(kernels)/\(series)/image/lib/modules", suffixes: [".ko", ".ko.xz"])
        for path in modules.prefix(20) {
            #expect(try KernelRelease.ofModule(path) == releaseOf(series))
            #expect(KernelRelease.inPath(path) == releaseOf(series))
        }
        if let module = modules.first {
            let error = #expect(throws: KernelTreeError.self) { try loadBase(module) }
            #expect(error?.kind == .notABase)
        }
        let release = try #require(releaseOf(series))
        let config = try #require(
            KernelConfig.find(release, roots: ["\(kernels)/\(series)/image"]))
        #expect(config.hasBTF && config.hasModuleBTF && config.allowsMismatch)
    }

    @Test(.enabled(if: !series.isEmpty), arguments: series)
    func cutImages(_ series: String) throws {
        let release = try #require(releaseOf(series))
        let view = try FileReader.map("\(kernels)/\(series)/image/boot/vmlinuz-\(release)")
        for part in 1..<12 {
            let cut = try #require(view.slice(0, view.count / 12 * part))
            var finder = BTFFinder(path: "cut")
            let error = #expect(throws: KernelTreeError.self) { try finder.find(in: cut) }
            #expect(error?.kind == .damaged)
        }
    }

    private func isSame(_ a: ByteView, _ b: ByteView) -> Bool {
        a.count == b.count
            && a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
            }
    }
}
