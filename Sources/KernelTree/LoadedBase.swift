// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes

/// A base BTF, parsed, and where it came from.
package struct LoadedBase: SearchedBase {
    package let btf: BTF
    /// The BTF as it was found, byte for byte.
    package let bytes: ByteView
    /// The file it was read from, as the caller named it.
    package let path: String
    /// What it was found in, outermost first: `gzip, x86 vmlinuz, zstd, ELF .BTF`.
    package let how: String
    /// The kernel it belongs to, if the file itself names it. A stub vmlinux from headers and raw
    /// BTF do not.
    package let release: KernelRelease?
    /// The machine of that kernel in the notation of `uname -m`; nil for raw BTF.
    package let machine: String?
    package let digest: LazyBaseDigest
    /// Read from a `BaseCache` instead of being decompressed again.
    package let isFromCache: Bool
}

/// Reads a base: an ELF file with `.BTF` (a vmlinux, the stub in a headers package, a module with
/// standalone BTF), raw BTF, a kernel image (vmlinuz, EFI zboot, Image), or any of them compressed
/// (`.gz`, `.xz`, `.zst`, `.lz4`). The contents alone decide which it is; file names do not matter.
///
/// - Parameters:
///   - contents: those of a file that was read already and cannot be read again; nil reads it.
///   - bigEndian: the byte order that the base must have; nil for either.
///   - cache: where decompressed bases are kept.
///   - isForReading: accept unknown kinds that the base describes, see `BTF.parse`.
/// - Throws: `KernelTreeError`, one line that says what the file is and what was expected.
package func loadBase(
    _ path: String, contents: ByteView? = nil, bigEndian: Bool? = nil, cache: BaseCache? = nil,
    isForReading: Bool = false
) throws(KernelTreeError) -> LoadedBase {
    let source = try BaseSource(path, contents: contents)
    let found = try source.find(cache)
    let digest = LazyBaseDigest(found.bytes, known: found.entry?.digest)
    let base = LoadedBase(
        btf: try found.parse(path, isForReading: isForReading), bytes: found.bytes, path: path,
        how: found.how,
        release: found.release, machine: found.machine, digest: digest,
        isFromCache: found.entry != nil)
    try found.check(path, bigEndian: bigEndian)
    if found.isDecompressed, found.entry == nil, let cache, let key = source.key(of: found) {
        cache.write(found.entry(digest, index: nil), for: key)
    }
    return base
}
