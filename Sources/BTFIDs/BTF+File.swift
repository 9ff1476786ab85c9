// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes
package import ELF

extension BTF {
    /// The BTF in the section `.BTF` of a file, over its own `.BTF.base` if it has one.
    ///
    /// - Parameter base: the BTF it continues if it has no base of its own and is not standalone.
    /// - Returns: nil if the file has no BTF.
    /// - Throws: `BTFInFileError` for damaged BTF, and for split BTF without a base.
    package static func inFile(
        _ elf: ELFFile, base: BTF?
    ) throws(BTFInFileError) -> BTF? {
        guard let (own, ownBase) = try sections(elf) else { return nil }
        if let ownBase {
            let base: BTF
            do throws(BTFError) {
                base = try parse(ownBase, filePointerSize: elf.pointerSize)
            } catch {
                throw .btf(path: elf.path, section: ".BTF.base", error)
            }
            return try parse(own, over: base, elf)
        }
        // The BTF of a module without types can be read alone, but is useless without its base.
        if !isSplit(own), let whole = try? parse(own, filePointerSize: elf.pointerSize),
            base == nil || !whole.ownIDs.isEmpty
        {
            return whole
        }
        return try parse(own, over: base, elf)
    }

    fileprivate static func isSplit(_ bytes: ByteView) -> Bool {
        (try? Header.parse(bytes)).map { Recognition.mustBeSplit(bytes, header: $0) } ?? false
    }

    private static func parse(
        _ bytes: ByteView, over base: BTF?, _ elf: ELFFile
    ) throws(BTFInFileError) -> BTF {
        do throws(BTFError) {
            return try parse(bytes, base: base, filePointerSize: elf.pointerSize)
        } catch {
            throw .btf(path: elf.path, section: ".BTF", error)
        }
    }

    private static func sections(
        _ elf: ELFFile
    ) throws(BTFInFileError) -> (own: ByteView, base: ByteView?)? {
        do throws(ELFError) {
            guard let own = try elf.onlySection(named: ".BTF"), own.hasData else { return nil }
            let base = try elf.onlySection(named: ".BTF.base").flatMap { $0.hasData ? $0 : nil }
            return (
                try elf.data(of: own),
                try base.map { section throws(ELFError) in
                    try elf.data(of: section)
                }
            )
        } catch { throw .elf(error) }
    }
}

extension SplitWithoutBase {
    /// The BTF in the section `.BTF` of a file, if it continues a base that is not in the file.
    package static func inFile(_ elf: ELFFile) -> SplitWithoutBase? {
        guard elf.section(named: ".BTF.base") == nil,
            let section = elf.section(named: ".BTF"), section.hasData,
            let bytes = try? elf.data(of: section),
            BTF.isSplit(bytes) || (try? BTF.parse(bytes)) == nil
        else { return nil }
        return try? SplitWithoutBase(bytes)
    }
}

/// Why the BTF of a file cannot be read. The description names file, section and offset.
package enum BTFInFileError: Error, Equatable, CustomStringConvertible {
    case elf(ELFError)
    case btf(path: String, section: String, BTFError)

    package var description: String {
        switch self {
        case .elf(let error): error.description
        case .btf(let path, let section, let error): "\(path): \(section)\(error)"
        }
    }
}
