// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Names to show: one that several have is followed by the argument that each came from, in
/// parentheses.
///
/// - Parameter named: each with the argument. Of one argument, several may have one name still.
package func distinctNames(_ named: [(name: String, argument: String)]) -> [String] {
    var counts: [String: Int] = [:]
    for one in named { counts[one.name, default: 0] += 1 }
    return named.map { counts[$0.name]! > 1 ? "\($0.name) (\($0.argument))" : $0.name }
}
