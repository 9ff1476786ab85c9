// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import HostIO

/// A base BTF, parsed, and where it came from.
package struct LoadedBase: Sendable {
    package let btf: BTF
    /// The BTF as it was found, byte for byte.
    package let bytes: ByteView
    /// The file it was read from, as the caller named it.
    package let path: String
    /// What it was found in, outermost first: `gzip, x86 vmlinuz, zstd, ELF .BTF`.
    package let how: String
    /// The kernel it is of, if the file itself says so. A headers' stub vmlinux and raw BTF do not.
    package let release: KernelRelease?
    /// Read from a `BaseCache` instead of being decompressed again.
    package let isFromCache: Bool
}

/// Reads a base: an ELF file with `.BTF` (a vmlinux, the stub of a headers package, a module with
/// standalone BTF), raw BTF, a kernel image (vmlinuz, EFI zboot, Image), or any of them compressed
/// (`.gz`, `.xz`, `.zst`, `.lz4`). What it is, is read from the contents; names mean nothing.
///
/// - Parameters:
///   - bigEndian: the byte order that the base must have; nil for either.
///   - cache: where what took decompressing is kept.
/// - Throws: `KernelTreeError`, one line that says what the file is and what was expected.
package func loadBase(
    _ path: String, bigEndian: Bool? = nil, cache: BaseCache? = nil
) throws(KernelTreeError) -> LoadedBase {
    let identity = cache == nil ? nil : FileIdentity(path)
    let view: ByteView
    do throws(HostError) { view = try FileReader.map(path) } catch {
        throw KernelTreeError(error)
    }
    // A vmlinux and raw BTF are read in place, faster than from any cache.
    let isCached = !BTFFinder.isReadInPlace(view)
    if isCached, let cache, let identity, let entry = cache.read(identity),
        let btf = try? BTF.parse(entry.bytes)
    {
        let base = LoadedBase(
            btf: btf, bytes: entry.bytes, path: path, how: entry.how, release: entry.release,
            isFromCache: true)
        try check(base, isModule: false, bigEndian: bigEndian)
        return base
    }
    var finder = BTFFinder(path: path)
    var found = try finder.find(in: view)
    // Some megabytes of a kernel are wanted, not all of its decompressed image.
    if found.isDecompressed { found.bytes = found.bytes.detached() }
    let base = LoadedBase(
        btf: try parse(found, path), bytes: found.bytes, path: path,
        how: found.layers.joined(separator: ", "), release: found.release, isFromCache: false)
    try check(base, isModule: found.isModule, bigEndian: bigEndian)
    // The file that was read is the file that was looked at before: nobody wrote to it in between.
    if isCached, found.isDecompressed, let cache, let identity, FileIdentity(path) == identity {
        cache.write(.init(bytes: found.bytes, how: base.how, release: base.release), for: identity)
    }
    return base
}

private func parse(_ found: FoundBTF, _ path: String) throws(KernelTreeError) -> BTF {
    do throws(BTFError) { return try BTF.parse(found.bytes) } catch {
        let layers = found.layers.joined(separator: ", ")
        if found.isModule {
            throw KernelTreeError(
                .notABase, path: path,
                "\(layers): split BTF of a module, which continues its kernel's and is no base by itself "
                    + "(\(error))",
                hint: "give the kernel's vmlinux or vmlinuz as base")
        }
        throw KernelTreeError(.damaged, path: path, "\(layers): the BTF is damaged: \(error)")
    }
}

private func check(
    _ base: LoadedBase, isModule: Bool, bigEndian: Bool?
) throws(KernelTreeError) {
    if base.btf.starts.isEmpty {
        throw KernelTreeError(.notABase, path: base.path, "\(base.how): holds no types")
    }
    if let bigEndian, bigEndian != base.btf.bigEndian {
        func name(_ big: Bool) -> String { big ? "big-endian" : "little-endian" }
        throw KernelTreeError(
            .wrongByteOrder, path: base.path,
            "\(base.how): \(name(base.btf.bigEndian)) BTF, \(name(bigEndian)) is wanted: "
                + "it is of a kernel for another architecture")
    }
}
