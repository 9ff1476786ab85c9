// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
package import Console
import HostIO
import VM

/// The program `kbtf-vm`, from its command line to its exit status.
package enum VMProgram {
    /// - Parameter arguments: the program's name as called, and its arguments.
    /// - Returns: the exit status.
    package static func run(_ arguments: [String], in surroundings: Surroundings) -> Int32 {
        // The leash of QEMU: this program again, to become QEMU and to end with its starter.
        if arguments.count > 3, arguments[1] == Leash.word, let parent = Int32(arguments[2]) {
            let error = ChildProcess.leash(parent: parent, Array(arguments.dropFirst(3)))
            Talk(surroundings.errors).say(error.description)
            return Leash.failure
        }
        let words = arguments.dropFirst()
        do {
            var command = try KbtfVM.parseAsRoot(Array(words))
            if let command = command as? any Command {
                try command.run(in: surroundings)
            } else {
                // One of ArgumentParser's own.
                try command.run()
            }
            return 0
        } catch { return KbtfVM.report(error, words, in: surroundings) }
    }
}
