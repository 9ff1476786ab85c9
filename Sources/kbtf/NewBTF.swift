// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Bytes
import ELF

/// New BTF for a file.
struct NewBTF {
    let btf: [UInt8]
    /// For `.BTF.base`; nil when there is to be none.
    var base: [UInt8]?
    /// For `.BTF_ids`; nil leaves that as it is.
    var ids: [UInt8]?

    /// The file with it, in pieces.
    func image(of elf: ELFFile) throws(Failure) -> [ByteView] {
        var sections = [(name: ".BTF", data: ByteView(btf))]
        // The old BTF's base and relocations have no meaning for the new one.
        var obsolete = [".rel.BTF", ".rela.BTF", ".rel.BTF.base", ".rela.BTF.base"]
        if let base {
            sections.append((".BTF.base", ByteView(base)))
        } else {
            obsolete.append(".BTF.base")
        }
        if let ids { sections.append((IDSection.name, ByteView(ids))) }
        do throws(ELFError) {
            return try ELFEditor.image(of: elf, replacing: sections, removing: obsolete)
        } catch { throw Failure(error) }
    }
}
