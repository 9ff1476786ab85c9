// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import DWARF

/// The unit that is being read.
struct UnitUnderWay {
    private(set) var unit: Unit
    /// It is in `.debug_types`.
    private(set) var inTypes = false
    var isC = true
    /// Its compiler is made with LLVM.
    var isFromLLVM = false
    /// Of a unit in Rust.
    var rust: RustEntries?
    var strOffsetsBase: UInt64 = 0

    init(_ first: Unit) { unit = first }

    mutating func begin(_ unit: Unit, inTypes: Bool, isSplit: Bool) {
        self.unit = unit
        self.inTypes = inTypes
        rust = nil
        isFromLLVM = false
        strOffsetsBase = unit.encoding.is64Bit ? 16 : 8
        // GNU's forerunner of the section has no header.
        if isSplit, unit.encoding.version < 5 { strOffsetsBase = 0 }
    }

    func fail(_ offset: Int, _ message: String) -> DWARFError {
        DWARFError(section: inTypes ? ".debug_types" : ".debug_info", offset: offset, message)
    }
}
