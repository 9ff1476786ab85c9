// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import KernelTree

/// Reads files' BTF together with its base. A base is read once for all files.
final class Reader {
    /// `--base`; nil: each file's own.
    let option: String?
    let search: SearchPlaces
    let talk: Talk
    private var loaded: [BaseChoice: Swift.Result<LoadedBase?, Failure>] = [:]
    private var origins: [String: BaseOrigin?] = [:]
    private(set) var foreignBases = ForeignBases()
    private static let hint = "specify the base that it was built against with --base FILE"
    private var hasHinted = false
    private var owesHint = false
    /// The last base that could not be read.
    private var lacking: BaseChoice?
    private var lackOrder: [BaseChoice] = []
    private var lacks: [BaseChoice: (failure: Failure, first: String, count: Int)] = [:]

    init(_ options: BaseOptions, _ surroundings: Surroundings, talk: Talk) {
        option = options.base
        search = options.search.places(surroundings)
        self.talk = talk
    }

    /// The file's BTF as found; nil for an ELF file without BTF.
    func open(_ path: String) throws(Failure) -> BTFFile? {
        try BTFFile.open(path, cache: search.cache)
    }

    /// The types of the file at `path`.
    ///
    /// - Parameter option: another `--base` for this file.
    func read(_ path: String, base option: String? = nil) throws(Failure) -> BTF {
        if let btf = try readIfPresent(path, base: option) { return btf }
        throw Failure(
            "\(path): .BTF: no such section",
            hint: "kbtf encode \(path), if it was built with -g")
    }

    /// Like `read`; nil for an ELF file without BTF.
    func readIfPresent(_ path: String, base option: String? = nil) throws(Failure) -> BTF? {
        guard let file = try open(path) else { return nil }
        let base = try base(of: file, option ?? self.option)
        if case .split = file.form, let kernel = base.btf, let name = base.name {
            let report = check(file.bytes, base: kernel, limit: 1)
            if let other = OtherBase(file.bytes, on: kernel, report: report) {
                throw misplaced(file, other, name, base.foreign)
            }
        }
        if let foreign = base.foreign { foreignBases.add(foreign, path) }
        do throws(BTFError) { return try BTF.parse(file.bytes, base: base.btf) } catch {
            throw Failure(
                "\(path): \(file.place)\(error)" + (base.name.map { " (read on \($0))" } ?? ""))
        }
    }

    /// The one error for BTF that was built against another base.
    ///
    /// - Parameter hints: the first has a hint; otherwise `finish` reports it.
    func misplaced(
        _ file: BTFFile, _ other: OtherBase, _ base: String, _ foreign: ForeignBase?,
        hints: Bool = true
    ) -> Failure {
        defer { if hints { hasHinted = true } else { owesHint = true } }
        return Failure(
            "\(file.path): \(file.place)+0x\(String(other.offset, radix: 16)): "
                + other.sentence(base + (foreign.map { " (\($0.kernels))" } ?? "")),
            hint: hints && !hasHinted ? Self.hint : nil)
    }

    /// Checks a file's BTF, and first its own base, if any.
    ///
    /// - Parameter kernel: what it is read on if no base is found.
    func judge(
        _ file: BTFFile, profile: CheckProfile = .structure, limit: Int, kernel: LoadedBase? = nil
    ) -> Verdict {
        if case .distilled(let base) = file.form {
            let report = checkDistilledBase(base, limit: limit)
            if !report.isSound { return .judged(.init(report: report, place: ".BTF.base")) }
        }
        var base: FileBase
        do throws(Failure) { base = try self.base(of: file, option) } catch {
            guard option == nil, let kernel else { return .noBase(error) }
            base = fileBase(kernel, of: file, nil)
        }
        let report = check(file.bytes, base: base.btf, profile: profile, limit: limit)
        var judgement = Verdict.Judgement(
            report: report, place: file.place, base: base.name, foreign: base.foreign)
        if case .split = file.form, let kernel = base.btf {
            judgement.other = OtherBase(file.bytes, on: kernel, report: report)
        }
        if judgement.other == nil, let foreign = base.foreign {
            foreignBases.add(foreign, file.path)
        }
        return .judged(judgement)
    }

    /// Checks BTF that was judged against a kernel's rules; nil if it cannot be read.
    func hold(
        _ file: BTFFile, to target: KernelTarget, _ judgement: Verdict.Judgement, limit: Int
    ) -> TargetVerdict? {
        let use: TargetUse
        var small: ByteView?
        switch file.form {
        case .distilled(let base):
            use = .module(bringsBase: true)
            small = base
        case .split: use = .module(bringsBase: false)
        case .standalone: use = file.release == nil ? .whole : .module(bringsBase: false)
        }
        let own = try? base(of: file, option)
        if file.form.isModules {
            // Without the target's BTF, the base that the file was read on takes its place.
            let kernel =
                target.base.map { ($0.btf, $0.path) }
                ?? (judgement.other == nil ? nil : own?.kernel)
            if let (kernel, name) = kernel,
                let report = checkFit(
                    file.bytes, distilledBase: small,
                    madeOn: small == nil && judgement.other == nil ? own?.btf : nil, on: kernel,
                    named: name, rules: target.rules)
            {
                return TargetVerdict(target: target, report: report, use: use, place: file.place)
            }
        }
        let base = own?.btf ?? (file.form.isModules ? target.base?.btf : nil)
        guard let btf = try? BTF.parse(file.bytes, base: base) else { return nil }
        let report = checkTarget(
            btf, byteCount: file.bytes.count, use: use, rules: target.rules,
            isSound: judgement.report.isSound,
            withImplicitArguments: file.ids?.functionsWithImplicitArguments(old: btf) ?? [],
            limit: limit)
        return TargetVerdict(target: target, report: report, use: use, place: file.place)
    }

    // MARK: Bases

    /// The BTF that a file's BTF continues.
    private struct FileBase {
        var btf: BTF?
        var name: String?
        var foreign: ForeignBase?

        /// As a kernel that the file may be for.
        var kernel: (BTF, String)? { if let btf, let name { (btf, name) } else { nil } }
    }

    /// The BTF that a file's BTF continues: none, its own `.BTF.base`, or a kernel's base.
    private func base(of file: BTFFile, _ option: String?) throws(Failure) -> FileBase {
        switch file.form {
        case .standalone: return FileBase()
        case .distilled(let base):
            do throws(BTFError) {
                return FileBase(btf: try BTF.parse(base), name: ".BTF.base")
            } catch { throw Failure("\(file.path): .BTF.base\(error)") }
        case .split:
            let base = try kernelBase(of: file, option)
            talk.detail("\(file.path): split BTF, read on \(base.path) (\(base.how))")
            return fileBase(base, of: file, origin(of: base))
        }
    }

    private func fileBase(
        _ base: LoadedBase, of file: BTFFile, _ origin: BaseOrigin?
    ) -> FileBase {
        FileBase(
            btf: base.btf, name: base.path,
            foreign: file.machine.flatMap {
                ForeignBase(
                    release: file.release, machine: $0, base: base.path, origin: origin,
                    baseMachine: base.machine)
            })
    }

    private func origin(of base: LoadedBase) -> BaseOrigin? {
        if let known = origins[base.path] { return known }
        let origin = BaseOrigin(
            path: base.path, release: base.release, machine: base.machine,
            running: search.surroundings.running)
        origins[base.path] = .some(origin)
        return origin
    }

    private func kernelBase(of file: BTFFile, _ option: String?) throws(Failure) -> LoadedBase {
        let withoutBase = Failure(
            "\(file.path): split BTF, which cannot be read without its base",
            hint: "specify the base with --base FILE")
        guard option != nil || file.release != nil || search.release != nil else {
            throw withoutBase
        }
        let choice = try BaseChoice(
            option: option ?? "auto", path: file.path, own: file.release,
            bigEndian: file.header.bigEndian, search: search)
        if loaded[choice] == nil {
            loaded[choice] = Swift.Result { () throws(Failure) in try choice.load(search) }
        }
        switch loaded[choice] {
        case .success(let base?): return base
        case .success(nil), nil: throw withoutBase
        case .failure(var failure):
            failure.subject = .base
            lacking = choice
            throw failure
        }
    }

    // MARK: What many files share

    /// Reports a failure of a file; failures shared with others are reported once, by `finish`.
    func say(_ failure: Failure, of path: String) {
        guard failure.subject == .base, let choice = lacking else { return talk.say(failure) }
        if lacks[choice] == nil { lackOrder.append(choice) }
        lacks[choice, default: (failure, path, 0)].count += 1
    }

    /// Reports problems that several files share: bases that are missing, or belong to other
    /// kernels.
    ///
    /// - Returns: false if `--strict` turns them into a failure.
    func finish(strict: Bool = false) -> Bool {
        for choice in lackOrder {
            guard let (failure, first, count) = lacks[choice] else { continue }
            if case .auto = choice {
                talk.say(failure.about(first, others: count - 1))
            } else {
                talk.say(failure)
            }
            if count > 1 { talk.note("\(count) files cannot be read without this base") }
        }
        if owesHint { talk.hint(Self.hint) }
        foreignBases.say(talk)
        return !strict || foreignBases.isEmpty
    }
}

extension BTFFile.Form {
    /// Continues a kernel's BTF, now or once it is loaded.
    fileprivate var isModules: Bool {
        switch self {
        case .split, .distilled: true
        case .standalone: false
        }
    }
}
