// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
import CBpf

/// The libbpf that this program uses.
package enum LibBPF {
    package static var version: LibBPFVersion {
        LibBPFVersion(Int(libbpf_major_version()), Int(libbpf_minor_version()))
    }
}
