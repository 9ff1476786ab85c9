// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console
import DWARF

/// Messages about units whose debug information was not found.
extension DebugInfo {
    private static let splitHint =
        "keep the .dwo files where the build wrote them or beside the file, pack them into a .dwp beside it, or rebuild "
        + "with -gno-split-dwarf (kernels: CONFIG_DEBUG_INFO_SPLIT=n)"

    private static func problem(_ missing: SplitFiles.Missing) -> String {
        var text = "\(missing.unit.file) (-gsplit-dwarf), which is missing"
        if let package = missing.packages.first {
            text +=
                package.unitCount == 0
                ? "; \(package.path) has no units (GNU dwp does not pack DWARF 5 units, llvm-dwp does)"
                : "; \(package.path) does not have it"
        }
        return text
    }

    /// Why a file has no BTF if all of its units with types are missing; nil if none is missing.
    var splitFailure: Failure? {
        guard let first = splitFiles.missing.first else { return nil }
        var failure = Failure(
            "\(path): its debug information is in \(Self.problem(first))", hint: Self.splitHint)
        if !first.places.isEmpty {
            failure.details = ["  nothing at:"] + first.places.map { "    \($0)" }
        }
        return failure
    }

    /// What the BTF lacks if some units are not read; nil if all are.
    var splitWarning: Failure? {
        let missing = splitFiles.missing
        guard let first = missing.first else { return nil }
        let others = missing.dropFirst().prefix(2).map(\.unit.file).joined(separator: ", ")
        let more = missing.count > 1 ? "; also \(others)\(missing.count > 3 ? ", ..." : "")" : ""
        return Failure(
            "\(path): \(missing.count) of \(data.units.count) units are left out: their debug information is in "
                + "\(Self.problem(first))\(more)",
            hint: Self.splitHint)
    }
}
