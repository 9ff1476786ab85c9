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
    private let known = Mutex<(form: KnownForm, btf: BTF?)?>(nil)

    init(_ bytes: ByteView, _ header: Header, _ mark: BTFMark.Reading, hasDistilledBase: Bool) {
        self.bytes = bytes
        self.header = header
        self.mark = mark
        self.hasDistilledBase = hasDistilledBase
    }

    var value: KnownForm { found.form }

    /// What `BTF.parse` makes of BTF without a base, if working the form out has read all of it.
    var btf: BTF? { found.btf }

    private var found: (form: KnownForm, btf: BTF?) {
        known.withLock { known in
            if let known { return known }
            let recognition = Recognition(bytes, header: header)
            let form = KnownForm(mark, hasDistilledBase: hasDistilledBase, recognition)
            known = (form, recognition.btf)
            return (form, recognition.btf)
        }
    }
}
