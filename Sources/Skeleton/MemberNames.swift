// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// The members of a skeleton's structs.
enum MemberNames {
    /// The first name that cannot be used in C because it is invalid or a duplicate.
    static func fault(maps: [String], programs: [String]) -> String? {
        fault("map", maps) ?? fault("program", programs)
    }

    private static func fault(_ what: String, _ names: [String]) -> String? {
        var seen: Set<String> = []
        for name in names {
            guard CIdentifier.isValid(name) else { return "\(what) '\(name)': not a C identifier" }
            guard seen.insert(name).inserted else { return "two \(what)s are called '\(name)'" }
        }
        return nil
    }
}

extension LightSkeleton {
    /// The first name that cannot be used in C because it is invalid or a duplicate.
    package var nameFault: String? {
        MemberNames.fault(maps: maps.map(\.identifier), programs: programs.map(\.identifier))
            ?? macroFault
    }
}

extension ObjectSkeleton {
    /// The first name that cannot be used in C because it is invalid or a duplicate.
    package var nameFault: String? {
        MemberNames.fault(maps: maps.map(\.identifier), programs: programs)
    }
}
