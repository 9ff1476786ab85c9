// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import DWARF

/// The attributes of a unit that apply to all its entries.
struct UnitContext {
    let unit: Unit
    /// The debug sections that contain it: the file's, or those of the dwz file.
    let data: DWARFData
    let name: String
    let loclistsBase: UInt64
    let addrBase: UInt64
    let isC: Bool
    let isRust: Bool
    /// It does not say what its functions take and return.
    var isLinesOnly = false
}

/// A function entry with the attributes needed for selection.
struct FunctionEntry: BitwiseCopyable {
    /// Index into `UnitEncoder.contexts`.
    var context: UInt32
    var name: UInt32
    var returns: EntryReference
    /// Abstract origin or specification.
    var origin: EntryReference
    var firstParameter: UInt32
    var parameterCount: UInt32 = 0
    var isDeclaration: Bool
    var isExternal: Bool
    /// DW_AT_low_pc; 0 if absent.
    var address: UInt64
    var hasAddress: Bool
    /// Its code is in several ranges (DW_AT_ranges).
    var hasRanges: Bool
    var isVariadic = false
    /// DW_AT_calling_convention is DW_CC_nocall.
    var isNoCall = false
    /// Its symbol has another name: `name` is the symbol's.
    var isMangled = false

    var hasCode: Bool { hasAddress || hasRanges }
}

/// A parameter of a function, or a variable.
struct ValueEntry: BitwiseCopyable {
    var name: UInt32
    var type: EntryReference
    var origin: EntryReference
    /// DW_AT_location as decoded; `Form(0)` if absent.
    var location: UInt64
    var locationForm: Form
    var isExternal: Bool
    var isDeclaration: Bool
    /// It is a constant (DW_AT_const_value).
    var isConstant: Bool
    /// Number among the function's parameters.
    var position: UInt32
    /// Index into `UnitEncoder.contexts`.
    var context: UInt32

    var hasLocation: Bool { locationForm.rawValue != 0 }
}
