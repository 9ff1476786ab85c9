// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import KernelTree

/// A file and its base that belong to different kernels.
struct ForeignBase: Hashable, Sendable {
    /// The kernel that the file is for.
    let release: KernelRelease?
    let machine: String
    let base: String
    let baseRelease: KernelRelease?
    let baseMachine: String?
    private let evidence: BaseOrigin.Evidence?

    /// - Parameters:
    ///   - release: the release in the file's vermagic; nil for a file that is not a module.
    ///   - machine: the file's.
    ///   - base: the path of its base.
    ///   - origin: what is known about that; nil if nothing is.
    ///   - baseMachine: the machine named in the base itself.
    /// - Returns: nil if no known fact differs.
    init?(
        release: KernelRelease?, machine: String, base: String, origin: BaseOrigin?,
        baseMachine: String?
    ) {
        self.release = release
        self.machine = machine
        self.base = base
        baseRelease = origin?.release
        self.baseMachine = origin?.machine ?? baseMachine
        evidence = origin?.evidence
        guard differsInRelease || differsInMachine else { return nil }
    }

    private var differsInRelease: Bool {
        if let release, let baseRelease { release != baseRelease } else { false }
    }

    private var differsInMachine: Bool { baseMachine.map { $0 != machine } ?? false }

    /// `Linux 6.1.0-57-amd64`, or the other fact that differs.
    private var file: String {
        [differsInRelease ? "Linux \(release!)" : nil, differsInMachine ? machine : nil]
            .compactMap { $0 }.joined(separator: ", ")
    }

    private var other: String {
        [differsInRelease ? "Linux \(baseRelease!)" : nil, differsInMachine ? baseMachine! : nil]
            .compactMap { $0 }.joined(separator: ", ")
    }

    /// Both, for parentheses after the base.
    var kernels: String { "\(other); the file is for \(file)" }

    private var text: String {
        let source =
            switch evidence {
            case .running: " (the running kernel)"
            case .tree: " (according to its tree)"
            case .path: " (according to its path)"
            case .contents, nil: ""
            }
        return "for \(file), but its base \(base) belongs to \(other)\(source)"
    }

    /// The warning for the file `path` and for others like it.
    func message(_ path: String, others: Int) -> String {
        let who = others == 0 ? path : "\(path) and \(others) more"
        let refuser = differsInRelease ? release.map { "Linux \($0)" } : nil
        return "\(who): \(text): \(refuser ?? "its kernel") refuses such BTF, or misreads it"
    }

    var hint: String {
        if differsInRelease, let release {
            return "kbtf base --release \(release) searches for the right one"
        }
        return "use a base of its own kernel"
    }
}

extension ForeignBase: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("base", base)
            json.field("base_release", baseRelease?.text)
            json.field("base_machine", baseMachine)
            json.field("file_release", release?.text)
            json.field("file_machine", machine)
        }
    }
}

/// `--strict`.
struct StrictOptions: ParsableArguments {
    @Flag(help: "Treat warnings, such as about a base of another kernel, as errors.")
    var strict = false

    func isStrict(_ surroundings: Surroundings) -> Bool { strict || surroundings.isStrict }
}
