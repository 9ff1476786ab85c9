// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import KernelTree

/// A module as it is on disk, opened to see what is wrong with it.
struct ExaminedModule: BatchContents {
    let path: String
    let elf: ELFFile
    let info: Modinfo
    /// The section; nil if there is none.
    let section: ELFSection?
    /// nil without BTF, or if it cannot be read even as a kernel would.
    let btf: BTFFile?
    let keeping: Keeping

    /// - Parameter held: its contents, if they were read already.
    init(_ path: String, _ held: PackedFile.Contents?, cache: BaseCache?) throws(Failure) {
        self.path = path
        let contents = if let held { held } else { try BTFFile.contents(of: path) }
        keeping = contents.keeping
        elf = try openELF(contents.view, path)
        guard let info = Modinfo(elf) else {
            throw Failure("\(path): not a kernel module (it has no .modinfo)")
        }
        self.info = info
        section = elf.section(named: ".BTF")
        btf =
            section?.hasData == true
            ? try? BTFFile.open(contents, path, cache: cache, evenUnreadable: true) : nil
    }

    /// It came with its kernel.
    var isInTree: Bool { info["intree"] == "Y" }
    var isStandalone: Bool {
        guard let btf, btf.fault == nil, case .standalone = btf.form else { return false }
        return true
    }
    var hasDebugInfo: Bool { elf.debugSection(named: ".debug_info") != nil }
    var release: KernelRelease? {
        info["vermagic"]?.split(separator: " ").first.flatMap { KernelRelease($0) }
    }

    /// Sections `.BTF` one after the other, as `ld -r` leaves them if two inputs have one: the
    /// second begins where the first one's header says that it ends.
    var hasSeveralBTF: Bool {
        if elf.sections(named: ".BTF").count > 1 { return true }
        guard let bytes = btf?.bytes, let bigEndian = Header.isBigEndian(bytes),
            let head = bytes.slice(0, Header.shortLength)
        else { return false }
        func field(_ offset: Int) -> Int {
            let four = head.array[offset..<offset + 4]
            return (bigEndian ? Array(four) : four.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        // hdr_len, str_off, str_len; the next section may be aligned.
        let end = field(4) + field(16) + field(20)
        return (end..<end + 8).contains { at in
            bytes.slice(at, bytes.count - at).map { Header.isBigEndian($0) != nil } == true
        }
    }
}
