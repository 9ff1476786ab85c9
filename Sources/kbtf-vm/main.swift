// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import Glibc
import HostIO
import VMCommands

// A reader that goes away (`| head`) causes EPIPE, not a signal.
signal(SIGPIPE, SIG_IGN)

exit(VMProgram.run(ProcessStart.arguments, in: .process))
