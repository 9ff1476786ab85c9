// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Glibc
import HostIO

// A reader that goes away ends a dump in silence (`| head`): writes see EPIPE, not a signal.
signal(SIGPIPE, SIG_IGN)

let arguments = ProcessStart.arguments
if let role = arguments.first.flatMap({ Role(program: $0) }) {
    exit(role.run(arguments.dropFirst()))
}
do {
    var command = try Kbtf.parse(arguments.dropFirst())
    try command.run()
} catch {
    exit(Kbtf.report(error, arguments.dropFirst()))
}
