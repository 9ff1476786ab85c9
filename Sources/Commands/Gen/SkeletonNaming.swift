// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import CEmit

/// `name NAME` behind the file.
struct SkeletonNaming: ParsableArguments {
    @Argument(help: ArgumentHelp("The skeleton's name.", valueName: "name NAME"))
    var naming: [String] = []

    var name: String? { try? Self.name(in: naming) }

    func validate() throws {
        do { _ = try Self.name(in: naming) } catch { throw ValidationError(error.message) }
    }

    /// What is wrong with the words behind the file.
    struct Fault: Error {
        let message: String
    }

    /// The name that these words give, nil for none. As in bpftool, `name` may be shortened.
    static func name(in words: [String]) throws(Fault) -> String? {
        if words.isEmpty { return nil }
        guard words.count == 2, !words[0].isEmpty, "name".hasPrefix(words[0]) else {
            throw Fault(message: "only 'name NAME' may follow the file")
        }
        let name = words[1]
        guard CIdentifier.isValid(name), name.utf8.count < 64 else {
            throw Fault(message: "name: '\(name)' is not a C identifier of at most 63 bytes")
        }
        return name
    }
}
