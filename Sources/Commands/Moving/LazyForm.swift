// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Bytes
import KernelTree
import Synchronization

/// The form of a file's BTF, worked out on first use: it takes reading and checking all of the BTF,
/// and a file may be opened only to see which base it needs.
final class LazyForm: Sendable {
    private let bytes: ByteView
    private let header: Header
    private let mark: BTFMark.Reading
    private let hasDistilledBase: Bool
    private let known = Mutex<KnownForm?>(nil)

    init(_ bytes: ByteView, _ header: Header, _ mark: BTFMark.Reading, hasDistilledBase: Bool) {
        self.bytes = bytes
        self.header = header
        self.mark = mark
        self.hasDistilledBase = hasDistilledBase
    }

    var value: KnownForm {
        known.withLock { known in
            let value =
                known
                ?? KnownForm(
                    mark, hasDistilledBase: hasDistilledBase, Recognition(bytes, header: header))
            known = value
            return value
        }
    }
}
