// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTFIDs
import Console

/// The messages of the kernel's tool, for those who search build logs for them.
enum ResolveBTFIDsMessage {
    static func warnings(_ resolved: ResolvedIDs) -> [String] {
        resolved.repeated.map {
            "WARN: multiple IDs found for '\($0.name)': \($0.used), \($0.other) - using \($0.used)"
        } + resolved.unresolved.map { "WARN: resolve_btfids: unresolved symbol \($0.name)" }
    }

    static func leftWhole(_ name: String) -> String {
        "WARN: resolve_btfids: \(name): flag KF_IMPLICIT_ARGS, but neither a bpf_kfunc tag nor a set of kernel "
            + "functions: its arguments are not hidden, and programs cannot call it (list it between "
            + "BTF_KFUNCS_START and BTF_KFUNCS_END)"
    }

    static func nameless(_ set: String, _ entry: Int) -> String {
        "WARN: resolve_btfids: no BTF ID symbol for \(set) entry \(entry)"
    }

    static func notInBTF(_ function: String, _ set: String) -> String {
        "WARN: resolve_btfids: no BTF func for kfunc \(function) in \(set)"
    }

    static func failure(_ error: IDError) -> Failure {
        guard case .section(_, let offset, let fault) = error else {
            return Failure("FAILED \(error)")
        }
        let place = String(offset ?? 0)
        let what =
            switch fault {
            case .malformedName(let symbol):
                symbol.hasPrefix("__BTF_ID__set")
                    ? "FAILED to parse set name: \(symbol.dropFirst(10))"
                    : "FAILED to parse symbol name: \(symbol.dropFirst(10))"
            case .unknownKind(let symbol): "FAILED unsupported prefix \(symbol.dropFirst(10))"
            case .outside(_, let size): "FAILED patching index \(place) out of bounds \(size)"
            case .setSize(let symbol, _, _): "FAILED malformed data for set '\(symbol)'"
            case .notAnID(_, let set), .lostFlags(let set, _):
                "FAILED malformed data for set '\(set)'"
            case .overlap, .severalSections, .relocated, .noSuchType, .otherType: "FAILED"
            }
        return Failure("\(what): \(error)")
    }
}
