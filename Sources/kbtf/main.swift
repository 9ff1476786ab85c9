// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Commands
import Console
import Glibc
import HostIO

// A reader that goes away silently ends a dump (`| head`): writes get EPIPE, not a signal.
signal(SIGPIPE, SIG_IGN)

exit(Program.run(ProcessStart.arguments, in: .process))
