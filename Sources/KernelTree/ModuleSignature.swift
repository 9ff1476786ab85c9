// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
package import ELF

// A signed module is followed by its signature, struct module_signature and this line
// (include/linux/module_signature.h).
private let marker = Array("~Module signature appended~\n".utf8)

extension ELFFile {
    /// It ends in a signature.
    package var isSigned: Bool { bytes.matches(marker, at: bytes.count - marker.count) }

    /// It has a signature that is not at its end, where kernels look for it: something was added
    /// after signing.
    package var hasBuriedSignature: Bool {
        var at = 0
        while let hit = bytes.find(marker, from: at) {
            at = hit + marker.count
            if at == bytes.count { return false }
            // The words alone may be a string of the module: id_type is PKEY_ID_PKCS7 there.
            if bytes.byte(hit - 10) == 2 { return true }
        }
        return false
    }
}
