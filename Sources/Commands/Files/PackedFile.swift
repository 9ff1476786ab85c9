// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// Files that may be compressed as a whole, as installed modules are (`foo.ko.xz`).
enum PackedFile {
    /// The contents of the file at `path`, decompressed if it is in a format of modules.
    ///
    /// - Parameter unpacks: which formats to decompress instead.
    /// - Throws: for damaged data, and for data that becomes far larger than modules do.
    static func read(
        _ path: String, unpacking unpacks: (CompressionFormat) -> Bool = { $0.isOfModules }
    ) throws(Failure) -> ByteView {
        try open(path, unpacking: unpacks).view
    }

    /// What `read` gives, and what it takes to keep it.
    struct Contents: BatchContents {
        let view: ByteView
        var keeping: Keeping
    }

    static func open(
        _ path: String, unpacking unpacks: (CompressionFormat) -> Bool = { $0.isOfModules }
    ) throws(Failure) -> Contents {
        let (view, isRegular): (ByteView, Bool)
        do throws(HostError) { (view, isRegular) = try FileReader.open(path) } catch {
            throw Failure(error)
        }
        var keeping = Keeping(isRequired: !isRegular)
        guard let format = CompressionFormat.detect(view), unpacks(format) else {
            return Contents(view: view, keeping: keeping)
        }
        let unpacked: Decompressed
        do throws(DecompressionError) {
            unpacked = try decompressCounting(view, format: format, concatenated: true)
        } catch { throw Failure("\(path): \(error)") }
        keeping.size = unpacked.bytes.count
        keeping.warning = try warning(view, unpacked, format, path)
        return Contents(view: unpacked.bytes, keeping: keeping)
    }

    /// Of other bytes behind the compressed data, which gzip ignores.
    ///
    /// - Throws: for those of a module that the format's own tool refuses, and whoever loads it.
    ///   Kernels may have more behind them.
    private static func warning(
        _ view: ByteView, _ unpacked: Decompressed, _ format: CompressionFormat, _ path: String
    ) throws(Failure) -> Talk.Message? {
        let rest = view.count - unpacked.consumed
        guard rest > 0, format.isOfModules, ELFFile.isRelocatable(unpacked.bytes)
        else { return nil }
        guard format == .gzip else {
            throw Failure(
                "\(path): \(rest) bytes of something else follow the \(format.name) data, at "
                    + "0x\(String(unpacked.consumed, radix: 16))",
                hint: "\(format.name) -t \(path) says so as well: compress the module again")
        }
        let isPadding = (unpacked.consumed..<view.count).allSatisfy { view[$0] == 0 }
        if isPadding { return nil }
        return .warning(
            "\(path): \(rest) bytes of something else follow the gzip data: they are ignored",
            hint: nil)
    }

    /// Replaces the file at `path`. A compressed one is compressed again, by the same method.
    static func replace(_ path: String, with chunks: [ByteView]) throws(Failure) {
        let format: CompressionFormat?
        do throws(HostError) { format = try self.format(of: path) } catch { throw Failure(error) }
        var chunks = chunks
        if let format {
            do throws(CompressionError) {
                chunks = [ByteView(try compressModule(chunks, as: format))]
            } catch { throw Failure("\(path): \(error)") }
        }
        do throws(HostError) { try AtomicFile.replace(path, with: chunks) } catch {
            throw Failure(error)
        }
    }

    /// Replaces the file at `path` as `replace` does, unless it has these contents already.
    ///
    /// - Parameter old: what `read` gave of it.
    /// - Returns: whether it was written.
    static func update(
        _ path: String, from old: ByteView, with chunks: [ByteView]
    ) throws(Failure) -> Bool {
        if FileStatus(path).isRegular, old.holds(chunks) { return false }
        try replace(path, with: chunks)
        return true
    }

    private static func format(of path: String) throws(HostError) -> CompressionFormat? {
        guard FileStatus(path).isRegular else { return nil }
        guard let format = CompressionFormat.detect(try FileReader.map(path)), format.isOfModules
        else { return nil }
        return format
    }
}
