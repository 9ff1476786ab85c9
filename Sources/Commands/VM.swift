// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO

/// `kbtf vm`, which is a program of its own: kbuild starts kbtf for every module, and should not
/// load what only virtual machines need.
struct VM: Command {
    static let configuration = CommandConfiguration(
        commandName: "vm",
        abstract: "Run modules and tests in a real kernel, in a virtual machine.",
        discussion: """
            Examples:
              kbtf vm run --module foo.ko
              kbtf vm run --kernel 6.1.0-56-cloud-amd64 --module foo.ko --test ./foo_test
              kbtf vm run --help
            """)

    @Argument(
        parsing: .captureForPassthrough, help: "A command of kbtf vm with its arguments.",
        completion: .file())
    var words: [String] = []

    func run(in surroundings: Surroundings) throws {
        throw Failure(surroundings.become([try VM.program(surroundings)] + words))
    }

    /// The program that runs virtual machines, `kbtf-vm`.
    ///
    /// - Throws: if there is none.
    static func program(_ surroundings: Surroundings) throws(Failure) -> String {
        let own = surroundings.ownFolder
        let places = ["\(own)/kbtf-vm", "\(own)/../libexec/kbtf/kbtf-vm"]
        guard let program = places.first(where: { FileStatus($0).isRegular }) else {
            throw Failure(
                "kbtf-vm not found: tried \(places.joined(separator: ", "))",
                hint: "make build")
        }
        return program
    }
}
