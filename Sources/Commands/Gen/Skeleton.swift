// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console

/// `kbtf gen skeleton`.
struct GenSkeleton: Command {
    static let configuration = CommandConfiguration(
        commandName: "skeleton",
        abstract: "Write a C header that loads a BPF object.",
        discussion: """
            FILE is a BPF object from clang or 'kbtf gen object'. The header has functions that \
            load it with libbpf, and members for its maps, programs and variables.

            The header for a light skeleton (-L) contains a loader program, which the kernel runs to create the \
            object's maps and load its programs; neither libbpf nor the object is needed then. \
            It compiles in user space and in kernel modules, and its functions are those of \
            bpftool's: NAME__open, NAME__load, NAME__open_and_load, NAME__attach, NAME__detach, \
            NAME__destroy, and NAME__PROGRAM__attach for each program. NAME defaults to the \
            file's name.

            Programs that need a target (a cgroup, a network device) are attached if it is set \
            in targets.PROGRAM_...; programs that cannot be attached this way are named on \
            standard error.

            With -P the header also has the methods of a preload module, for the kernel only: \
            load_skel() loads and attaches, and keeps references instead of descriptors; \
            preload() pins everything in bpffs on a kernel with a list of objects to preload; \
            free_objs_and_skel() releases everything. 'kbtf gen module --mode preload' turns it \
            into a module.

            Examples:
              kbtf gen skeleton policy.bpf.o > policy.skel.h
              kbtf gen skeleton -L policy.bpf.o > policy.lskel.h
              kbtf gen skeleton -L -P policy.bpf.o name policy > policy.h
              kbtf gen skeleton -L policy.bpf.o name policy > policy.lskel.h
              kbtf gen skeleton -L --own-types policy.bpf.o > policy.lskel.h
            """)

    @Flag(name: [.customShort("L"), .long], help: "Write a light skeleton.")
    var useLoader = false

    @Flag(
        name: [.customShort("P"), .long],
        help: "With -L: add what a kernel module needs to preload the programs.")
    var preload = false

    @Flag(
        help: ArgumentHelp(
            "Define the structs of variables as NAME__type_STRUCT; otherwise the including code must define them first."
        ))
    var ownTypes = false

    @OptionGroup var kernel: KernelOptions

    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("The BPF object.", valueName: "FILE"), completion: .file())
    var file: String

    @OptionGroup var naming: SkeletonNaming

    func validate() throws {
        if !useLoader, preload { throw ValidationError("--preload requires --use-loader") }
        // libbpf takes those of the machine on which the program runs.
        if !useLoader, !kernel.kernel.isEmpty {
            throw ValidationError(
                "--kconfig, --kernel-version and --kernel-btf require --use-loader")
        }
        try naming.validate()
    }

    func run(in surroundings: Surroundings) throws {
        try SkeletonHeader(
            path: file, name: naming.name, usesLoader: useLoader, preloads: preload,
            definesTypes: ownTypes, kernel: kernel.kernel
        ).print(to: surroundings.output, talkOptions.talk(surroundings))
    }
}
