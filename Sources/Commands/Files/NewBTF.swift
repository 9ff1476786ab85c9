// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import BTFIDs
import Bytes
import Console
import ELF
import KernelTree

/// New BTF for a file.
struct NewBTF {
    let btf: [UInt8]
    /// For `.BTF.base`; nil for none.
    var base: [UInt8]?
    /// Write BTF without types, for a later build step that expects to read it.
    var keepsEmpty = false
    /// For `.BTF_ids`; nil leaves it unchanged.
    var ids: [UInt8]?
    /// For `.BTF.inline`, continuing the new BTF; nil for none.
    var inline: [UInt8]?
    /// What a module says about it in `.modinfo`; nil for nothing.
    var mark: BTFMark?

    /// A module without types of its own needs no BTF: the base has all of them.
    var isWritten: Bool {
        keepsEmpty
            || (try? Header.parse(ByteView(btf))).map { $0.typeLength > 0 } ?? true
    }

    /// The section that says where a module's functions are inlined.
    static let inlineName = ".BTF.inline"

    /// Sections besides `.BTF` that contain ids of its types and cannot follow it.
    private func companions(in elf: ELFFile) -> [String] {
        var names: [String] = []
        for section in elf.sections
        where section.name.hasPrefix(".BTF.") && section.name != ".BTF.base" {
            if section.name == Self.inlineName, isWritten, inline != nil { continue }
            if !names.contains(section.name) { names.append(section.name) }
        }
        return names
    }

    /// The file with the new BTF, in pieces.
    func image(of elf: ELFFile) throws(Failure) -> [ByteView] {
        var sections: [(name: String, data: ByteView)] = []
        // The old BTF's base, relocations and companions are meaningless for the new one.
        var obsolete = [".rel.BTF", ".rela.BTF", ".rel.BTF.base", ".rela.BTF.base"]
        for name in companions(in: elf) { obsolete += [name, ".rel" + name, ".rela" + name] }
        if isWritten { sections.append((".BTF", ByteView(btf))) } else { obsolete.append(".BTF") }
        if isWritten, let base {
            sections.append((".BTF.base", ByteView(base)))
        } else {
            obsolete.append(".BTF.base")
        }
        if isWritten, let inline { sections.append((Self.inlineName, ByteView(inline))) }
        if let ids { sections.append((IDSection.name, ByteView(ids))) }
        do throws(ELFError) {
            // What a mark said was about the old BTF.
            if let modinfo = try BTFMark.modinfo(of: elf, with: isWritten ? mark : nil) {
                sections.append(modinfo)
            }
            return try ELFEditor.image(of: elf, replacing: sections, removing: obsolete)
        } catch { throw Failure(error) }
    }

    /// What the file at `path` loses or does not get.
    func messages(_ path: String, _ elf: ELFFile) -> [Talk.Message] {
        var messages = companions(in: elf).map {
            Talk.Message.note(
                "\(path): \($0): removed, because its type ids belong to the BTF that was replaced")
        }
        if !isWritten {
            messages.append(
                .note(
                    "\(path): all its types are in the base: "
                        + (elf.section(named: ".BTF") == nil
                            ? "it gets no .BTF" : "its .BTF is removed")))
        }
        return messages
    }
}
