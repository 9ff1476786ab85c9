// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// Writes `bytes` to standard output. A closed pipe is not a failure.
package func printResult(_ bytes: [UInt8]) throws(Failure) {
    var output = BufferedOutput.standardOutput
    do throws(HostError) {
        try output.append(bytes: bytes)
        try output.flush()
    } catch { throw Failure(error) }
}

package func printResult(_ text: String) throws(Failure) { try printResult(Array(text.utf8)) }
