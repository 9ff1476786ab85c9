// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console
import KernelTree

/// One of two trees that `diff` compares: the modules of a directory or package, by name.
struct TreeSide: Sendable {
    /// What was read of a module.
    struct Entry: Sendable {
        /// nil for a module without BTF.
        var btf: BTF?
        /// It continues the BTF of a kernel.
        var isSplit = false
    }

    /// A module that cannot be compared, or a directory whose modules are unknown.
    struct Fault: Sendable {
        let name: String
        let failure: Failure
    }

    let entries: [String: Entry]
    /// What the first split module continues: the kernel's types. nil without such modules.
    let kernel: BTF?
    /// In the order of the files.
    let faults: [Fault]
    /// All modules are known by name.
    let isComplete: Bool

    /// - Parameters:
    ///   - folder: a directory, or where packages are unpacked.
    ///   - reading: how its files are read, with the tree among the places of kernels.
    /// - Throws: the first failure, if no module can be read.
    init(_ folder: String, _ reading: Reading, _ talk: Talk) throws(Failure) {
        let files = try Inputs([folder], suffixes: ModuleName.suffixes, talk).modules(talk)
        let outcomes = reading.batch("reading", talk).run(files, Entry()) {
            file throws(Failure) in
            try reading.open(file.path)
        } need: { _, found throws(Failure) in
            try reading.need(found.file)
        } work: { _, found, setting, outcome throws(Failure) in
            guard let file = found.file else { return }
            if case .split = file.form { outcome.value.isSplit = true }
            outcome.value.btf = try reading.types(
                of: file, understood: true, setting, &outcome)
        }
        if outcomes.allSatisfy({ $0.failure != nil }),
            let failure = outcomes.lazy.compactMap(\.failure).first
        {
            throw failure
        }
        outcomes.say(talk)
        isComplete = files.allSatisfy { $0.failure == nil }
        let listed = zip(files, outcomes).filter { $0.0.failure == nil }.map(\.1)
        let names = Self.names(listed.map(\.path))
        entries = Dictionary(
            zip(names, listed.map(\.value)), uniquingKeysWith: { first, _ in first })
        faults =
            zip(names, listed).compactMap { name, outcome in
                outcome.failure.map { Fault(name: name, failure: $0) }
            }
            + files.compactMap { file in
                file.failure.map { Fault(name: file.path, failure: $0) }
            }
        kernel = outcomes.lazy.compactMap { $0.value.isSplit ? $0.value.btf?.base : nil }.first
    }

    /// All types that are compared.
    var types: [BTF] { (kernel.map { [$0] } ?? []) + entries.values.compactMap(\.btf) }

    /// `ext4` for `lib/modules/R/kernel/fs/ext4/ext4.ko.xz`; the path in the tree where several
    /// modules have the name.
    static func names(_ paths: [String]) -> [String] {
        let short = paths.map { ModuleName.ofFile($0) }
        let counts = Dictionary(short.map { ($0, 1) }, uniquingKeysWith: +)
        return zip(short, paths).map { counts[$0] == 1 ? $0 : place(of: $1) }
    }

    /// The path behind `lib/modules/RELEASE/`, which differs between trees.
    private static func place(of path: String) -> String {
        let parts = path.split(separator: "/")
        guard let modules = parts.lastIndex(of: "modules"), modules + 2 < parts.count else {
            return path
        }
        return parts[(modules + 2)...].joined(separator: "/")
    }
}
