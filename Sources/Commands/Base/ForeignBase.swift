// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BTF
import Bytes
import Console
import KernelTree

/// A file and its base that are of different kernels.
struct ForeignBase: Hashable, Sendable {
    /// The kernel that the file is for.
    let release: KernelRelease?
    let machine: String
    let base: String
    let baseRelease: KernelRelease?
    let baseMachine: String?
    private let evidence: BaseOrigin.Evidence?

    /// - Parameters:
    ///   - release: what the file's vermagic says; nil for a file that is no module.
    ///   - machine: the file's.
    ///   - base: the path of its base.
    ///   - origin: what is known of that; nil: nothing.
    ///   - baseMachine: what the base itself says.
    /// - Returns: nil where nothing that is known of them differs.
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

    /// `Linux 6.1.0-57-amd64`, or what differs besides.
    private var file: String {
        [differsInRelease ? "Linux \(release!)" : nil, differsInMachine ? machine : nil]
            .compactMap { $0 }.joined(separator: ", ")
    }

    private var other: String {
        [differsInRelease ? "Linux \(baseRelease!)" : nil, differsInMachine ? baseMachine! : nil]
            .compactMap { $0 }.joined(separator: ", ")
    }

    /// Both, for a bracket behind the base.
    var kernels: String { "\(other); the file is for \(file)" }

    private var text: String {
        let source =
            switch evidence {
            case .running: " (the running kernel)"
            case .tree: " (says the tree it lies in)"
            case .path: " (says its path)"
            case .contents, nil: ""
            }
        return "for \(file), but the base \(base) is of \(other)\(source)"
    }

    /// What is said of the file `path`, and of others with it.
    func message(_ path: String, others: Int) -> String {
        let who = others == 0 ? path : "\(path) and \(others) more"
        let refuser = differsInRelease ? release.map { "Linux \($0)" } : nil
        return "\(who): \(text): \(refuser ?? "its kernel") refuses such BTF, or misreads it"
    }

    var hint: String {
        if differsInRelease, let release {
            return "kbtf base --release \(release) looks for the right one"
        }
        return "name a base of its own kernel"
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
    @Flag(help: "Turn warnings, such as of a base of another kernel, into errors.")
    var strict = false

    func isStrict(_ surroundings: Surroundings) -> Bool { strict || surroundings.isStrict }
}
