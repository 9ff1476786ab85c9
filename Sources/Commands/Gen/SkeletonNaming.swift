// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import CEmit

/// `name NAME` behind the file.
struct SkeletonNaming: ParsableArguments {
    @Argument(help: ArgumentHelp("The skeleton's name.", valueName: "name NAME"))
    var naming: [String] = []

    var name: String? { naming.count == 2 ? naming[1] : nil }

    func validate() throws {
        guard naming.isEmpty || naming.count == 2 && naming[0] == "name" else {
            throw ValidationError("only 'name NAME' may follow the file")
        }
        if let name, !Self.isName(name) {
            throw ValidationError("name: '\(name)' is not a C identifier of at most 63 bytes")
        }
    }

    static func isName(_ name: String) -> Bool {
        CIdentifier.isValid(name) && name.utf8.count < 64
    }
}
