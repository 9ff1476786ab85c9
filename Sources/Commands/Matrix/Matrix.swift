// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO
import KernelTree

/// `kbtf matrix`.
struct Matrix: Command {
    static let configuration = CommandConfiguration(
        commandName: "matrix",
        abstract: "Tell which kernels load a module, with its BTF or without.",
        discussion: """
            Each module is held against each kernel, offline: machine, vermagic (by the rule of \
            MODVERSIONS), signatures, checksums of symbols, BTF, sets of kernel functions. \
            A kernel is a release that is installed, an image or other file with its BTF, a \
            package (.deb, .rpm, .tar), a directory of packages, or a directory with lib/modules \
            in it. The more of a kernel there is, the more is checked: what could not be is \
            listed as a doubt, with the modules concerned.

            Where the BTF of another kernel is what is wrong, kbtf tries without writing whether \
            `kbtf rebase` helps.

            With --prove, kernels are booted in virtual machines (kbtf vm) with the modules whose \
            cells are in doubt, with --prove-all with all of them, and the answer is printed \
            beside the prediction. A module that rebasing helps is also tried rebased.

            The exit status is 1 if some kernel does not load some module with BTF, or answers \
            otherwise than predicted, or could not be asked, or if a module could not be read; 69 \
            if QEMU or this machine failed.

            Examples:
              kbtf matrix foo.ko --kernel 6.1.0-57-amd64 --kernel 6.12.7-amd64
              kbtf matrix *.ko --kernel kernels/ --json
              kbtf matrix *.ko --kernel kernels/ --prove
            """)

    @Option(
        help: ArgumentHelp(
            "A kernel: a release, an image, a package, a package's name, a directory (repeatable).",
            valueName: "KERNEL"), completion: .file())
    var kernel: [String] = []

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    var sysroot: [String] = []

    @Flag(help: "Download packages that --kernel names, with apt, unless the cache has them.")
    var fetch = false

    @Flag(help: "Boot the kernels whose answers are in doubt, and compare.")
    var prove = false

    @Flag(help: "Boot all kernels with all modules, and compare.")
    var proveAll = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var paint: PaintOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Modules, or directories of modules.", valueName: "MODULE"),
        completion: .file())
    var files: [String]

    func validate() throws {
        if kernel.isEmpty { throw ValidationError("--kernel is missing") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        try surroundings.output.reporting(json) {
            let modules = try Inputs(files, suffixes: ModuleName.suffixes, talk).entries
            for module in modules { try checkRereadable(module.path) }
            let kernels = try MatrixKernels(
                kernel, sysroots: sysroot,
                PackageNames(surroundings, mayFetch: fetch, talk), surroundings)
            var prover =
                prove || proveAll ? try MatrixProver(surroundings, talk) : nil
            var columns: [MatrixReport.Column] = []
            for kernel in kernels.kernels {
                let system = kernel.system
                var cells = ModuleExam(system, kernel.search).run(modules, talk).map {
                    MatrixCell($0.path, $0.value, system, surroundings)
                }
                prover?.prove(&cells, on: kernel, all: proveAll)
                columns.append(
                    MatrixReport.Column(
                        kernel: kernel.name, withoutBase: system.withoutBase, cells: cells))
            }
            let report = MatrixReport(
                modules: modules.map(\.path), columns: columns, isProved: prover != nil)
            if json {
                try surroundings.output.report { report.write(to: &$0) }
            } else {
                try surroundings.output.print(
                    report.text(
                        paint: paint.paint(surroundings), isVerbose: talkOptions.verbose))
            }
            if prover?.hasMachineryFailure == true { throw ExitCode(69) }
            if !report.isGood { throw ExitCode(1) }
        }
    }

    /// Each kernel reads each module.
    private func checkRereadable(_ path: String) throws(Failure) {
        guard FileStatus(path).isSpecial else { return }
        throw Failure(
            "\(path): not a regular file: each kernel would read it again",
            hint: "write it to a file first")
    }
}
