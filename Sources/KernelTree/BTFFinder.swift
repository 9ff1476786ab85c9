// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import ELF

/// BTF as it was found in a file.
struct FoundBTF {
    /// The BTF, not parsed yet.
    var bytes: ByteView
    /// What it was found in, outermost first: `gzip`, `x86 vmlinuz`, `zstd`, `ELF .BTF`.
    var layers: [String]
    /// The kernel release named inside the file.
    var release: KernelRelease?
    /// The machine of that kernel in the notation of `uname -m`, if the file names it.
    var machine: String?
    /// The file is relocatable: a module.
    var isModule = false
    /// `bytes` is part of decompressed memory, not of the file.
    var isDecompressed = false
}

/// Unwraps a file layer by layer, down to its BTF.
///
/// Memory and time are bounded for any file: layers nest three deep, each decompression has a
/// limit, and so does their total, including attempts during a search through an unknown image.
struct BTFFinder {
    let path: String
    /// What decompression may still produce.
    private var budget = DecompressionLimit.absolute
    /// Streams that a search through one file may attempt.
    private static let mostTries = 64
    /// Bytes of a program that is searched for a kernel.
    private static let largestProgram = 256 << 20

    init(path: String) { self.path = path }

    /// The BTF in `view`, a whole file.
    mutating func find(in view: ByteView) throws(KernelTreeError) -> FoundBTF {
        try find(in: view, layers: [], release: nil)
    }

    private mutating func find(
        in view: ByteView, layers: [String], release: KernelRelease?
    ) throws(KernelTreeError) -> FoundBTF {
        if view.isEmpty { throw failure(.noBTF, layers, "empty") }
        if ELFFile.isELF(view) {
            var found = try elf(view, layers)
            found.release = found.release ?? release
            return found
        }
        if BTFFinder.isBTF(view) {
            return FoundBTF(bytes: view, layers: layers + ["raw BTF"], release: release)
        }
        if let format = CompressionFormat.detect(view) {
            guard layers.count < 3 else { throw failure(.noBTF, layers, "compressed again") }
            let bytes = try decompressed(view, format, layers, concatenated: true)
            var found = try find(in: bytes, layers: layers + [format.name], release: release)
            found.isDecompressed = true
            return found
        }
        return try image(view, layers)
    }

    private mutating func image(
        _ view: ByteView, _ layers: [String]
    ) throws(KernelTreeError) -> FoundBTF {
        let image = KernelImage(view)
        let layers = layers + (image.map { [$0.name] } ?? [])
        switch image?.payload {
        case .outside(let offset, let count):
            throw failure(
                .damaged, layers,
                "truncated: its kernel ends at \(offset + count), the file at \(view.count)")
        case .at(let offset, let count):
            guard let payload = view.slice(offset, count) else { break }
            if ELFFile.isELF(payload) {
                return try contents(payload, layers, release: image?.release)
            }
            // Not recognised by its first bytes: perhaps the search finds what the header does not
            // say.
            guard let format = CompressionFormat.detect(payload) else { break }
            let bytes = try decompressed(payload, format, layers, concatenated: false)
            var found = try contents(bytes, layers + [format.name], release: image?.release)
            found.isDecompressed = true
            return found
        case nil: break
        }
        var found = try search(view, layers, release: image?.release)
        found.machine = found.machine ?? image?.machine
        return found
    }

    /// The BTF of a kernel extracted from its image: a vmlinux, or the same without ELF headers.
    private mutating func contents(
        _ view: ByteView, _ layers: [String], release: KernelRelease?
    ) throws(KernelTreeError) -> FoundBTF {
        if ELFFile.isELF(view) {
            var found = try elf(view, layers)
            // The header of the image is written for boot loaders; the banner belongs to the code
            // that runs.
            found.release = found.release ?? release
            return found
        }
        switch EmbeddedBTF.find(in: view) {
        case .one(let bytes):
            return FoundBTF(
                bytes: bytes, layers: layers + ["BTF in the raw kernel"],
                release: KernelRelease.inBanner(view) ?? release)
        case .ambiguous(let offsets):
            throw failure(.noBTF, layers, "more than one kernel's BTF inside, at \(list(offsets))")
        case .none: throw failure(.noBTF, layers, "a kernel without BTF")
        }
    }

    /// Searches a file of unknown format: for BTF itself, then for compressed data that contains
    /// some.
    private mutating func search(
        _ view: ByteView, _ layers: [String], release: KernelRelease?
    ) throws(KernelTreeError) -> FoundBTF {
        switch EmbeddedBTF.find(in: view) {
        case .one(let bytes):
            return FoundBTF(
                bytes: bytes, layers: layers + ["BTF inside"],
                release: KernelRelease.inBanner(view) ?? release)
        case .ambiguous(let offsets):
            throw failure(.noBTF, layers, "more than one kernel's BTF inside, at \(list(offsets))")
        case .none: break
        }
        if let found = try unpacked(view, layers, release: release) { return found }
        throw failure(
            .noBTF, layers,
            layers.isEmpty ? "not an ELF file, BTF or a kernel image" : "no BTF inside")
    }

    /// The BTF of a kernel that `view` contains compressed.
    ///
    /// - Returns: nil if it contains no kernel.
    private mutating func unpacked(
        _ view: ByteView, _ layers: [String], release: KernelRelease?
    ) throws(KernelTreeError) -> FoundBTF? {
        var at = 1
        var tries = 0
        var refused: CompressionFormat?
        var withoutBTF: CompressionFormat?
        while tries < BTFFinder.mostTries, budget > 0,
            let (offset, format) = nextStream(view, from: at)
        {
            at = offset + 1
            if !format.isSupported {
                refused = refused ?? format
                continue
            }
            guard let rest = view.slice(offset, view.count - offset) else { break }
            tries += 1
            guard let (bytes, consumed) = try? decompress(rest, format, concatenated: false) else {
                continue
            }
            at = offset + consumed
            if var found = try? contents(bytes, layers + [format.name], release: release) {
                found.isDecompressed = true
                return found
            }
            if withoutBTF == nil, KernelRelease.inBanner(bytes) != nil { withoutBTF = format }
        }
        if let withoutBTF {
            throw failure(.noBTF, layers + [withoutBTF.name], "a kernel without BTF")
        }
        if let refused, tries == 0 {
            throw failure(
                .unsupported, layers,
                "its kernel is compressed with \(refused.name), which is not supported")
        }
        return nil
    }

    /// The next compressed stream at or after `start`. Inside images, lzma is accepted only with an
    /// unknown length, as kernels use it: its header matches too much otherwise.
    private func nextStream(_ view: ByteView, from start: Int) -> (Int, CompressionFormat)? {
        var at = start
        while at < view.count {
            switch view[at] {
            case 0x1f, 0xfd, 0x28, 0x02, 0x04, 0x42, 0x89, 0x5d:
                guard let format = CompressionFormat.detect(view, at: at) else { break }
                if format == .lzma, view.byte(at + 5) != 0xff { break }
                return (at, format)
            default: break
            }
            at += 1
        }
        return nil
    }

    // MARK: Steps

    private mutating func elf(
        _ view: ByteView, _ layers: [String]
    ) throws(KernelTreeError) -> FoundBTF {
        let file: ELFFile
        let own: ELFSection?
        do throws(ELFError) {
            file = try ELFFile(view, path: path)
            own = try file.onlySection(named: ".BTF")
        } catch {
            throw failure(.damaged, layers + ["ELF"], error.text(without: path))
        }
        guard let section = own else {
            let layers = layers + ["ELF"]
            if let found = try unpackedByProgram(file, layers) { return found }
            throw failure(.noBTF, layers, "no .BTF section")
        }
        guard section.hasData else {
            throw failure(
                .noBTF, layers + ["ELF"], "its .BTF was stripped (a separate debug file)")
        }
        do throws(ELFError) {
            return FoundBTF(
                bytes: try file.data(of: section), layers: layers + ["ELF .BTF"],
                release: KernelRelease.of(file), machine: KernelMachine.name(of: file),
                isModule: file.type == ELFType.relocatable)
        } catch { throw failure(.damaged, layers + ["ELF"], error.text(without: path)) }
    }

    /// The BTF of a kernel in a program that unpacks it at boot, as MIPS' vmlinuz.
    ///
    /// - Returns: nil for any other ELF file.
    private mutating func unpackedByProgram(
        _ file: ELFFile, _ layers: [String]
    ) throws(KernelTreeError) -> FoundBTF? {
        guard file.type == ELFType.executable, file.bytes.count <= BTFFinder.largestProgram,
            layers.firstIndex(of: "ELF") == layers.count - 1, KernelRelease.of(file) == nil
        else { return nil }
        do throws(KernelTreeError) {
            guard var found = try unpacked(file.bytes, layers, release: nil) else { return nil }
            found.machine = found.machine ?? KernelMachine.name(of: file)
            return found
        } catch {
            // A magic number proves no kernel.
            if error.kind == .unsupported { return nil }
            throw error
        }
    }

    private mutating func decompressed(
        _ view: ByteView, _ format: CompressionFormat, _ layers: [String], concatenated: Bool
    ) throws(KernelTreeError) -> ByteView {
        do throws(DecompressionError) {
            return try decompress(view, format, concatenated: concatenated).bytes
        } catch {
            if case .unsupported = error.reason {
                throw failure(.unsupported, layers, error.description)
            }
            throw failure(.damaged, layers, error.description)
        }
    }

    private mutating func decompress(
        _ view: ByteView, _ format: CompressionFormat, concatenated: Bool
    ) throws(DecompressionError) -> (bytes: ByteView, consumed: Int) {
        var produced = 0
        defer { budget -= produced }
        let result = try decompressStreams(
            view, format: format, concatenated: concatenated,
            limit: min(budget, DecompressionLimit.bytes(forInput: view.count)), produced: &produced)
        return (result.bytes, result.consumed)
    }

    private func failure(
        _ kind: KernelTreeError.Kind, _ layers: [String], _ what: String
    ) -> KernelTreeError {
        let inside = layers.isEmpty ? "" : layers.joined(separator: ", ") + ": "
        let start = kind == .noBTF ? "no BTF found: " : ""
        return KernelTreeError(kind, path: path, start + inside + what)
    }

    private func list(_ offsets: [Int]) -> String {
        offsets.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
    }

    /// A file that contains the BTF verbatim: ELF or raw BTF.
    static func isReadInPlace(_ view: ByteView) -> Bool { ELFFile.isELF(view) || isBTF(view) }

    /// Begins with a BTF header's magic number, in either byte order.
    static func isBTF(_ view: ByteView) -> Bool {
        Header.isBigEndian(view) != nil && view.matches([1], at: 2)
    }
}
