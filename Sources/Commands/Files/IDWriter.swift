// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Bytes
import Console
import ELF
import HostIO

/// Writes new contents to the `.BTF_ids` of a file.
struct IDWriter {
    let elf: ELFFile
    let path: String
    /// In the file itself, not in a copy that replaces it. The kernel's own tool does that, to a
    /// file that make throws away if it fails, and a vmlinux of half a gigabyte has 60 kB of them.
    var isInPlace = false

    /// Leaves the file unchanged if it already has these contents.
    func write(_ bytes: [UInt8], over section: IDSection) throws(Failure) {
        if bytes != section.bytes { try write(ByteView(bytes)) }
    }

    func write(_ contents: ByteView) throws(Failure) {
        if isInPlace, try overwrite(contents) { return }
        let image: [ByteView]
        do throws(ELFError) {
            image = try ELFEditor.image(of: elf, replacing: [(IDSection.name, contents)])
        } catch { throw Failure(error) }
        try PackedFile.replace(path, with: image)
    }

    /// - Returns: false if the section has another size, or is compressed.
    private func overwrite(_ contents: ByteView) throws(Failure) -> Bool {
        guard let section = elf.section(named: IDSection.name), section.hasData,
            !section.isCompressed, section.size == UInt64(contents.count)
        else { return false }
        let old: ByteView
        do throws(ELFError) { old = try elf.data(of: section) } catch { throw Failure(error) }
        do throws(HostError) {
            try FilePatch.overwrite(path, at: section.offset, old, with: contents)
        } catch { throw Failure(error) }
        return true
    }
}
