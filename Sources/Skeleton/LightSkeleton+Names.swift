// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

extension LightSkeleton {
    /// The first name that cannot be used in C because it is invalid or a duplicate.
    package var nameFault: String? {
        var members: Set<String> = []
        for map in maps {
            guard CIdentifier.isValid(map.identifier) else {
                return "map '\(map.identifier)': not a C identifier"
            }
            guard members.insert(map.identifier).inserted else {
                return "two maps are called '\(map.identifier)'"
            }
        }
        members = []
        for program in programs {
            guard CIdentifier.isValid(program.identifier) else {
                return "program '\(program.identifier)': not a C identifier"
            }
            guard members.insert(program.identifier).inserted else {
                return "two programs are called '\(program.identifier)'"
            }
        }
        return nil
    }
}
