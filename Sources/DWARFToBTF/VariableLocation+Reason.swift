// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import DWARF

extension VariableLocation {
    /// Why a variable with this location is left out; nil for an address.
    var reason: Ledger.Reason? {
        switch self {
        case .address: nil
        case .nowhere: .noLocation
        case .threadLocal: .threadLocal
        case .pieces: .variableInPieces
        case .computed: .computedLocation
        }
    }
}
