# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""shell.py LOG COMMAND...: uses the shell of a guest, at a terminal of its own, as somebody would.

What the terminal showed is left in LOG."""

import os
import pty
import re
import select
import signal
import sys

PROMPT = rb"guest:/# "

log = open(sys.argv[1], "wb")
pid, terminal = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(sys.argv[2], sys.argv[2:])


def read_until(pattern):
    """Reads on until the terminal has shown `pattern`, and returns what was before it."""
    shown = b""
    while True:
        # A guest that hangs is killed by whoever runs all tests.
        select.select([terminal], [], [])
        try:
            some = os.read(terminal, 4096)
        except OSError:
            some = b""
        log.write(some)
        log.flush()
        shown += some
        found = re.search(pattern, shown)
        if found:
            return shown[: found.start()]
        if not some:
            sys.exit(f"# the terminal ended before {pattern!r}")


def said(command):
    """What the shell prints for `command`."""
    os.write(terminal, command + b"\r")
    lines = read_until(PROMPT).replace(b"\r", b"").split(b"\n")
    return b"\n".join(lines[1:]).strip()


def expect(command, answer):
    got = said(command)
    if got != answer:
        os.kill(pid, signal.SIGKILL)
        sys.exit(f"# {command!r}: got {got!r}, not {answer!r}")


read_until(PROMPT)
expect(b"cat /shared/link", b"words")
expect(b"/tests/subtests | tail -n 1", b"ok 2 two")
expect(b"echo $TERM; tty | cut -c 1-8", b"dumb\n/dev/tty")
# The kernel's own words do not disturb.
expect(b"echo hello >/dev/kmsg; echo done", b"done")
# Ctrl-C is the guest's. What is typed before the command runs would be the shell's.
os.write(terminal, b"sh -c 'echo st''arted; sleep 100000'\r")
read_until(rb"started")
os.write(terminal, b"\x03")
read_until(PROMPT)
expect(b"echo $?", b"130")
os.write(terminal, b"exit\r")
while True:
    try:
        some = os.read(terminal, 4096)
    except OSError:
        break
    if not some:
        break
    log.write(some)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
