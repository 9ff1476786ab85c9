// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Bytes
import Console
import ELF

/// Writes new contents to the `.BTF_ids` of a file.
struct IDWriter {
    let elf: ELFFile
    let path: String

    /// Leaves the file unchanged if it already has these contents.
    func write(_ bytes: [UInt8], over section: IDSection) throws(Failure) {
        if bytes != section.bytes { try write(ByteView(bytes)) }
    }

    func write(_ contents: ByteView) throws(Failure) {
        let image: [ByteView]
        do throws(ELFError) {
            image = try ELFEditor.image(of: elf, replacing: [(IDSection.name, contents)])
        } catch { throw Failure(error) }
        try PackedFile.replace(path, with: image)
    }
}
