// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO

/// A file that a base is read from.
struct BaseSource {
    let path: String
    private let view: ByteView
    private let identity: FileIdentity?
    /// A vmlinux and raw BTF are read in place, which is faster than any cache.
    private let isReadInPlace: Bool

    /// - Parameter contents: those of the file, if it was read already; nil reads it.
    init(_ path: String, contents: ByteView? = nil) throws(KernelTreeError) {
        self.path = path
        identity = FileIdentity(path)
        do throws(HostError) {
            view = if let contents { contents } else { try FileReader.map(path) }
        } catch { throw KernelTreeError(error) }
        isReadInPlace = BTFFinder.isReadInPlace(view)
    }

    /// BTF found in the file, or in its cache entry.
    struct Found {
        let bytes: ByteView
        let how: String
        let release: KernelRelease?
        let machine: String?
        let isModule: Bool
        /// The file is a kernel image, or compressed.
        let isDecompressed: Bool
        /// The cache entry it came from, if any.
        let entry: BaseCache.Entry?
    }

    func find(_ cache: BaseCache?) throws(KernelTreeError) -> Found {
        if !isReadInPlace, let identity, let entry = cache?.read(.file(identity)) {
            return Found(
                bytes: entry.bytes, how: entry.how, release: entry.release, machine: entry.machine,
                isModule: false, isDecompressed: true, entry: entry)
        }
        var finder = BTFFinder(path: path)
        var found = try finder.find(in: view)
        // Keep the few megabytes needed, not the whole decompressed image.
        if found.isDecompressed { found.bytes = found.bytes.detached() }
        return Found(
            bytes: found.bytes, how: found.layers.joined(separator: ", "), release: found.release,
            machine: found.machine, isModule: found.isModule,
            isDecompressed: found.isDecompressed && !isReadInPlace, entry: nil)
    }

    /// The cache key for `found`; nil if the file was modified meanwhile.
    func key(of found: Found) -> BaseCache.Key? {
        if isReadInPlace { return .contents(found.bytes) }
        guard let identity, FileIdentity(path) == identity else { return nil }
        return .file(identity)
    }
}

extension BaseSource.Found {
    /// The cache entry for it.
    func entry(_ digest: LazyBaseDigest, index: BaseIndex?) -> BaseCache.Entry {
        BaseCache.Entry(
            bytes: bytes, how: how, release: release, machine: machine, digest: digest.value,
            index: index)
    }

    func parse(_ path: String, isForReading: Bool = false) throws(KernelTreeError) -> BTF {
        do throws(BTFError) {
            return try BTF.parse(bytes, isForReading: isForReading)
        } catch {
            if isModule {
                throw KernelTreeError(
                    .notABase, path: path,
                    "\(how): split BTF of a module, which continues its kernel's and cannot be a base itself "
                        + "(\(error))",
                    hint: "use the kernel's vmlinux or vmlinuz as the base")
            }
            if !isForReading, (try? BTF.parse(bytes, isForReading: true)) != nil {
                throw KernelTreeError(
                    .damaged, path: path,
                    "\(how): nothing can be built on types of a later kernel: \(error)")
            }
            throw KernelTreeError(.damaged, path: path, "\(how): the BTF is damaged: \(error)")
        }
    }

    func checkReferences(of btf: BTF, _ path: String) throws(KernelTreeError) {
        do throws(BTFError) { try btf.checkReferences() } catch {
            throw KernelTreeError(.damaged, path: path, "\(how): the BTF is damaged: \(error)")
        }
    }

    /// Checks that BTF which can be parsed is a base.
    func check(_ path: String, bigEndian: Bool?) throws(KernelTreeError) {
        guard let header = try? Header.parse(bytes), header.typeLength > 0 else {
            throw KernelTreeError(.notABase, path: path, "\(how): contains no types")
        }
        if let bigEndian, bigEndian != header.bigEndian {
            func name(_ big: Bool) -> String { big ? "big-endian" : "little-endian" }
            throw KernelTreeError(
                .wrongByteOrder, path: path,
                "\(how): \(name(header.bigEndian)) BTF, but \(name(bigEndian)) is required: "
                    + "its kernel is for another architecture")
        }
    }
}
