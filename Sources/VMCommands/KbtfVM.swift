// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Console
import HostIO
import VM

/// The command behind `kbtf vm`.
struct KbtfVM: Command {
    static let configuration = CommandConfiguration(
        commandName: "kbtf vm",
        abstract: "Run modules and tests in a real kernel, in a virtual machine.",
        version: "kbtf \(Console.version)",
        subcommands: [Run.self, Merge.self])

    func run(in _: Surroundings) throws { throw ValidationError("no command given") }

    /// The exit status if the failure is not the guest's but the host's.
    static let machineryFailure: Int32 = 69  // EX_UNAVAILABLE of sysexits.h

    /// Prints an error on standard error, or the requested text (help, version) on standard output.
    ///
    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    static func report(
        _ error: any Error, _ arguments: ArraySlice<String>, in surroundings: Surroundings
    ) -> Int32 {
        let talk = Talk(surroundings.errors)
        if let failure = error as? VMError {
            talk.say(failure)
            return failure.isMachinery ? machineryFailure : 1
        }
        if let code = error as? ExitCode { return code.rawValue }
        return report(
            parserError: error, arguments, after: ["kbtf", "vm"], in: surroundings, talk)
    }
}
