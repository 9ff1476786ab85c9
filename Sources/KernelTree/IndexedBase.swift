// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import HostIO

/// A base BTF, ready for encoding modules against it, and where it came from.
package struct IndexedBase: SearchedBase {
    package let index: BaseIndex
    /// The indexed BTF.
    package let bytes: ByteView
    /// The file it was read from, as the caller named it.
    package let path: String
    /// What it was found in, outermost first: `gzip, x86 vmlinuz, zstd, ELF .BTF`.
    package let how: String
    /// The kernel it belongs to, if the file itself names it.
    package let release: KernelRelease?
    /// The kernel it belongs to, if the place where it was found proves it.
    package var kernel: KernelRelease?
    /// The machine of that kernel in the notation of `uname -m`; nil for raw BTF.
    package let machine: String?
    package let digest: LazyBaseDigest
    /// The index was read from a `BaseCache` instead of being built.
    package let isFromCache: Bool
}

/// Reads a base as `loadBase` does, and indexes it or reads the index from the cache.
///
/// - Parameters:
///   - bigEndian: the byte order that the base must have; nil for either.
///   - jobs: threads for building the index.
package func loadIndexedBase(
    _ path: String, bigEndian: Bool? = nil, cache: BaseCache? = nil, jobs: Int = 1
) throws(KernelTreeError) -> IndexedBase {
    let source = try BaseSource(path)
    let found = try source.find(cache)
    let key = source.key(of: found)
    let known = found.entry ?? key.flatMap { cache?.read($0) }
    if let known, let index = known.index {
        try found.check(path, bigEndian: bigEndian)
        return IndexedBase(
            index: index, bytes: found.bytes, path: path, how: found.how, release: found.release,
            machine: found.machine, digest: LazyBaseDigest(found.bytes, known: known.digest),
            isFromCache: true)
    }
    let btf = try found.parse(path)
    try found.check(path, bigEndian: bigEndian)
    try found.checkReferences(of: btf, path)
    let index = indexBase(btf, jobs: jobs)
    let digest = LazyBaseDigest(found.bytes, known: known?.digest)
    if let key, let cache {
        cache.write(found.entry(digest, index: index), for: key)
    }
    return IndexedBase(
        index: index, bytes: found.bytes, path: path, how: found.how, release: found.release,
        machine: found.machine, digest: digest, isFromCache: false)
}
