// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import KernelTree

/// Modules in load order, including the kernel's modules that they depend on.
///
/// Dependencies come from the modules themselves (`.modinfo`), not from modules.dep: an unpacked
/// package does not have that file, and it does not list out-of-tree modules.
package struct ModuleSet: Sendable {
    package struct Entry: Sendable {
        package let info: ModuleInfo
        /// Requested by the user, not by another module.
        package let isWanted: Bool
    }

    package let entries: [Entry]
    /// The number of leading entries that are drivers.
    package let driverCount: Int
    /// Soft dependencies that were not found under that name: `foo.ko: bar`.
    package let absent: [String]

    /// - Parameters:
    ///   - paths: the requested modules, in order. They take precedence over the kernel's with the
    ///     same name.
    ///   - drivers: names of modules that precede all others. A missing one is assumed to be built
    ///     into the kernel.
    ///   - folder: the kernel's, `/lib/modules/R`; nil if there is none.
    ///   - release: the kernel's; a module for another one is refused, as the kernel would.
    package init(
        _ paths: [String], drivers: [String] = [], folder: String?, release: KernelRelease?,
        for architecture: Architecture
    ) throws(VMError) {
        var wanted: [ModuleInfo] = []
        var given: [String: ModuleInfo] = [:]
        for path in paths {
            let info = try ModuleInfo(path, for: architecture)
            guard given[info.name] == nil else {
                throw VMError("\(path): module \(info.name) was already given")
            }
            if let release, let own = info.release, own != release {
                throw VMError(
                    "\(path): built for \(own), not for the kernel \(release)",
                    hint: "select the kernel with --kernel \(own)")
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
