// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import KernelTree

/// `kbtf doctor`.
struct Doctor: Command {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find out why modules do not load, or have no BTF.",
        discussion: """
            Without arguments, kbtf looks at this machine: the kernel's log, the modules of all \
            installed kernels and of DKMS, the kernel's settings, and the tools that builds \
            of modules use. An argument is a module, a directory of modules, a directory with \
            another system's files (with lib/modules in it), the output of dmesg, of a journal or \
            of a build ('-' reads standard input), or a package (.deb, .rpm, .tar).

            For each trouble, kbtf prints what is wrong, how that is known, and one command that \
            puts it right. Cures by kbtf itself are tried first, and nothing is written; \
            --fix applies them, after asking. No network is used.

            A file or directory that cannot be read is listed as not looked at.

            The exit status is 1 if something is wrong, or could not be read.

            Examples:
              kbtf doctor
              sudo dmesg | kbtf doctor -
              kbtf doctor /lib/modules/6.12.0/updates/dkms/foo.ko
              kbtf doctor --json linux-image-6.12.0_amd64.deb
            """)

    @Option(
        help: ArgumentHelp(
            "The kernel that the modules or the log are of (default: what they say).",
            valueName: "R"),
        transform: SearchOptions.release)
    var release: KernelRelease?

    @Flag(help: "Apply the cures that change one module's BTF and nothing else, after asking.")
    var fix = false

    @Flag(help: "With --fix, do not ask.")
    var yes = false

    @Flag(name: .customLong("no-try"), help: "Do not try cures.")
    var noTry = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var paint: PaintOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp(
            "Logs ('-': standard input), modules, directories, packages.", valueName: "FILE"),
        completion: .file())
    var files: [String] = []

    func validate() throws {
        if yes, !fix { throw ValidationError("--yes goes with --fix") }
        if fix, json { throw ValidationError("--fix and --json exclude each other") }
    }

    func run(in surroundings: Surroundings) throws {
        let paths = files.filter { PackageContents.isOne($0) }
        guard !paths.isEmpty else { return try run(in: surroundings, nil) }
        let packages = try UnpackedPackages(paths, surroundings)
        try run(in: packages.naming(surroundings), packages)
    }

    private func run(in surroundings: Surroundings, _ packages: UnpackedPackages?) throws {
        let talk = talkOptions.talk(surroundings)
        try surroundings.output.reporting(json) {
            var visit = DoctorVisit(surroundings, release: release, talk)
            if files.isEmpty { visit.look(at: SystemRoot("/")) }
            if let packages { try visit.look(at: packages) }
            for file in files where packages?.names.contains(file) != true {
                try visit.look(atArgument: file)
            }
            if !noTry { visit.tryCures() }
            let report = visit.report
            if json {
                try surroundings.output.report { report.write(to: &$0) }
            } else if !talkOptions.quiet || !report.isHealthy {
                try surroundings.output.print(
                    report.text(
                        paint: paint.paint(surroundings), isVerbose: talkOptions.verbose))
            }
            if fix, try CureRun(surroundings, isAsking: !yes, talk).run(report),
                report.unread.isEmpty
            {
                return
            }
            if !report.isHealthy { throw ExitCode(1) }
        }
    }
}
