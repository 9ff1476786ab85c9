// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Console
import HostIO
import VM

/// A guest that is to be run: a kernel, and the options for it.
struct GuestJob {
    /// In results.
    var name: String
    /// What named its kernel.
    let argument: String
    let arguments: VMRunArguments
    let kernel: Kernel
    let image: GuestImage
    let disk: DiskImage?
    /// nil for an initramfs that brings its own.
    var tests: GuestFiles?
    private var busybox: Busybox?
    private var programs: HostPrograms?
    private var shared: SharedFolder?

    init(
        _ name: String?, _ arguments: VMRunArguments, _ kernel: Kernel, named argument: String,
        _ surroundings: Surroundings
    ) throws(VMError) {
        self.name = name ?? kernel.name
        self.argument = argument
        self.arguments = arguments
        self.kernel = kernel
        image = GuestImage(arguments.image)
        disk = try image.disk(for: kernel, surroundings)
        if case .foreign = image { return }
        let denied = try arguments.denylist.map { path throws(VMError) in try DenyList(path).reasons
        }
        if let path = try arguments.busyboxPath(hasDisk: disk != nil, surroundings) {
            busybox = try Busybox(path, for: kernel.architecture)
        }
        let paths = try arguments.programPaths(hasDisk: disk != nil, surroundings)
        if !paths.isEmpty { programs = try HostPrograms(paths, for: kernel.architecture) }
        if let folder = arguments.share {
            shared = try SharedFolder(folder, memory: arguments.machine.memory)
        }
        tests = try GuestFiles(
            arguments.test, seconds: arguments.limits.testTimeout, denied: denied ?? [:],
            arguments: try arguments.wordsByTest(), system: disk?.system, busybox: busybox,
            programs: programs,
            for: kernel.architecture)
        if let tests { try programs?.addLibraries(of: tests) }
        for name in try arguments.wordsByTest().keys.sorted() {
            guard tests?.tests.contains(where: { $0.name == name }) == true else {
                throw VMError("--arguments \(name): no --test with that name")
            }
        }
    }

    /// Everything needed to boot it.
    func guest(_ surroundings: Surroundings, _ talk: Talk) throws(VMError) -> Guest {
        var own: Initramfs?
        let archive: [ByteView]
        if case .foreign(let path) = image {
            do throws(HostError) { archive = [try FileReader.map(path)] } catch {
                throw VMError(error)
            }
        } else {
            let initramfs = try initramfs(surroundings, talk)
            own = initramfs
            archive = initramfs.chunks
        }
        let (machine, limits) = (arguments.machine, arguments.limits)
        let acceleration = machine.acceleration(for: kernel, surroundings, talk)
        let run = GuestRun(
            machine: machine.machine(kernel.architecture, acceleration, disk: disk),
            kernel: kernel.path, initramfs: archive, limits: limits.limits, hasOwnInit: own != nil,
            sendsFiles: arguments.output.output != nil, allowedWarnings: limits.allowWarning,
            launcher: Leash.launcher(surroundings))
        return Guest(
            name: name, kernel: kernel, run: run,
            snapshot: try own.map { initramfs throws(VMError) in
                try machine.snapshot(run, initramfs, surroundings)
            } ?? .unused(note: nil), surroundings: surroundings)
    }

    private func initramfs(
        _ surroundings: Surroundings, _ talk: Talk
    ) throws(VMError) -> Initramfs {
        let modules = try ModuleSet(
            try GuestModules(arguments, for: kernel, surroundings, talk).infos,
            drivers: disk?.drivers(kernel.architecture) ?? [], folder: kernel.modules,
            for: kernel.architecture)
        for wish in modules.absent {
            talk.detail("\(wish): soft dependency not found among the kernel's modules")
        }
        for path in shared?.leftOut ?? [] {
            talk.detail("\(path): neither a file, a directory nor a link; not shared")
        }
        return try Initramfs(
            initProgram: try Guest.initProgram(kernel.architecture, surroundings), modules: modules,
            parameters: try arguments.parametersByModule(), tests: tests,
            output: arguments.output.output.map { _ in arguments.limits.mostOutput }, disk: disk,
            busybox: busybox, programs: programs, shared: shared,
            shell: arguments.shell ? arguments.guestShell(surroundings) : nil)
    }
}
