// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Attaching
import BPFObject
import BTF
import Bytes
import Console
import ELF
import HostIO
import KernelTree

/// The kernel or module whose functions are judged.
struct AttachSubject {
    /// The file, or the kernel's release.
    let name: String
    let btf: BTF
    let facts: ImageFacts
    /// The kernel's, if `btf` is a module's.
    let kernel: ImageFacts?
    let kernelPath: String
    let release: KernelRelease?
    let machine: String
    /// The file that the kernel's symbols are from.
    let symbolsPath: String?
    let modulePath: String?
    /// The options that name it, for hints.
    let options: String
    /// The object whose programs are the targets, instead of a kernel.
    var programs: ProgramTargets?

    var version: KernelVersion? { release?.kernelVersion }

    /// - Parameters:
    ///   - target: the kernel; nil: the module's, or the running one.
    ///   - option: the option that names it.
    ///   - symbols: `--symbols`
    static func find(
        target: String?, option: String = "--target", module: String?, symbols: String?,
        _ places: SearchPlaces, _ talk: Talk
    ) throws(Failure) -> AttachSubject {
        if let target, module == nil, let object = try BPFObject.inFile(target) {
            var subject = AttachSubject(
                name: target, btf: object.btf, facts: ImageFacts(), kernel: nil,
                kernelPath: target, release: places.release, machine: "bpf", symbolsPath: nil,
                modulePath: nil, options: " --target \(target)")
            subject.programs = ProgramTargets(object, version: subject.version)
            return subject
        }
        var file: ModuleFile?
        if let module { file = try ModuleFile(module) }
        let base = try KernelChoice(option, target).load(for: file?.release, places)
        let release =
            places.release ?? base.release ?? file?.release
            ?? (base.path.hasPrefix("/sys/kernel/btf/")
                ? places.surroundings.runningRelease.flatMap { KernelRelease($0) } : nil)
            ?? KernelRelease.ofTree(folder(of: base.path))
        let search = SymbolSearch(
            kernel: base.path, release: release, roots: ["/"] + places.folders)
        let found = try search.facts(named: symbols)
        if let found { talk.detail("symbols from \(found.path)") }
        var options = target.map { " --target \($0)" } ?? ""
        if let symbols { options += " --symbols \(symbols)" }
        if let module { options += " --module \(module)" }
        let machine = base.machine ?? file?.machine ?? found?.machine ?? "x86_64"
        guard let file, let module else {
            let subject = AttachSubject(
                name: base.path, btf: base.btf, facts: found?.facts ?? ImageFacts(), kernel: nil,
                kernelPath: base.path, release: release, machine: machine,
                symbolsPath: found?.path, modulePath: nil, options: options)
            if let warning = subject.contradiction() { talk.say(.warning(warning, hint: nil)) }
            return subject
        }
        return AttachSubject(
            name: module, btf: try file.btf(on: base), facts: file.facts,
            kernel: found?.facts ?? ImageFacts(), kernelPath: base.path, release: release,
            machine: machine, symbolsPath: found?.path, modulePath: module, options: options)
    }

    /// A warning if the symbols are another kernel's.
    private func contradiction() -> String? {
        guard let symbols = facts.symbols, let symbolsPath else { return nil }
        var known = 0
        var count = 0
        for record in btf.ownRecords where record.kind == .func {
            count += 1
            if symbols[record.name] != nil { known += 1 }
        }
        guard count > 20, known * 10 < count * 9 else { return nil }
        return "\(symbolsPath) has symbols for \(known) of \(count) functions in the BTF of "
            + "\(kernelPath): it is probably of another kernel"
    }

    /// Why a function is not in the BTF, as far as symbols show.
    func absence(of name: String) -> String? {
        guard let symbols = facts.symbols else { return nil }
        if let place = symbols[name], place.functions > 0 { return LeftOut.reason(name, symbols) }
        return "it has no such symbol either"
    }

    /// Functions that are not in the BTF, with the reason.
    func leftOut() throws(Failure) -> [LeftOut] {
        guard let symbols = facts.symbols else {
            throw Failure(
                "--ledger: the symbols of \(name) are not known",
                hint: "kbtf attach\(options) --symbols System.map --ledger")
        }
        var described: Set<String> = []
        var link: BTF? = btf
        while let part = link {
            if part === btf || kernel == nil {
                for record in part.ownRecords where record.kind == .func {
                    described.insert(record.name)
                }
            }
            link = part.base
        }
        return symbols.functionNames.filter { !described.contains($0) }.sorted().map {
            LeftOut(name: $0, reason: LeftOut.reason($0, symbols))
        }
    }
}

extension KernelRelease {
    /// Major and minor version; nil for a release without.
    var kernelVersion: KernelVersion? { version.map { KernelVersion($0.major, $0.minor) } }
}

extension BPFObject {
    /// The BPF object at `path`; nil if it is something else.
    static func inFile(_ path: String) throws(Failure) -> BPFObject? {
        guard FileStatus(path).isRegular, let view = try? PackedFile.read(path),
            ELFFile.isELF(view), let elf = try? ELFFile(view, path: path),
            elf.machine == ELFMachine.bpf, elf.type == ELFType.relocatable
        else { return nil }
        do throws(BPFObjectError) { return try BPFObject(view, path: path) } catch {
            throw Failure(error)
        }
    }
}

private func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
}

/// A function that is not in the BTF.
struct LeftOut {
    let name: String
    let reason: String

    /// The reason as far as symbols show it; debug information shows more, see docs/ledger.md.
    static func reason(_ name: String, _ symbols: SymbolAddresses) -> String {
        for (part, what) in [
            (".isra.", "a clone with other parameters (GCC's isra)"),
            (".constprop.", "a clone for constant arguments (GCC's constprop)"),
            (".part.", "a part of a function"), (".cold", "the unlikely part of a function"),
            (".llvm.", "a local function that LTO renamed"),
        ] where name.contains(part) { return what }
        let clone = ["isra", "constprop", "part"].first {
            symbols["\(name).\($0).0"] != nil
        }
        if clone != nil { return "the compiler also made a clone of it with other parameters" }
        if name.hasPrefix("__pfx_") { return "padding before a function" }
        if let place = symbols[name], place.functions > 1 {
            return "\(place.functions) functions have this name"
        }
        return "not described by debug information (assembly), or left out of the BTF "
            + "(kbtf encode --ledger shows why)"
    }
}

/// A module's file.
private struct ModuleFile {
    let path: String
    let facts: ImageFacts
    let release: KernelRelease?
    let machine: String
    private let bytes: ByteView

    init(_ path: String) throws(Failure) {
        let contents = try PackedFile.read(path)
        let elf = try openELF(contents, path, .all)
        try ModuleOption.check(elf, path)
        self.path = path
        release = KernelRelease.of(elf)
        machine = KernelMachine.name(of: elf)
        do throws(ELFError) {
            guard let section = try elf.onlySection(named: ".BTF"), section.hasData else {
                throw ELFError.file(path: path, section: ".BTF", offset: nil, fault: .noData)
            }
            if elf.section(named: ".BTF.base") != nil {
                bytes = .empty
            } else {
                bytes = try elf.data(of: section)
            }
            facts = try ImageFacts(module: elf)
        } catch { throw Failure(error) }
    }

    func btf(on base: LoadedBase) throws(Failure) -> BTF {
        guard !bytes.isEmpty else {
            throw Failure(
                "\(path): .BTF.base: it is distilled; what it becomes depends on the kernel",
                hint: "kbtf rebase --onto \(base.path) -o copy.ko \(path)")
        }
        do throws(BTFError) {
            return try BTF.parse(bytes, base: base.btf, isForReading: true)
        } catch { throw Failure("\(path): .BTF\(error) (read on \(base.path))") }
    }
}
