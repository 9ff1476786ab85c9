// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Glibc
import HostIO

// A reader that goes away (`| head`) is seen as EPIPE, not by a signal.
signal(SIGPIPE, SIG_IGN)

let arguments = ProcessStart.arguments
// The leash of QEMU: this program once more, to become QEMU and to end with the one that started it.
if arguments.count > 3, arguments[1] == Leash.word,
    let parent = Int32(arguments[2])
{
    let error = ChildProcess.leash(parent: parent, Array(arguments.dropFirst(3)))
    Talk().say(error.description)
    exit(Leash.failure)
}

do {
    var command = try KbtfVM.parseAsRoot(Array(arguments.dropFirst()))
    try command.run()
} catch {
    exit(KbtfVM.report(error, arguments.dropFirst()))
}
