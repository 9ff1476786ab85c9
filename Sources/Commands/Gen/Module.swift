// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import CEmit
import Console
import Skeleton

/// `kbtf gen module`.
struct GenModule: Command {
    static let configuration = CommandConfiguration(
        commandName: "module",
        abstract: "Write a kernel module that loads and attaches a BPF object's programs.",
        discussion: """
            FILE is a BPF object from clang or 'kbtf gen object'. DIR gets everything that \
            'make' needs to build the module NAME.ko: C, a light skeleton, Kbuild and Makefile. \
            'make -C DIR KDIR=HEADERS' builds for headers other than the running kernel's, from \
            Linux 6.1 on. When the module is loaded, the kernel itself loads the programs and \
            attaches them; it needs no library, and leaves no descriptor in the process that \
            loaded it.

            --mode says what happens to the programs:
              attach    they run while the module is loaded (the default)
              stay      they keep running; --stay says how
              preload   on a kernel with a list of objects to preload they are
                        pinned in bpffs, on others as with 'attach'

            With '--stay module', the default, the module cannot be removed; with '--stay links' \
            it can, and links keep programs and maps until the machine reboots.

            For '--mode preload' FILE may also be a header from 'kbtf gen skeleton -L -P'.

            Each time bpffs is mounted, the kernel requests two links from a module with the \
            alias bpf_preload, and shows them as files. '--publish a,b' makes this module that \
            one, for two of its iterators; 'a=FILE' sets the file name.

            With '--param NAME', the constant NAME (const volatile in the source) becomes a \
            parameter of the module, with the object's value as default; with '--param NAME=MAP' \
            the number of entries of a map. ':1..100' narrows what is accepted. Parameters are set \
            when the module is loaded, also on the kernel's command line, and cannot be changed \
            afterwards.

            'make LOG_LEVEL=1' builds a module that prints the verifier's log of its programs to \
            the kernel's log when it is loaded, LOG_LEVEL_PROG=2 that of one program, \
            LOG_LEVEL_BTF=1 that of the BTF.

            DIR may also be copied into a kernel's tree: its Kconfig says how, and then \
            CONFIG_BPF_OBJECT_NAME=y builds the programs in, also without loadable modules.

            DIR is created, or replaced if 'kbtf gen module' wrote it; it may contain the output \
            of 'make' and 'kbtf gen selftest'.

            Examples:
              kbtf gen module policy.bpf.o -o policy && make -C policy
              kbtf gen module --mode stay --stay links policy.bpf.o -o policy
              kbtf gen module --param limit:1..100 --param size=flows policy.bpf.o -o policy
              kbtf gen module --mode preload --name policy policy.bpf.o -o policy
              kbtf gen module --publish list_maps,list_progs iterators.bpf.o -o iter
              kbtf gen skeleton -L -P policy.bpf.o name policy > policy.h
              kbtf gen module --mode preload policy.h -o policy
            """)

    /// The value of `--mode`.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case attach, stay, preload
    }

    /// The value of `--stay`.
    enum Stay: String, ExpressibleByArgument, CaseIterable {
        case module, links
    }

    @Option(help: "What happens to the programs: attach, stay or preload.")
    var mode = Mode.attach

    @Option(help: "With --mode stay: what outlives rmmod, 'module' or 'links'.")
    var stay: Stay?

    @Option(
        help: ArgumentHelp(
            "The name of module and skeleton (default: the file's, without .bpf.o; for 'preload' without .o).",
            valueName: "NAME"))
    var name: String?

    @Option(
        help: ArgumentHelp(
            "MODULE_LICENSE (default: the object's license).", valueName: "LICENSE"))
    var license: String?

    @Option(
        help: ArgumentHelp(
            "Publish two iterators through the kernel's own preload hook.",
            valueName: "PROG[=FILE],PROG[=FILE]"))
    var publish: String?

    @Option(
        help: ArgumentHelp(
            "Load and keep this program without attaching it (repeatable).",
            valueName: "PROG"))
    var noAttach: [String] = []

    @Option(
        name: .customLong("param"),
        help: ArgumentHelp(
            "Make a constant of the programs, or a map's number of entries, a parameter of the module (repeatable).",
            valueName: "NAME[=MAP][:MIN..MAX]"))
    var parameters: [String] = []

    @OptionGroup var kernel: KernelOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The directory to write.", valueName: "DIR"), completion: .directory)
    var output: String

    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp(
            "The BPF object, or a header of 'kbtf gen skeleton -L -P'.", valueName: "FILE"),
        completion: .file())
    var file: String

    func validate() throws {
        guard stay == nil || mode == .stay else {
            throw ValidationError("--stay requires --mode stay")
        }
        if let name, !CIdentifier.isValid(name) || name.utf8.count > 55 {
            throw ValidationError("--name: '\(name)' is not a C identifier of at most 55 bytes")
        }
        guard !output.isEmpty else { throw ValidationError("-o: no directory given") }
    }

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        let module = try ModuleMaker(
            path: file, name: name, mode: manifestMode, license: license, published: wishes,
            unattached: noAttach, parameters: try wantedParameters(), kernel: kernel.kernel,
            options: options, talk: talk
        ).make()
        try ModuleDestination(path: output).write(module.files)
        talk.detail(
            "\(output): \(module.files.count) files of module \(module.name); 'make -C \(output)' builds \(module.name).ko"
        )
    }

    private func wantedParameters() throws(Failure) -> [ModuleParameter.Wish] {
        var wishes: [ModuleParameter.Wish] = []
        for text in parameters {
            do throws(ModuleError) { wishes.append(try ModuleParameter.Wish(text)) } catch {
                throw Failure("\(error)", hint: error.hint)
            }
        }
        return wishes
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

    /// The options that reproduce the module from the files in its directory. The kernel's BTF is
    /// not among them, because it serves only to refuse objects.
    private var options: [String] {
        var words = ["--mode", mode.rawValue]
        if mode == .stay { words += ["--stay", (stay ?? .module).rawValue] }
        if let license { words += ["--license", license] }
        if let publish { words += ["--publish", publish] }
        for program in noAttach { words += ["--no-attach", program] }
        for parameter in parameters { words += ["--param", parameter] }
        return words
    }
}
