// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Console

/// The program `kbtf`, from its command line to its exit status.
package enum Program {
    /// - Parameter arguments: the program's name as called, which may be that of a kernel build's
    ///   program, and its arguments.
    /// - Returns: the exit status.
    package static func run(_ arguments: [String], in surroundings: Surroundings) -> Int32 {
        let words = arguments.dropFirst()
        if let role = arguments.first.flatMap({ Role(program: $0) }) {
            return role.run(words, in: surroundings)
        }
        do {
            try Kbtf.run(words, in: surroundings)
            return 0
        } catch { return Kbtf.report(error, words, in: surroundings) }
    }
}
