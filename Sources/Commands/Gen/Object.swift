// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFLoad
import BPFObject
import Bytes
import Console
import HostIO

/// `kbtf gen object`.
struct GenObject: Command {
    static let configuration = CommandConfiguration(
        commandName: "object",
        abstract: "Link BPF objects into one.",
        discussion: """
            Each IN is a BPF object from clang. Functions, maps and variables that one object \
            declares extern may be defined in another. Static names stay separate. Any other \
            name may have one definition and any number of weak ones; if all are weak, the first \
            is used. All objects must have the same license. OUT has the BTF of all objects, \
            with each type once.

            OUT is replaced as a whole, or not at all. The same objects in the same order give \
            the same bytes as 'bpftool gen object' with the same libbpf.

            Examples:
              kbtf gen object policy.bpf.o hooks.bpf.o rules.bpf.o
              kbtf gen object all.bpf.o part/*.o
            """)

    @OptionGroup var talkOptions: TalkOptions

    @Argument(help: ArgumentHelp("The object to write.", valueName: "OUT"), completion: .file())
    var output: String

    @Argument(
        help: ArgumentHelp("The objects to link.", valueName: "IN"), completion: .file())
    var inputs: [String]

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        var objects: [Linker.Input] = []
        for path in inputs { objects.append(try read(path)) }
        let linked = try link(objects)
        for line in linked.warnings { talk.note("\(output): \(line)") }
        do throws(HostError) { try AtomicFile.replace(output, with: [linked.bytes]) } catch {
            throw Failure(error)
        }
    }

    private func read(_ path: String) throws(Failure) -> Linker.Input {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        do throws(BPFObjectError) { return try Linker.Input(bytes, path: path) } catch {
            throw Failure(error)
        }
    }

    private func link(
        _ objects: [Linker.Input]
    ) throws(Failure) -> (bytes: ByteView, warnings: [String]) {
        do throws(Linker.Failure) { return try Linker.link(objects, name: output) } catch {
            switch error {
            case .object(let error): throw Failure(error)
            case .libbpf(let error): throw Failure(error)
            case .host(let error): throw Failure(error)
            }
        }
    }
}
