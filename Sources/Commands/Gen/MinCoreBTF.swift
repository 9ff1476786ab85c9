// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import BPFObject
import BTF
import Bytes
import Console
import HostIO
import KernelTree

/// `kbtf gen min-core-btf`.
struct GenMinCoreBTF: Command {
    static let configuration = CommandConfiguration(
        commandName: "min-core-btf",
        abstract: "Reduce a kernel's BTF to what BPF objects need to load.",
        discussion: """
            OUT has the types, members and enumerators of the kernel that the CO-RE relocations of \
            the objects lead to, and nothing else. On a kernel without BTF, a loader reads it in \
            place of /sys/kernel/btf/vmlinux (btf_custom_path of libbpf).

            --module adds the types of a module. Since a loader looks at no modules if it is \
            given such a file, OUT has the types of both, as if they were the kernel's.

            The bytes are those of 'bpftool gen min_core_btf', which knows no modules. OUT is \
            replaced as a whole, or not at all.

            Examples:
              kbtf gen min-core-btf --kernel vmlinux -o min.btf probe.bpf.o
              kbtf gen min-core-btf --kernel 5.4.0-42-generic -o min.btf one.bpf.o two.bpf.o
              kbtf gen min-core-btf --kernel vmlinux --module xfs.ko -o min.btf probe.bpf.o
            """)

    @Option(
        help: ArgumentHelp(
            "The kernel: a vmlinux, an image, raw BTF, a build tree, or a release that is installed.",
            valueName: "FILE|RELEASE"), completion: .file())
    var kernel: String

    @Option(
        help: ArgumentHelp(
            "Also use the types of this module of the kernel (repeatable).", valueName: "FILE"),
        completion: .file())
    var module: [String] = []

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write.", valueName: "OUT"),
        completion: .file())
    var output: String

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    var sysroot: [String] = []

    @OptionGroup var talkOptions: TalkOptions

    @Argument(
        help: ArgumentHelp("The BPF objects to load.", valueName: "OBJECT"), completion: .file())
    var objects: [String]

    func run(in surroundings: Surroundings) throws {
        let talk = talkOptions.talk(surroundings)
        var read: [RelocatedObject] = []
        for path in objects { read.append(try Self.read(path)) }
        let places = SearchPlaces(
            surroundings, release: nil, sysroots: sysroot, usesCache: true)
        let base = try KernelChoice("--kernel", kernel).load(places)
        try Self.check(base.btf, base.path)
        for object in read where object.btf.bigEndian != base.btf.bigEndian {
            throw Failure(
                "\(object.file): its byte order is not that of \(base.path)",
                hint: "compile with -target \(base.btf.bigEndian ? "bpfeb" : "bpfel")")
        }
        let modules = try KernelModules(
            on: base, Reading(option: base.path, places)
        ).types(module, talk)
        let targets = RelocationTargets(kernel: base.btf, modules: modules, for: read)
        var needed = NeededTypes(targets)
        for object in read {
            let found: (missing: Int, ids: Int)
            do throws(BPFObjectError) { found = try needed.add(object) } catch {
                throw Failure(error)
            }
            talk.detail(
                "\(object.file): \(object.relocations.count) relocations, "
                    + "\(found.missing) without a type in the kernel")
            if found.ids > 0 {
                talk.say(
                    .warning(
                        "\(object.file): \(found.ids) relocations ask for the id of a type; in "
                            + "\(output) types have other ids than in the kernel", hint: nil))
            }
        }
        let bytes = needed.excerpt.serialized()
        do throws(HostError) {
            try AtomicFile.replace(output, with: [ByteView(bytes)])
        } catch { throw Failure(error) }
        talk.detail("\(output): \(needed.excerpt.typeCount) types, \(bytes.count) bytes")
    }

    /// All types are known, and what they refer to exists.
    fileprivate static func check(_ btf: BTF, _ path: String) throws(Failure) {
        do throws(BTFError) {
            try btf.checkKinds()
            try btf.checkReferences()
        } catch { throw Failure("\(path): \(error)") }
    }

    private static func read(_ path: String) throws(Failure) -> RelocatedObject {
        let bytes: ByteView
        do throws(HostError) { bytes = try FileReader.map(path) } catch { throw Failure(error) }
        do throws(BPFObjectError) { return try RelocatedObject(bytes, path: path) } catch {
            throw Failure(error)
        }
    }
}

/// The types that modules have when a kernel has loaded them.
private struct KernelModules {
    let base: LoadedBase
    let reading: Reading

    init(on base: LoadedBase, _ reading: Reading) {
        self.base = base
        self.reading = reading
    }

    func types(_ paths: [String], _ talk: Talk) throws(Failure) -> [BTF] {
        guard !paths.isEmpty else { return [] }
        for path in paths { try ModuleOption.check(path) }
        let found = try reading.types(
            ofFiles: paths.map { ($0, nil) }, understood: true, talk)
        var types: [BTF] = []
        for (path, btf) in zip(paths, found) {
            try GenMinCoreBTF.check(btf, path)
            types.append(try loaded(btf, path))
        }
        return types
    }

    private func loaded(_ btf: BTF, _ path: String) throws(Failure) -> BTF {
        guard btf.bigEndian == base.btf.bigEndian else {
            throw Failure("\(path): its byte order is not that of \(base.path)")
        }
        // Standalone, or split from this kernel.
        guard let own = btf.base, own.words != base.btf.words else { return btf }
        let relocated: Rebased
        do throws(RelocationError) { relocated = try btf.relocated(onto: base.btf) } catch {
            throw Failure("\(path): \(error)")
        }
        do throws(BTFError) {
            return try BTF.parse(ByteView(relocated.bytes), base: base.btf)
        } catch { throw Failure("\(path): \(error)") }
    }
}
