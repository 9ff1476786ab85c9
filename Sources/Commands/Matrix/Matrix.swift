// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
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
            listed.

            Where the BTF of another kernel is what is wrong, kbtf tries without writing whether \
            `kbtf rebase` helps.

            The exit status is 1 if some kernel does not load some module with BTF.

            Examples:
              kbtf matrix foo.ko --kernel 6.1.0-57-amd64 --kernel 6.12.7-amd64
              kbtf matrix *.ko --kernel kernels/ --json
            """)

    @Option(
        help: ArgumentHelp(
            "A kernel: a release, an image, a package, a directory (repeatable).",
            valueName: "KERNEL"), completion: .file())
    var kernel: [String] = []

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    var sysroot: [String] = []

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
            let modules = try Inputs(files, suffixes: Inputs.installedSuffixes, talk).entries
            let kernels = try MatrixKernels(kernel, sysroots: sysroot, surroundings)
            let report = MatrixReport(
                modules.map(\.path),
                kernels.kernels.map { kernel in
                    (
                        kernel.name, kernel.system.withoutBase,
                        ModuleExam(kernel.system, kernel.search).run(modules, talk).map {
                            MatrixCell($0.value, onto: kernel.system.base?.path, surroundings)
                        }
                    )
                })
            if json {
                try surroundings.output.report { report.write(to: &$0) }
            } else {
                try surroundings.output.print(report.text(paint: paint.paint(surroundings)))
            }
            if !report.isGood { throw ExitCode(1) }
        }
    }
}
