// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import BTF
import Bytes
import ELF
import HostIO
import TestSupport

/// What `verdict-cases` and `verdicts` have in common: `[--seed N] [--only-files N] RELEASE BTF`,
/// and files.
struct VerdictArguments {
    let seed: UInt64
    /// Of each file, if the kernel is asked about files only.
    let mutants: Int?
    let release: String
    let rules: TargetRules
    let kernelPath: String

    init?(_ arguments: inout Arguments) {
        var word = arguments.next()
        var seed: UInt64 = 0
        if word == "--seed" {
            guard let number = arguments.nextNumber(), number >= 0 else { return nil }
            seed = UInt64(number)
            word = arguments.next()
        }
        var mutants: Int?
        if word == "--only-files" {
            guard let number = arguments.nextNumber(), number >= 0 else { return nil }
            mutants = number
            word = arguments.next()
        }
        guard let release = word, let kernelPath = arguments.next(),
            let rules = VerdictRun.rules(release)
        else { return nil }
        self.seed = seed
        self.mutants = mutants
        self.release = release
        self.rules = rules
        self.kernelPath = kernelPath
    }

    func run(_ files: [String]) throws -> VerdictRun {
        try VerdictRun(
            kernel: kernelPath, rules, files: try files.flatMap(cases(of:)), seed: seed,
            onlyMutants: mutants)
    }

    /// A module's BTF, with its `.BTF.base` if it has one; an object's as the compiler wrote it,
    /// and as libbpf passes it on; raw BTF as a program's.
    private func cases(of path: String) throws -> [VerdictCase] {
        if path.hasSuffix(".btf") {
            let bytes = try FileReader.map(path).array
            return [VerdictCase(way: .program, btf: bytes, base: nil)]
        }
        let file = try ELFFile(path: path)
        guard let btf = try section(".BTF", file) else { return [] }
        guard file.machine == ELFMachine.bpf else {
            return [
                VerdictCase(
                    way: .module, btf: btf.array, base: try section(".BTF.base", file)?.array)
            ]
        }
        let raw = VerdictCase(way: .program, btf: btf.array, base: nil)
        guard let loaded = btfForKernel(btf, of: file, rules: rules) else { return [raw] }
        return [raw, VerdictCase(way: .program, btf: loaded.array, base: nil)]
    }

    private func section(_ name: String, _ file: ELFFile) throws -> ByteView? {
        try file.section(named: name).map { try file.data(of: $0) }
    }
}
