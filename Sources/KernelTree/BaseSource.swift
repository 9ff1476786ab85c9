// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import HostIO

/// A file that a base is read from.
struct BaseSource {
    let path: String
    private let view: ByteView
    private let identity: FileIdentity?
    /// A vmlinux and raw BTF are read in place, faster than from any cache.
    private let isReadInPlace: Bool

    init(_ path: String) throws(KernelTreeError) {
        self.path = path
        identity = FileIdentity(path)
        do throws(HostError) { view = try FileReader.map(path) } catch {
            throw KernelTreeError(error)
        }
        isReadInPlace = BTFFinder.isReadInPlace(view)
    }

    /// BTF that was found in the file, or in what the cache keeps of it.
    struct Found {
        let bytes: ByteView
        let how: String
        let release: KernelRelease?
        let machine: String?
        let isModule: Bool
        /// The file is a kernel image, or compressed.
        let isDecompressed: Bool
        /// Where it came from, if that is the cache.
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
        // Some megabytes of a kernel are wanted, not all of its decompressed image.
        if found.isDecompressed { found.bytes = found.bytes.detached() }
        return Found(
            bytes: found.bytes, how: found.layers.joined(separator: ", "), release: found.release,
            machine: found.machine, isModule: found.isModule,
            isDecompressed: found.isDecompressed && !isReadInPlace, entry: nil)
    }

    /// What the cache is to keep `found` under; nil when somebody wrote to the file meanwhile.
    func key(of found: Found) -> BaseCache.Key? {
        if isReadInPlace { return .contents(found.bytes) }
        guard let identity, FileIdentity(path) == identity else { return nil }
        return .file(identity)
    }
}

extension BaseSource.Found {
    /// What the cache keeps of it.
    func entry(index: BaseIndex?) -> BaseCache.Entry {
        BaseCache.Entry(bytes: bytes, how: how, release: release, machine: machine, index: index)
    }

    func parse(_ path: String) throws(KernelTreeError) -> BTF {
        do throws(BTFError) { return try BTF.parse(bytes) } catch {
            if isModule {
                throw KernelTreeError(
                    .notABase, path: path,
                    "\(how): split BTF of a module, which continues its kernel's and is no base by itself "
                        + "(\(error))",
                    hint: "give the kernel's vmlinux or vmlinuz as base")
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
            throw KernelTreeError(.notABase, path: path, "\(how): holds no types")
        }
        if let bigEndian, bigEndian != header.bigEndian {
            func name(_ big: Bool) -> String { big ? "big-endian" : "little-endian" }
            throw KernelTreeError(
                .wrongByteOrder, path: path,
                "\(how): \(name(header.bigEndian)) BTF, \(name(bigEndian)) is wanted: "
                    + "it is of a kernel for another architecture")
        }
    }
}
