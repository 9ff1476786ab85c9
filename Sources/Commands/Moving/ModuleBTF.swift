// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// All of a file that has to do with its BTF: what moves when the BTF moves to another base.
struct ModuleBTF: BatchContents {
    let path: String
    /// nil for a file of raw BTF.
    private(set) var elf: ELFFile?
    let bytes: ByteView
    let header: Header
    /// Its `.BTF.base`.
    private(set) var distilledBase: ByteView?
    /// Its `.BTF.inline`.
    private(set) var inline: ByteView?
    /// Its `.BTF_ids`.
    private(set) var ids: IDSection?
    /// The kernel that the file names.
    private(set) var release: KernelRelease?
    /// What the file says about it.
    private(set) var mark = BTFMark.Reading.none
    private var form: LazyForm
    private(set) var keeping = Keeping()

    /// - Throws: for a file without BTF, and for a BPF object, whose programs refer to types as
    ///   well.
    static func open(_ path: String) throws(Failure) -> ModuleBTF {
        let contents = try PackedFile.open(path)
        var file = try read(contents.view, path)
        file.keeping = contents.keeping
        return file
    }

    private static func read(_ view: ByteView, _ path: String) throws(Failure) -> ModuleBTF {
        if Header.isBigEndian(view) != nil {
            return try ModuleBTF(path, view, place: "")
        }
        let elf = try openELF(view, path)
        guard !KernelBTFModule.isOne(elf) else { throw Failure.holdsKernelBTF(path) }
        let own: ELFSection?
        let base: ELFSection?
        let inline: ELFSection?
        do throws(ELFError) {
            own = try elf.onlySection(named: ".BTF")
            base = try elf.onlySection(named: ".BTF.base")
            inline = try elf.onlySection(named: NewBTF.inlineName)
        } catch { throw Failure(error) }
        guard let section = own, section.hasData else {
            throw Failure(
                "\(path): .BTF: no such section",
                hint: "kbtf encode \(path), if it was built with -g")
        }
        if elf.section(named: ".BTF.ext") != nil {
            throw Failure(
                "\(path): .BTF.ext: it refers to types as well, and cannot be moved with them")
        }
        var file = try ModuleBTF(path, try contents(of: section, elf), place: ".BTF")
        file.elf = elf
        if let inline, inline.hasData { file.inline = try contents(of: inline, elf) }
        if let base, base.hasData { file.distilledBase = try contents(of: base, elf) }
        do throws(IDError) { file.ids = try IDSection.read(elf) } catch { throw Failure(error) }
        file.release = elf.section(named: ".modinfo") == nil ? nil : KernelRelease.of(elf)
        file.mark = BTFMark.read(elf)
        file.form = LazyForm(
            file.bytes, file.header, file.mark, hasDistilledBase: file.distilledBase != nil)
        return file
    }

    private static func contents(
        of section: ELFSection, _ elf: ELFFile
    ) throws(Failure) -> ByteView {
        do throws(ELFError) { return try elf.data(of: section) } catch { throw Failure(error) }
    }

    private init(_ path: String, _ bytes: ByteView, place: String) throws(Failure) {
        do throws(BTFError) { header = try Header.parse(bytes) } catch {
            throw Failure("\(path): \(place)\(error)")
        }
        self.path = path
        self.bytes = bytes
        form = LazyForm(bytes, header, .none, hasDistilledBase: false)
    }

    /// Whether it is standalone, split or distilled BTF.
    var known: KnownForm { form.value }

    /// The kernel that its BTF is for once it is on this base; nil if nothing is known.
    func target(on base: MoveBase) -> TargetChoice? {
        var signs = TargetSigns()
        signs.base = TargetSigns.Base(
            path: base.path, release: base.release, evidence: base.index.evidence)
        signs.own = release
        return TargetChoice(named: nil, "", signs: signs)
    }

    /// What is wrong with the mark.
    var markMessages: [Talk.Message] {
        known.trouble.map { [.warning("\(path): \($0)", hint: nil)] } ?? []
    }

    /// Why split BTF was not built against the base; nil if it may have been.
    func misfit(on base: MoveBase) -> BTFError? {
        if let difference = mark.mark?.difference(to: base.indexed.digest) {
            return BTFError(offset: 0, difference)
        }
        return BTF.misfit(of: bytes, on: base.btf)
    }

    /// Reads distilled BTF over its `.BTF.base`.
    func parseDistilled(_ small: ByteView) throws(Failure) -> BTF {
        let base: BTF
        do throws(BTFError) {
            base = try BTF.parse(small, filePointerSize: elf?.pointerSize)
        } catch {
            throw Failure("\(path): .BTF.base\(error)")
        }
        return try parse(on: base)
    }

    /// Reads distilled BTF that is to stay as it is.
    ///
    /// - Throws: for unsound BTF, or an unsound `.BTF.base`.
    func checkDistilled(_ small: ByteView) throws(Failure) {
        let btf = try parseDistilled(small)
        let report = checkDistilledBase(small, filePointerSize: elf?.pointerSize)
        if let fault = report.firstError {
            throw unsound(".BTF.base\(fault)")
        }
        _ = try sound(btf)
    }

    /// Reads BTF without a base.
    func parseStandalone() throws(Failure) -> BTF {
        if let btf = form.btf { return btf }
        return try attempt { () throws(BTFError) in try BTF.parse(bytes) }
    }

    /// Reads split BTF over the base that it was built against.
    ///
    /// - Throws: for unsound BTF, whose result would be unsound as well.
    func parseSplit(on base: BTF) throws(Failure) -> BTF {
        try sound(try parse(on: base))
    }

    private func parse(on base: BTF) throws(Failure) -> BTF {
        try attempt { () throws(BTFError) in
            try BTF.parse(bytes, base: base, filePointerSize: elf?.pointerSize)
        }
    }

    private func sound(_ btf: BTF) throws(Failure) -> BTF {
        if let fault = check(btf).firstError {
            throw unsound("\(elf == nil ? "" : ".BTF")\(fault)")
        }
        return btf
    }

    private func unsound(_ fault: String) -> Failure {
        Failure("\(path): its BTF is unsound: \(fault)", hint: "kbtf check \(path)")
    }

    /// Calls `body`; a fault that it finds belongs to this file.
    func attempt<Result>(_ body: () throws(BTFError) -> Result) throws(Failure) -> Result {
        do throws(BTFError) { return try body() } catch { throw failure(error) }
    }

    /// A fault in the BTF, as a failure.
    func failure(_ error: BTFError, hint: String? = nil) -> Failure {
        Failure("\(path): \(elf == nil ? "" : ".BTF")\(error)", hint: hint)
    }

    func failure(_ error: RelocationError, base: String) -> Failure {
        switch error.place {
        case .distilledBase: Failure("\(path): .BTF.base\(error), on \(base)")
        case .split: Failure("\(path): .BTF\(error)")
        case .base: Failure("\(path): on \(base): \(error.message)")
        }
    }
}
