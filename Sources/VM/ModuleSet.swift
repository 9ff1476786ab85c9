// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import KernelTree

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
    ///   - wanted: the requested modules, in order. They take precedence over the kernel's with the
    ///     same name.
    ///   - drivers: names of modules that precede all others. A missing one is assumed to be built
    ///     into the kernel.
    ///   - folder: the kernel's, `/lib/modules/R`; nil if there is none.
    /// - Throws: if two have the same name, or a dependency is missing.
    package init(
        _ wanted: [ModuleInfo], drivers: [String] = [], folder: String?,
        for architecture: Architecture
    ) throws(VMError) {
        var given: [String: ModuleInfo] = [:]
        for info in wanted {
            guard given[info.name] == nil else {
                throw VMError("\(info.path): module \(info.name) was already given")
            }
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

    /// Refuses modules that a kernel would not link.
    ///
    /// - Parameters:
    ///   - release: the kernel's; its own modules need no closer look.
    ///   - rules: called if there are others.
    static func check(
        _ modules: [ModuleInfo], for release: KernelRelease?, rules: () -> ModuleRules
    ) throws(VMError) {
        guard let release else { return }
        let others = modules.filter { $0.release != nil && $0.release != release }
        guard !others.isEmpty else { return }
        let rules = rules()
        for module in others {
            guard let own = module.release, let refusal = module.refusal(by: rules) else {
                continue
            }
            throw VMError(
                "\(module.path): built for \(own), not for the kernel \(release): \(refusal)",
                hint: "select the kernel with --kernel \(own)")
        }
    }
}
