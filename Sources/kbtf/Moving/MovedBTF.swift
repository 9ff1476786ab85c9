// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Bytes
import ELF
import HostIO

/// New contents for a file.
struct MovedBTF {
    let btf: [UInt8]
    /// For `.BTF.base`; nil when there is to be none.
    var base: [UInt8]?
    /// For `.BTF_ids`, if the file has that.
    var ids: [UInt8]?
}

extension ModuleBTF {
    enum Outcome { case written, unchanged, signatureLost }

    /// Puts the new contents into the file, or raw beside it: `OUT`, `OUT.base`, `OUT.ids`.
    func write(_ moved: MovedBTF, detached: String?) throws(Failure) -> Outcome {
        if let detached {
            let parts = [
                (detached + ".base", moved.base), (detached + ".ids", moved.ids),
                (detached, moved.btf),
            ]
            for (path, bytes) in parts {
                if let bytes { try replace(path, [ByteView(bytes)]) }
            }
            return .written
        }
        guard let elf else {
            try replace(path, [ByteView(moved.btf)])
            return .written
        }
        var sections = [(name: ".BTF", data: ByteView(moved.btf))]
        // Relocations of the old BTF have no meaning for the new one.
        var obsolete = [".rel.BTF", ".rela.BTF", ".rel.BTF.base", ".rela.BTF.base"]
        if let base = moved.base {
            sections.append((".BTF.base", ByteView(base)))
        } else {
            obsolete.append(".BTF.base")
        }
        if let ids = moved.ids { sections.append((IDSection.name, ByteView(ids))) }
        let image: [ByteView]
        do throws(ELFError) {
            image = try ELFEditor.image(of: elf, replacing: sections, removing: obsolete)
        } catch { throw Failure(error) }
        try replace(path, image)
        return elf.isSigned ? .signatureLost : .written
    }

    private func replace(_ path: String, _ chunks: [ByteView]) throws(Failure) {
        do throws(HostError) { try AtomicFile.replace(path, with: chunks) } catch {
            throw Failure(error)
        }
    }
}
