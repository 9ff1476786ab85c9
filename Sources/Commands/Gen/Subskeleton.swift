// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import Skeleton

/// `kbtf gen subskeleton`.
struct GenSubskeleton: Command {
    static let configuration = CommandConfiguration(
        commandName: "subskeleton",
        abstract: "Write a C header that finds a part of a loaded BPF object.",
        discussion: """
            FILE is a BPF object that is linked into others with 'kbtf gen object', such as a \
            library. NAME__open takes the object that it has become part of, once that is open, \
            and finds in it the maps, programs and variables of FILE; variables are pointers. \
            Static variables have none. NAME defaults to the file's name.

            Examples:
              kbtf gen subskeleton ring.bpf.o > ring.subskel.h
              kbtf gen subskeleton ring.bpf.o name ring > ring.subskel.h
            """)

    @Flag(
        help: ArgumentHelp(
            "Define the structs of variables as NAME__type_STRUCT; otherwise the including code must define them first."
        ))
    var ownTypes = false

    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("The BPF object.", valueName: "FILE"), completion: .file())
    var file: String

    @OptionGroup var naming: SkeletonNaming

    func validate() throws { try naming.validate() }

    func run(in surroundings: Surroundings) throws {
        try surroundings.output.print(
            ObjectSkeletonSource(
                path: file, name: naming.name, definesTypes: ownTypes, isSubskeleton: true
            ).read().subskeleton)
    }
}
