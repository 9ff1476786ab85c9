// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import Glibc
import HostIO
import TestSupport

/// Writes the cases for one kernel, for Tests/Conformance/verdicts.c to give to it.
enum VerdictCasesCommand {
    /// Each case: its way (0 a program's, 1 a module's, 2 nothing: it might harm the kernel), the
    /// lengths of `.BTF` and `.BTF.base` (0: none), and their bytes.
    static func run(_ arguments: inout Arguments) -> Bool? {
        guard let asked = VerdictArguments(&arguments), let out = arguments.next() else {
            return nil
        }
        do {
            let run = try asked.run(arguments.rest())
            var writer = ByteWriter(bigEndian: false)
            for one in run.cases {
                let isHarmless = run.isHarmless(one)
                writer.put(UInt8(isHarmless ? one.way.rawValue : 2))
                writer.put(UInt32(one.btf.count))
                writer.put(UInt32(one.base?.count ?? 0))
                writer.put(one.btf)
                writer.put(one.base ?? [])
            }
            try AtomicFile.replace(out, with: [ByteView(writer.bytes)])
            say("\(run.cases.count) cases\n")
            return true
        } catch {
            say("\(error)\n", to: STDERR_FILENO)
            return false
        }
    }
}
