// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// A file's BTF as it was found, before it is known what it stands on.
struct BTFFile: Sendable {
    let path: String
    let bytes: ByteView
    let header: Header
    /// The prefix of offsets in `bytes`: `.BTF` for a section, empty for a whole file.
    var place = ""
    /// The kernel a module is for.
    var release: KernelRelease?
    /// The section `.BTF_ids` in the same file, if it can be read.
    var ids: IDSection?
    /// The machine of an ELF file in the notation of `uname -m`.
    private(set) var machine: String?
    /// The section `.BTF.base` in the same file.
    private var distilledBase: ByteView?
    /// The module that holds the kernel's own BTF.
    private(set) var isKernels = false
    /// What the file says about it.
    private(set) var mark = BTFMark.Reading.none
    /// The form by mark and contents, if there is a mark that is not simply confirmed.
    private var known: KnownForm?

    /// The name of that section as a base.
    static let distilledBaseName = ".BTF.base"

    enum Form: Sendable {
        /// Whole by itself.
        case standalone
        /// Continues the BTF of a kernel.
        case split
        /// Continues its own `.BTF.base`, which a kernel replaces when it loads the module.
        case distilled(base: ByteView)
    }

    var form: Form {
        if let distilledBase { return .distilled(base: distilledBase) }
        return known.map { !$0.isStandalone } ?? isSplit ? .split : .standalone
    }

    /// It continues other BTF, its `.BTF.base` if it has one.
    private let isSplit: Bool

    private static func isSplit(_ bytes: ByteView, _ header: Header) -> Bool {
        // BTF without types can only belong to a module; some producers give it an empty string.
        header.typeLength == 0 && header.stringLength <= 1
            || Recognition.mustBeSplit(bytes, header: header)
    }

    /// Reads the BTF of a module or another ELF file, compressed or not, of a raw BTF file, or of
    /// anything else that can be a base. nil for an ELF file without BTF.
    static func open(
        _ contents: PackedFile.Contents, _ path: String, cache: BaseCache?
    ) throws(Failure) -> BTFFile? {
        let view = contents.view
        if ELFFile.isELF(view) { return try open(view, path) }
        if Header.isBigEndian(view) != nil { return try BTFFile(path, view, place: "") }
        do throws(KernelTreeError) {
            let image = try loadBase(
                path, contents: contents.keeping.isRequired ? view : nil, cache: cache,
                isForReading: true)
            return BTFFile(path: path, bytes: image.bytes, header: image.btf.header)
        } catch { throw Failure(error) }
    }

    /// The contents of the file at `path`, decompressed.
    static func contents(of path: String) throws(Failure) -> PackedFile.Contents {
        try PackedFile.open(path) { $0.isSupported }
    }

    private static func open(_ view: ByteView, _ path: String) throws(Failure) -> BTFFile? {
        let bytes: ByteView
        var base: ByteView?
        var release: KernelRelease?
        var ids: IDSection?
        let machine: String
        let isKernels: Bool
        let mark: BTFMark.Reading
        do throws(ELFError) {
            let elf = try ELFFile(view, path: path)
            machine = KernelMachine.name(of: elf)
            isKernels = KernelBTFModule.isOne(elf)
            guard let section = try elf.onlySection(named: ".BTF") else { return nil }
            bytes = try elf.data(of: section)
            if let section = try elf.onlySection(named: distilledBaseName) {
                base = try elf.data(of: section)
            }
            if elf.section(named: ".modinfo") != nil { release = KernelRelease.of(elf) }
            ids = try? IDSection.read(elf)
            mark = BTFMark.read(elf)
        } catch { throw Failure(error) }
        var file = try BTFFile(path, bytes, place: ".BTF")
        file.distilledBase = base
        file.release = release
        file.ids = ids
        file.machine = machine
        file.isKernels = isKernels
        file.read(mark)
        return file
    }

    private init(_ path: String, _ bytes: ByteView, place: String) throws(Failure) {
        do throws(BTFError) { header = try Header.parse(bytes) } catch {
            throw Failure("\(path): \(place)\(error)")
        }
        self.path = path
        self.bytes = bytes
        self.place = place
        isSplit = BTFFile.isSplit(bytes, header)
    }

    private init(path: String, bytes: ByteView, header: Header) {
        self.path = path
        self.bytes = bytes
        self.header = header
        isSplit = BTFFile.isSplit(bytes, header)
    }

    private mutating func read(_ mark: BTFMark.Reading) {
        self.mark = mark
        let shown: BTFMark.Form =
            distilledBase != nil ? .distilled : isSplit ? .split : .standalone
        switch mark {
        case .none: return
        case .mark(let mark) where mark.form == shown: return
        case .mark, .unreadable: known = knownForm
        }
    }

    /// The form, whether it is sure, and the evidence.
    var knownForm: KnownForm {
        known
            ?? KnownForm(
                mark, hasDistilledBase: distilledBase != nil, Recognition(bytes, header: header))
    }

    /// What is wrong with the mark; nil for nothing.
    var markTrouble: String? { known?.trouble }

    /// The kernel whose BTF it continues.
    var baseRelease: KernelRelease? {
        known?.trouble == nil ? mark.mark?.base ?? release : release
    }

    /// Its own types, counted without the base; nil if a record is damaged.
    var typeCount: Int? { BTF.typeCount(of: bytes, header) }
}
