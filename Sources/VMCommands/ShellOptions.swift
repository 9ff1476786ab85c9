// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO
import VM

// Derives the commands and the shell of a guest from the options of `kbtf vm run`.

extension VMRunArguments {
    /// Refuses options that `--shell` has no use for, and images that cannot have one.
    func checkShell() throws {
        if case .foreign(let path) = GuestImage(image) {
            for (option, isSet) in [
                ("--shell", shell), ("--busybox", busybox != nil), ("--share", share != nil),
                ("--program", !program.isEmpty),
            ] where isSet {
                throw ValidationError("\(option): an initramfs of yours (\(path)) is not changed")
            }
        }
        guard shell else { return }
        if kernel.count > 1 || targets != nil {
            throw ValidationError("--shell requires one kernel")
        }
        for (option, isSet) in [
            ("--json", output.json), ("--junit", output.junit != nil),
            ("--log", output.log != nil), ("--output", output.output != nil),
            ("--shard", shard != nil),
        ] where isSet {
            throw ValidationError("--shell and \(option): a shell has no results")
        }
    }

    /// - Throws: unless somebody can use a shell.
    func checkTerminal(_ surroundings: Surroundings) throws(VMError) {
        guard surroundings.terminal() == nil else { return }
        throw VMError(
            "--shell requires a terminal as standard input and output",
            hint: "without one, make a script of the commands: --test FILE --busybox /bin/busybox"
        )
    }

    func guestShell(_ surroundings: Surroundings) -> GuestShell {
        let size = surroundings.terminal()
        return GuestShell(
            terminal: surroundings.variable("TERM"), rows: size?.rows ?? 0,
            columns: size?.columns ?? 0)
    }

    /// The programs of `--program`: those named without a directory are searched in PATH.
    ///
    /// - Throws: if one is not found, or there is no use for them.
    func programPaths(hasDisk: Bool, _ surroundings: Surroundings) throws(VMError) -> [String] {
        if hasDisk, let first = program.first {
            throw VMError("--program \(first): the guest's disk has its own commands")
        }
        return try program.map { name throws(VMError) in
            if name.contains("/") { return name }
            guard let path = surroundings.program(name) else {
                throw VMError("--program \(name): not found in PATH")
            }
            return path
        }
    }

    /// The busybox of `--busybox`, or what `--shell` needs without a disk: one in PATH.
    ///
    /// - Throws: if there is none, or no use for one.
    func busyboxPath(hasDisk: Bool, _ surroundings: Surroundings) throws(VMError) -> String? {
        if let busybox {
            guard !hasDisk else {
                throw VMError("--busybox \(busybox): the guest's disk has its own commands")
            }
            return busybox
        }
        guard shell, !hasDisk else { return nil }
        guard let found = surroundings.program("busybox") else {
            throw VMError(
                "--shell: no busybox in PATH, and the guest has no other shell",
                hint: "apt-get install busybox-static; or --busybox FILE, or --image debian")
        }
        return found
    }
}
