// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
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

    /// A file's types, ready to be looked at.
    struct Contents {
        let file: BTFFile
        let btf: BTF
        /// What it stands on, for split BTF: a path, or `.BTF.base`.
        let base: String?
    }

    /// The BTF of the file at `path`.
    /// - Parameter option: another `--base` for this file.
    func read(_ path: String, base option: String? = nil) throws(Failure) -> Contents {
        guard let file = try BTFFile.open(path, cache: search.cache) else {
            throw Failure(
                "\(path): .BTF: no such section", hint: "kbtf encode \(path), if it was built with -g")
        }
        return try read(file, base: option)
    }

    func read(_ file: BTFFile, base option: String? = nil) throws(Failure) -> Contents {
        do throws(BTFError) {
            switch file.form {
            case .standalone:
                return Contents(file: file, btf: try BTF.parse(file.bytes), base: nil)
            case .distilled:
                return Contents(
                    file: file,
                    btf: try BTF.parse(file.bytes, base: try BTF.parse(file.distilledBase ?? .empty)),
                    base: ".BTF.base")
            case .split: break
            }
        } catch { throw Failure("\(file.path): \(place(file))\(error)") }
        let base = try base(of: file, option ?? self.option)
        do throws(BTFError) {
            return Contents(
                file: file, btf: try BTF.parse(file.bytes, base: base.btf), base: base.path)
        } catch {
            throw Failure(
                "\(file.path): \(place(file))\(error) (split BTF, read on \(base.path))",
                hint: "it may stand on another base: name it with --base FILE")
        }
    }

    /// Reads and checks a file's BTF. What keeps it from being read counts as a finding.
    func judge(_ file: BTFFile) -> (verdict: Verdict, base: String?) {
        if file.form == .split {
            do throws(Failure) { _ = try base(of: file, option) } catch {
                return (.noBase(error), nil)
            }
        }
        do throws(Failure) {
            let contents = try read(file)
            return (.sound, contents.base)
        } catch { return (.unsound([error.message]), nil) }
    }

    private func place(_ file: BTFFile) -> String { file.isInELF ? ".BTF" : "" }

    /// The base of split BTF.
    private func base(of file: BTFFile, _ option: String?) throws(Failure) -> LoadedBase {
        guard option != nil || file.release != nil || search.release != nil, option != "" else {
            throw Failure(
                "\(file.path): split BTF, which cannot be read without its base",
                hint: "name the base with --base FILE")
        }
        let choice = try BaseChoice(
            option: option ?? "auto", path: file.path, own: file.release,
            bigEndian: file.header.bigEndian, search: search)
        let result: Swift.Result<LoadedBase?, Failure>
        if let known = loaded[choice] {
            result = known
        } else {
            result = Swift.Result { () throws(Failure) in try choice.load(search) }
            loaded[choice] = result
        }
        switch result {
        case .success(let base?):
            talk.detail("\(file.path): split BTF, read on \(base.path) (\(base.how))")
            return base
        case .success(nil): throw Failure("\(file.path): split BTF, which needs a base")
        case .failure(let failure):
            if case .auto = choice { throw failure.about(file.path, others: 0) }
            throw failure
        }
    }
}
