// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import KernelTree

/// Reads files' BTF together with what they stand on. A base is read once for all files.
final class Reader {
    /// `--base`; nil: each file's own.
    let option: String?
    let search: SearchOptions
    let talk: Talk
    private var loaded: [BaseChoice: Swift.Result<LoadedBase?, Failure>] = [:]

    init(_ options: BaseOptions, talk: Talk) {
        option = options.base
        search = options.search
        self.talk = talk
    }

    /// The file's BTF as it was found; nil when it is an ELF file without.
    func open(_ path: String) throws(Failure) -> BTFFile? {
        try BTFFile.open(path, cache: search.cache)
    }

    /// The types of the file at `path`.
    /// - Parameter option: another `--base` for this file.
    func read(_ path: String, base option: String? = nil) throws(Failure) -> BTF {
        if let btf = try readIfPresent(path, base: option) { return btf }
        throw Failure(
            "\(path): .BTF: no such section",
            hint: "kbtf encode \(path), if it was built with -g")
    }

    /// As `read`; nil when it is an ELF file without BTF.
    func readIfPresent(_ path: String, base option: String? = nil) throws(Failure) -> BTF? {
        guard let file = try open(path) else { return nil }
        let base = try base(of: file, option ?? self.option)
        do throws(BTFError) { return try BTF.parse(file.bytes, base: base.btf) } catch {
            let message = "\(path): \(file.place)\(error)"
            guard case .split = file.form, let name = base.name else { throw Failure(message) }
            throw Failure(
                message + " (split BTF, read on \(name))",
                hint: "if it stands on another base, name that with --base FILE")
        }
    }

    /// Checks a file's BTF; before it the base that it brings along, if any.
    func judge(
        _ file: BTFFile, profile: CheckProfile = .structure, limit: Int
    ) -> Verdict {
        if case .distilled(let base) = file.form {
            let report = checkDistilledBase(base, limit: limit)
            if !report.isSound { return .judged(report, place: ".BTF.base", base: nil) }
        }
        let base: (btf: BTF?, name: String?)
        do throws(Failure) { base = try self.base(of: file, option) } catch {
            return .noBase(error)
        }
        return .judged(
            check(file.bytes, base: base.btf, profile: profile, limit: limit), place: file.place,
            base: base.name)
    }

    /// Holds a file's BTF, which was judged, against what a kernel takes; nil when it cannot be read.
    func hold(
        _ file: BTFFile, to target: KernelTarget, isSound: Bool, limit: Int
    ) -> TargetVerdict? {
        guard let base = try? base(of: file, option),
            let btf = try? BTF.parse(file.bytes, base: base.btf)
        else { return nil }
        let use: TargetUse
        switch file.form {
        case .distilled: use = .module(bringsBase: true)
        case .split: use = .module(bringsBase: false)
        case .standalone: use = file.release == nil ? .whole : .module(bringsBase: false)
        }
        let report = checkTarget(
            btf, byteCount: file.bytes.count, use: use, rules: target.rules, isSound: isSound,
            withImplicitArguments: file.ids?.functionsWithImplicitArguments(old: btf) ?? [],
            limit: limit)
        return TargetVerdict(target: target, report: report, use: use, place: file.place)
    }

    /// What a file's BTF continues: nothing, its own `.BTF.base`, or the base of a kernel.
    private func base(
        of file: BTFFile, _ option: String?
    ) throws(Failure) -> (btf: BTF?, name: String?) {
        switch file.form {
        case .standalone: return (nil, nil)
        case .distilled(let base):
            do throws(BTFError) { return (try BTF.parse(base), ".BTF.base") } catch {
                throw Failure("\(file.path): .BTF.base\(error)")
            }
        case .split:
            let base = try kernelBase(of: file, option)
            talk.detail("\(file.path): split BTF, read on \(base.path) (\(base.how))")
            return (base.btf, base.path)
        }
    }

    private func kernelBase(of file: BTFFile, _ option: String?) throws(Failure) -> LoadedBase {
        let withoutBase = Failure(
            "\(file.path): split BTF, which cannot be read without its base",
            hint: "name the base with --base FILE")
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
        case .failure(let failure):
            if case .auto = choice { throw failure.about(file.path, others: 0) }
            throw failure
        }
    }
}
