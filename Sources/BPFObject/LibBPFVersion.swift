// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// A version of libbpf, which decides what its loaders can do. Versions differ in the program
/// sections that they know (`ProgramKind`) and in the features below.
package struct LibBPFVersion: Sendable, Comparable, CustomStringConvertible {
    package let major: Int
    package let minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    package var description: String { "\(major).\(minor)" }

    package static func < (a: Self, b: Self) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

    /// Since when loaders fill in each load of a kernel symbol correctly: of variables that are
    /// loaded twice in one program, and of kfuncs' addresses.
    static let loadsSymbols = Self(1, 2)
    /// Since when loaders clear the place of a module's kfunc in their table of descriptors.
    static let clearsDescriptors = Self(1, 3)
    /// Since when it reads arenas, and `map_extra` of `__ulong`.
    static let arenas = Self(1, 4)
    /// Since when it reads objects of the other byte order, links them and writes loaders of them.
    static let foreignOrder = Self(1, 5)
    /// Since when it gives each CPU a copy of the variables in `.percpu`. Linux 7.2 has a version
    /// 1.8 that does not.
    package static let perCPUData = Self(1, 8)
}
