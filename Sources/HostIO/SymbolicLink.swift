// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc

/// Symbolic links themselves, not their targets.
package enum SymbolicLink {
    /// The target of the link at `path`; nil for anything else.
    package static func target(of path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: the buffer's own size is passed; the result says how much of it is filled.
        let length = unsafe path.withSystemText { path in
            unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe readlink(
                    path, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
            }
        }
        return length > 0 ? String(systemBytes: Array(buffer[..<length])) : nil
    }
}
