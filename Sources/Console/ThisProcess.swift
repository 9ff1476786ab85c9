// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Glibc
import HostIO

// The one place where a library sees the process it runs in. Only the executables ask for it.

extension Surroundings {
    /// Those of this process.
    package static var process: Surroundings {
        Surroundings(
            environment: { ProcessStart.variable($0) },
            variables: { ProcessStart.environment },
            output: Stream(
                writer: { bytes throws(HostError) in
                    var output = BufferedOutput.standardOutput
                    try output.append(bytes: bytes)
                    try output.flush()
                }, isTerminal: { isatty(STDOUT_FILENO) == 1 }),
            errors: Stream(
                writer: { bytes throws(HostError) in
                    var output = BufferedOutput.standardError
                    try output.append(bytes: bytes)
                    try output.flush()
                }, isTerminal: { isatty(STDERR_FILENO) == 1 }),
            kernel: { RunningKernel() },
            milliseconds: {
                let time = start.duration(to: .now).components
                return Int(time.seconds) * 1000 + Int(time.attoseconds / 1_000_000_000_000_000)
            },
            timeOfDay: { ProcessStart.timeOfDay },
            ownPath: { SymbolicLink.target(of: "/proc/self/exe") },
            become: { ChildProcess.become($0) },
            answer: { readLine() },
            terminal: {
                isatty(STDOUT_FILENO) == 1 ? TerminalSize(descriptor: STDIN_FILENO) : nil
            },
            prepareHeap: { HeapTuning.preferLargePages() })
    }

    private static let start = ContinuousClock.now
}
