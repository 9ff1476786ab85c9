// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Attaching
import BTF
import Console
import KernelTree

extension AttachWay: ExpressibleByArgument {}

/// `kbtf attach`.
struct Attach: Command {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Show what BPF programs may attach to.",
        discussion: """
            For the functions of a kernel or module: whether a program of a type may attach, what \
            the kernel answers if not, and which arguments the program gets. 'yes' and 'no' are \
            the kernel's answers to loading and attaching; 'unknown' means that the file does not \
            show everything that the answer depends on, and the hint shows how to provide it.

            BTF alone decides most answers to loading. Whether a program can attach depends on \
            the kernel's symbols and its list of traceable functions: a vmlinux with symbols, or \
            an image with its System.map, has both. They are also searched beside the target, \
            and among debug packages. See docs/attach.md.

            NAME may be a pattern with '*', '?' and '[...]'. Without names, all targets are \
            listed. Arguments are shown for functions that are named in full. The exit status is \
            1 if one of these gets 'no', or if nothing matches a NAME.

            Examples:
              kbtf attach vfs_read                              the running kernel
              kbtf attach --target vmlinux --program fexit 'tcp_*'
              kbtf attach --target vmlinux --module foo.ko
              kbtf attach --target vmlinux --program lsm --sleepable
              kbtf attach --target vmlinux --ledger tcp_v4_early_demux
            """)

    @Option(
        help: ArgumentHelp(
            "The kernel: a release, a build tree, a vmlinux, vmlinuz or raw BTF (default: the module's, or the running one), or a BPF object.",
            valueName: "KERNEL"), completion: .file())
    var target: String?

    @Option(
        help: ArgumentHelp(
            "List this module's functions instead of the kernel's.", valueName: "FILE"),
        completion: .file())
    var module: String?

    @Option(
        help: ArgumentHelp(
            "The type of program: fentry (default), fexit, fmod_ret, lsm, tp_btf, iter or freplace (repeatable).",
            valueName: "TYPE"))
    var program: [AttachWay] = []

    @Option(
        help: ArgumentHelp(
            "The kernel's System.map, or its vmlinux with symbols, if the target has none.",
            valueName: "FILE"), completion: .file())
    var symbols: String?

    @Flag(help: "Judge programs that may sleep (fentry.s, lsm.s).")
    var sleepable = false

    @Flag(help: "Show the arguments of all functions that are listed.")
    var arguments = false

    @Flag(help: "Also list functions that are not in the BTF, with the reason.")
    var ledger = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var search: SearchOptions
    @OptionGroup var paint: PaintOptions
    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("Names of functions, hooks or tracepoints.", valueName: "NAME"))
    var names: [String] = []

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        try surroundings.output.reporting(json) { try list(surroundings, talk) }
    }

    private func subject(
        _ places: SearchPlaces, _ talk: Talk
    ) throws(Failure) -> AttachSubject {
        guard let target else {
            return try AttachSubject.find(
                target: nil, module: module, symbols: symbols, places, talk)
        }
        let file = try RereadableFile(target)
        return try AttachSubject.find(
            target: file.path, module: module, symbols: symbols, places, talk)
    }

    private func list(_ surroundings: Surroundings, _ talk: Talk) throws {
        let places = search.places(surroundings)
        let subject = try subject(places, talk)
        let ways = program.isEmpty ? [AttachWay.fentry] : program
        let selection = NameSelection(names)
        var listing = AttachListing(subject, isSleepable: sleepable, ways)
        listing.showsAllArguments = arguments
        for way in ways { listing.add(way, selection) }
        if ledger { listing.add(try subject.leftOut(), selection) }
        let absent = selection.absent(listing, subject, ways)
        try surroundings.output.print(
            json ? listing.json(absent) : listing.text(paint.paint(surroundings)))
        for name in absent { talk.say(.failure(name.failure)) }
        if !listing.isEmpty || absent.isEmpty { talk.note(listing.summary) }
        for hint in listing.hints { talk.hint(hint) }
        if listing.hasNamedRefusal || !absent.isEmpty { throw ExitCode(1) }
    }
}
