// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import HostIO

/// Tests that are known to fail, with the reason: a name and a reason per line. `#` begins a
/// comment.
package struct DenyList {
    /// Reasons by name.
    package let reasons: [String: String]

    package init(_ path: String) throws(VMError) {
        let text: String
        do throws(HostError) {
            text = String(decoding: try FileReader.map(path).array, as: UTF8.self)
        } catch { throw VMError(error) }
        var reasons: [String: String] = [:]
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard let name = words.first else { continue }
            guard words.count > 1 else {
                throw VMError("\(path): line \(number + 1): no reason given for \(name)")
            }
            reasons[String(name)] = words.dropFirst().joined(separator: " ")
        }
        self.reasons = reasons
    }
}
