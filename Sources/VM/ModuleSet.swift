// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import KernelTree

/// Modules in the order they have to be loaded in, with those of the kernel that they need.
///
/// Who needs whom comes from the modules themselves (`.modinfo`), not from modules.dep: a package that was only
/// unpacked has none, and modules built outside the tree are in none.
package struct ModuleSet: Sendable {
    package struct Entry: Sendable {
        package let info: ModuleInfo
        /// Asked for by the user, not by another module.
        package let isWanted: Bool
    }

    package let entries: [Entry]
    /// How many entries, from the first, are there for the drivers.
    package let driverCount: Int
    /// What modules should have beside them (softdep) and is not to be found under that name: `foo.ko: bar`.
    package let absent: [String]

    /// - Parameters:
    ///   - paths: the modules wanted, in order. They go before the kernel's own of the same name.
    ///   - drivers: names of modules that come before all others. One that is not there counts as built into the
    ///     kernel.
    ///   - folder: the kernel's, `/lib/modules/R`; nil when there is none.
    ///   - release: the kernel's; a module for another one is refused, as it would be there.
    package init(
        _ paths: [String], drivers: [String] = [], folder: String?, release: KernelRelease?,
        for architecture: Architecture
    ) throws(VMError) {
        var wanted: [ModuleInfo] = []
        var given: [String: ModuleInfo] = [:]
        for path in paths {
            let info = try ModuleInfo(path, for: architecture)
            guard given[info.name] == nil else {
                throw VMError("\(path): there is a module \(info.name) among the others already")
            }
            if let release, let own = info.release, own != release {
                throw VMError(
                    "\(path): built for \(own), not for the kernel \(release)",
                    hint: "name the kernel with --kernel \(own)")
            }
            wanted.append(info)
            given[info.name] = info
        }
        var order = ModuleOrder(given: given, folder: folder, architecture: architecture)
        for name in drivers {
            if let info = try order.find(name) { try order.add(info) }
        }
        driverCount = order.modules.count
        for info in wanted { try order.add(info) }
        entries = order.modules.map { Entry(info: $0, isWanted: given[$0.name] != nil) }
        absent = order.absent.map { "\($0.module): \($0.wish)" }
    }
}
