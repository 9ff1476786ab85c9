// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// A unit whose entries the compiler wrote to another file (`-gsplit-dwarf`), as described by its
/// skeleton: DWARF 5 section 3.1.2, or the GNU extensions to DWARF 4.
package struct SplitUnit: Sendable, Equatable {
    /// Index of the skeleton in `DWARFData.units`.
    package let index: Int
    /// Path of the file as the compiler wrote it, usually relative to `directory`.
    package let file: String
    /// The compiler's working directory; empty if the skeleton does not give it.
    package let directory: String
    /// The id shared by the skeleton and the unit in the other file.
    package let id: UInt64
    /// Start of the unit's addresses in `.debug_addr` of the skeleton's file.
    package let addressBase: UInt64
    /// Start of its code (DW_AT_low_pc of the skeleton), if that is not given by index.
    package var codeBase: UInt64?
}

extension DWARFData {
    /// The units whose entries are in other files, in file order.
    package func splitUnits() throws(DWARFError) -> [SplitUnit] {
        let hasOldOnes = mayNameOldSplitFiles
        var found: [SplitUnit] = []
        var compiler: AbbreviationCompiler?
        for (index, unit) in units.enumerated() {
            guard unit.sort == .skeleton || hasOldOnes && unit.encoding.version < 5 else {
                continue
            }
            if compiler?.encoding != unit.encoding { compiler = abbreviationCompiler(for: unit) }
            guard let compiler else { continue }
            let root = try rootAttributes(of: unit, compiler)
            if let split = try splitUnit(index, unit, root) { found.append(split) }
        }
        return found
    }

    /// False if no unit before DWARF 5 can be a skeleton: reading the first entry of each takes
    /// time.
    private var mayNameOldSplitFiles: Bool {
        guard units.contains(where: { $0.encoding.version < 5 }) else { return false }
        return abbrev.withSpan { span in
            var last: UInt8 = 0
            for at in 0..<span.byteCount {
                // SAFETY: at is inside the span.
                let byte = unsafe span.unsafeLoad(fromByteOffset: at, as: UInt8.self)
                // DW_AT_GNU_dwo_name as a LEB128 number.
                if last == 0xb0, byte == 0x42 { return true }
                last = byte
            }
            return false
        }
    }

    /// All attributes of a unit's first entry.
    func rootAttributes(
        of unit: Unit, _ compiler: AbbreviationCompiler
    ) throws(DWARFError) -> [AttributeValue] {
        var reader = try entries(of: unit, table: compiler.table(at: unit.abbreviationOffset))
        var attributes: [AttributeValue] = []
        if try reader.advance() { try reader.readAll(into: &attributes) }
        return attributes
    }

    /// Linux does not open longer ones.
    private static let longestPath = 4096

    /// nil for a complete unit.
    private func splitUnit(
        _ index: Int, _ unit: Unit, _ root: [AttributeValue]
    ) throws(DWARFError) -> SplitUnit? {
        let stringBase =
            root.first { $0.attribute == .strOffsetsBase }?.value
            ?? (unit.encoding.is64Bit ? 16 : 8)
        func text(_ wanted: Attribute...) throws(DWARFError) -> String? {
            guard let found = root.first(where: { wanted.contains($0.attribute) }) else {
                return nil
            }
            let place = try place(
                of: found.value, form: found.form, unit: unit, strOffsetsBase: stringBase,
                inTypes: false, at: unit.firstDIE)
            guard let text = bytes(of: place.section).cString(at: place.offset) else { return nil }
            // Skeletons may all name the same long string.
            guard text.utf8.count < Self.longestPath else {
                throw DWARFError(
                    section: ".debug_info", offset: unit.offset,
                    "skeleton unit with a path of \(text.utf8.count) bytes, expected fewer than \(Self.longestPath)"
                )
            }
            return text
        }
        func number(_ wanted: Attribute...) -> UInt64? {
            root.first { wanted.contains($0.attribute) }?.value
        }
        // clang calls a unit a skeleton when it has nothing to split off (-gmlt).
        guard let file = try text(.dwoName, .gnuDwoName), !file.isEmpty else { return nil }
        return SplitUnit(
            index: index, file: file, directory: try text(.compDir) ?? "",
            id: unit.sort == .skeleton ? unit.signature : number(.gnuDwoID) ?? 0,
            addressBase: number(.addrBase, .gnuAddrBase) ?? 0,
            codeBase: root.first { $0.attribute == .lowPc && $0.form == .addr }?.value)
    }
}
