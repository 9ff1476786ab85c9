// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import CEmit
import Console
import Skeleton

/// `kbtf gen module`.
struct GenModule: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "module",
        abstract: "Write a kernel module that loads and attaches a BPF object's programs.",
        discussion: """
            FILE is a BPF object, as clang or 'kbtf gen object' makes it. DIR gets all that 'make' needs to build the \
            module NAME.ko: C, a light skeleton, Kbuild and Makefile. 'make -C DIR KDIR=HEADERS' builds for other headers \
            than the running kernel's; Linux 6.1 and later will do. When the module is loaded, the kernel itself loads the \
            programs and attaches them; no library and no descriptor is needed, and none is left in the process \
            that loaded it.

            --mode says what becomes of the programs:
              attach    they run while the module is in (the default)
              stay      they run from then on; --stay says how
              preload   on a kernel with a list of objects to preload they are
                        pinned in bpffs, on others as 'attach'

            With '--stay module', the default, the kernel does not let the module go; with '--stay links' it goes, and \
            links keep programs and maps until the machine boots again.

            For '--mode preload' FILE may also be a header of 'kbtf gen skeleton -L -P'.

            Each time bpffs is mounted, the kernel asks a module with the alias bpf_preload for two links, and shows them as \
            files. '--publish a,b' makes the module that one, for two of its iterators; 'a=FILE' names the file.

            DIR is made anew, or replaced if it is a folder of 'kbtf gen module'; what 'make' and 'kbtf gen \
            selftest' put there may be in it.

            Examples:
              kbtf gen module policy.bpf.o -o policy && make -C policy
              kbtf gen module --mode stay --stay links policy.bpf.o -o policy
              kbtf gen module --publish list_maps,list_progs iterators.bpf.o -o iter
              kbtf gen skeleton -L -P policy.bpf.o name policy > policy.h
              kbtf gen module --mode preload policy.h -o policy
            """)

    /// The word after `--mode`.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case attach, stay, preload
    }

    /// The word after `--stay`.
    enum Stay: String, ExpressibleByArgument, CaseIterable {
        case module, links
    }

    @Option(help: "What becomes of the programs: attach, stay or preload.")
    var mode = Mode.attach

    @Option(help: "With --mode stay: what outlives rmmod, 'module' or 'links'.")
    var stay: Stay?

    @Option(
        help: ArgumentHelp(
            "The module's name, and the skeleton's. Otherwise the file's, without .bpf.o.",
            valueName: "NAME"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "MODULE_LICENSE; otherwise the object's license.", valueName: "LICENSE"))
    var license: String?

    @Option(
        help: ArgumentHelp(
            "Publish two iterators through the kernel's own preload hook.",
            valueName: "PROG[=FILE],PROG[=FILE]"))
    var publish: String?

    @Option(
        help: ArgumentHelp(
            "Load this program and hold it, without attaching it. May be repeated.",
            valueName: "PROG"))
    var noAttach: [String] = []

    @OptionGroup var kernel: KernelOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The folder to write.", valueName: "DIR"), completion: .directory)
    var output: String

    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp(
            "The BPF object, or a header of 'kbtf gen skeleton -L -P'.", valueName: "FILE"),
        completion: .file())
    var file: String

    func validate() throws {
        guard stay == nil || mode == .stay else {
            throw ValidationError("--stay goes with --mode stay")
        }
        if let name, !CIdentifier.isValid(name) || name.utf8.count > 55 {
            throw ValidationError("--name: '\(name)' is no name in C of at most 55 bytes")
        }
        guard !output.isEmpty else { throw ValidationError("-o: no folder named") }
    }

    func run() throws {
        let talk = talkOptions.talk
        let module = try ModuleMaker(
            path: file, name: name, mode: manifestMode, license: license, published: wishes,
            unattached: noAttach, kernel: kernel, options: options
        ).make()
        try ModuleDestination(path: output).write(module.files)
        talk.detail(
            "\(output): \(module.files.count) files of module \(module.name); 'make -C \(output)' builds \(module.name).ko"
        )
    }

    private var manifestMode: ModuleManifest.Mode {
        switch (mode, stay) {
        case (.attach, _): .attach
        case (.stay, .links): .stayLinks
        case (.stay, _): .stayModule
        case (.preload, _): .preload
        }
    }

    private var wishes: [(program: String, file: String?)] {
        guard let publish else { return [] }
        return publish.split(separator: ",", omittingEmptySubsequences: false).map { wish in
            let parts = wish.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count == 2 ? String(parts[1]) : nil)
        }
    }

    /// What makes the same module again of the files in its folder. The kernel's BTF is not among them, for it only
    /// serves to refuse.
    private var options: [String] {
        var words = ["--mode", mode.rawValue]
        if mode == .stay { words += ["--stay", (stay ?? .module).rawValue] }
        if let license { words += ["--license", license] }
        if let publish { words += ["--publish", publish] }
        for program in noAttach { words += ["--no-attach", program] }
        return words
    }
}
