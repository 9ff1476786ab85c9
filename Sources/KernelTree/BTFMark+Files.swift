// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes
package import ELF

extension BTFMark {
    /// What an ELF file says about its BTF.
    package enum Reading: Sendable {
        /// Nothing.
        case none
        case mark(BTFMark)
        case unreadable(Fault)

        package var mark: BTFMark? { if case .mark(let mark) = self { mark } else { nil } }
    }

    package static func read(_ elf: ELFFile) -> Reading {
        guard let section = section(of: elf), let modinfo = try? elf.rawData(of: section) else {
            return .none
        }
        do throws(Fault) { return try BTFMark(in: modinfo).map { .mark($0) } ?? .none } catch {
            return .unreadable(error)
        }
    }

    /// Whether the file is a module, which can have a mark.
    package static func isPossible(in elf: ELFFile) -> Bool { section(of: elf) != nil }

    /// The new contents of a module's `.modinfo`; nil if they need not change, or the file is not a
    /// module.
    ///
    /// - Parameter mark: nil removes what the file says.
    package static func modinfo(
        of elf: ELFFile, with mark: BTFMark?
    ) throws(ELFError) -> (name: String, data: ByteView)? {
        guard let section = section(of: elf) else { return nil }
        let old = try elf.rawData(of: section)
        let new = ByteView(replacing(in: old, with: mark))
        return new.isEqual(to: old) ? nil : (section.name, new)
    }

    /// `.modinfo` of a module. Linked files, such as a vmlinux, have one of other modules.
    private static func section(of elf: ELFFile) -> ELFSection? {
        let found = elf.sections(named: ".modinfo")
        guard elf.type == ELFType.relocatable, found.count == 1, let section = found.first,
            section.hasData, !section.isCompressed, section.size > 0
        else { return nil }
        return section
    }
}
