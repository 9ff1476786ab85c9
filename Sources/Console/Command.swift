// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ArgumentParser

/// A command line that does its work in the surroundings it is given.
package protocol Command: ParsableCommand {
    func run(in surroundings: Surroundings) throws
}
