// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Console

/// The programs of kernel builds that kbtf replaces, by the name under which it is called.
enum Role {
    case pahole
    case resolveBTFIDs
    case bpftool

    /// - Parameter program: the first word of the command line, a path or a name.
    init?(program: String) {
        switch program.split(separator: "/").last {
        case "pahole": self = .pahole
        case "resolve_btfids": self = .resolveBTFIDs
        case "bpftool": self = .bpftool
        default: return nil
        }
    }

    /// - Parameter arguments: the command line without the program.
    /// - Returns: the exit status.
    func run(_ arguments: ArraySlice<String>, in surroundings: Surroundings) -> Int32 {
        switch self {
        case .pahole: PaholeRole.run(arguments, in: surroundings)
        case .resolveBTFIDs: ResolveBTFIDsRole.run(arguments, in: surroundings)
        case .bpftool: BpftoolRole.run(arguments, in: surroundings)
        }
    }
}
