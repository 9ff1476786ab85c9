// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension BTF {
    /// The first own DATASEC entry of size 0 that is a variable with a definition, and that
    /// variable; nil if every variable has a size.
    package var firstSizelessVariable: (section: Record, variable: Record)? {
        for section in ownRecords where section.kind == .datasec {
            for index in 0..<section.count where section.element(index, 2) == 0 {
                guard let variable = record(TypeID(section.element(index, 0))),
                    variable.kind == .var, variable.linkage != Linkage.extern.rawValue
                else { continue }
                return (section, variable)
            }
        }
        return nil
    }

    /// A type as one short line, close to C: `long[0]`. For messages.
    package func text(_ id: TypeID) -> String { TypeTable(self).text(id.rawValue) }
}
