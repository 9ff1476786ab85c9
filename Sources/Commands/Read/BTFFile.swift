// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
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
    /// Why nothing can be read, where the file was opened even so.
    private(set) var fault: Failure?
    /// The whole file, if it is a BPF object.
    private var object: ELFFile?
    /// The machine of an ELF file in the notation of `uname -m`.
    private(set) var machine: String?
    /// Of the machine of an ELF file, in bytes.
    private(set) var pointerSize: UInt32?
    /// The section `.BTF.base` in the same file.
    private var distilledBase: ByteView?
    /// The section `.BTF.inline` in the same file.
    private(set) var inline: ByteView?
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

    /// It cannot be standalone.
    private let mustBeSplit: Bool
    /// It is a module, or was asked to be read on a base.
    private var isModules = false

    /// It continues other BTF, its `.BTF.base` if it has one.
    private var isSplit: Bool { mustBeSplit || isEmpty && isModules }

    /// Without types, BTF can be read alone, whether or not it is split.
    var isEmpty: Bool { fault == nil && header.typeLength == 0 }

    /// Reads the BTF of a module or another ELF file, compressed or not, of a raw BTF file, or of
    /// anything else that can be a base. nil for an ELF file without BTF.
    ///
    /// - Parameter evenUnreadable: any bytes will do; `fault` says what is wrong with them.
    static func open(
        _ contents: PackedFile.Contents, _ path: String, cache: BaseCache?,
        evenUnreadable: Bool = false
    ) throws(Failure) -> BTFFile? {
        let view = contents.view
        if ELFFile.isELF(view) {
            let elf: ELFFile
            do throws(ELFError) { elf = try ELFFile(view, path: path) } catch {
                throw Failure(error)
            }
            if let file = try open(elf, path, evenUnreadable) { return file }
            // Perhaps a program that unpacks a kernel.
            guard elf.type == ELFType.executable else { return nil }
            let image = try? loadBase(
                path, contents: contents.keeping.isRequired ? view : nil, cache: cache,
                isForReading: true)
            return image.map { BTFFile(path: path, bytes: $0.bytes, header: $0.btf.header) }
        }
        if Header.isBigEndian(view) != nil {
            return try BTFFile(path, view, place: "", evenUnreadable)
        }
        do throws(KernelTreeError) {
            let image = try loadBase(
                path, contents: contents.keeping.isRequired ? view : nil, cache: cache,
                isForReading: true)
            return BTFFile(path: path, bytes: image.bytes, header: image.btf.header)
        } catch {
            // A large file that is no BTF is something else.
            if evenUnreadable, view.count <= 16 << 20 {
                return try BTFFile(path, view, place: "", evenUnreadable)
            }
            throw Failure(error)
        }
    }

    /// The contents of the file at `path`, decompressed.
    static func contents(of path: String) throws(Failure) -> PackedFile.Contents {
        try PackedFile.open(path) { $0.isSupported }
    }

    private static func open(
        _ elf: ELFFile, _ path: String, _ evenUnreadable: Bool
    ) throws(Failure) -> BTFFile? {
        let bytes: ByteView
        var base: ByteView?
        var inline: ByteView?
        var release: KernelRelease?
        var ids: IDSection?
        let machine: String
        let isKernels: Bool
        var object: ELFFile?
        let mark: BTFMark.Reading
        do throws(ELFError) {
            machine = KernelMachine.name(of: elf)
            isKernels = KernelBTFModule.isOne(elf)
            guard let section = try elf.onlySection(named: ".BTF") else { return nil }
            bytes = try elf.data(of: section)
            if let section = try elf.onlySection(named: distilledBaseName) {
                base = try elf.data(of: section)
            }
            if let section = try elf.onlySection(named: NewBTF.inlineName), section.hasData {
                inline = try elf.data(of: section)
            }
            if elf.machine == ELFMachine.bpf { object = elf }
            if elf.section(named: ".modinfo") != nil { release = KernelRelease.of(elf) }
            ids = try? IDSection.read(elf)
            mark = BTFMark.read(elf)
        } catch { throw Failure(error) }
        var file = try BTFFile(path, bytes, place: ".BTF", evenUnreadable)
        file.object = object
        file.distilledBase = base
        file.inline = inline
        file.release = release
        file.ids = ids
        file.machine = machine
        file.pointerSize = elf.pointerSize
        file.isModules = elf.type == ELFType.relocatable && object == nil
        file.isKernels = isKernels
        file.read(mark)
        return file
    }

    private init(
        _ path: String, _ bytes: ByteView, place: String, _ evenUnreadable: Bool
    ) throws(Failure) {
        self.path = path
        self.bytes = bytes
        self.place = place
        do throws(BTFError) {
            header = try Header.parse(bytes)
            mustBeSplit = Recognition.mustBeSplit(bytes, header: header)
        } catch {
            let failure = Failure("\(path): \(place)\(error)")
            guard evenUnreadable else { throw failure }
            fault = failure
            mustBeSplit = false
            header = Header.ofNothing(bigEndian: Header.isBigEndian(bytes) ?? false)
        }
    }

    private init(path: String, bytes: ByteView, header: Header) {
        self.path = path
        self.bytes = bytes
        self.header = header
        mustBeSplit = Recognition.mustBeSplit(bytes, header: header)
    }

    /// Nothing in BTF without types says that it is split: a base that was named for it does.
    mutating func continueGivenBase() { isModules = isModules || object == nil }

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
                mark, hasDistilledBase: distilledBase != nil,
                Recognition(bytes, header: header, isModules: isModules))
    }

    /// What is wrong with the mark; nil for nothing.
    var markTrouble: String? { known?.trouble }

    /// The kernel whose BTF it continues.
    var baseRelease: KernelRelease? {
        known?.trouble == nil ? mark.mark?.base ?? release : release
    }

    /// It cannot be read without its base.
    var needsBase: Bool { if case .split = form { fault == nil } else { false } }

    /// A module whose BTF cannot be read, or is not split: a kernel reads it after its own types
    /// anyway.
    func mayNeedBase(_ option: String?) -> Bool {
        guard case .standalone = form, release != nil, !isKernels else { return false }
        return option != nil || fault != nil
    }

    var isObject: Bool { object != nil }

    /// What a loader of BPF objects gives to the kernel; nil for other files.
    func loaded(by rules: TargetRules) -> ByteView? {
        object.flatMap { btfForKernel(bytes, of: $0, rules: rules) }
    }

    /// Its own types, counted without the base; nil if a record is damaged.
    var typeCount: Int? { BTF.typeCount(of: bytes, header) }
}
