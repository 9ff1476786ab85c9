// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
internal import Synchronization

/// BTF that is parsed on first use. Safe to use from several threads.
package final class LazyBTF: Sendable {
    private let bytes: ByteView
    private let parsed = Mutex<Result<BTF, BTFError>?>(nil)

    package init(_ bytes: ByteView) { self.bytes = bytes }

    /// The BTF, the same one each time.
    package func btf() throws(BTFError) -> BTF {
        let result = parsed.withLock { parsed -> Result<BTF, BTFError> in
            if let parsed { return parsed }
            let result = Result { () throws(BTFError) in try BTF.parse(bytes) }
            parsed = result
            return result
        }
        return try result.get()
    }
}
