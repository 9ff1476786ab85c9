// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BTF
import Console

/// Types that a module and a base define differently under the same name, which moving the BTF does
/// not solve.
struct DifferingTypes {
    /// Types that differ themselves, and how.
    private(set) var themselves: [String] = []
    /// Types that differ only in types they refer to.
    private(set) var below: [String] = []
    /// How `struct module` differs.
    private(set) var module: String?

    /// How a module's `struct module` differs itself from that of its base; nil if at most types
    /// below it do.
    ///
    /// - Parameters:
    ///   - btf: deduplicated against its base.
    ///   - index: of its base.
    static func moduleItself(_ btf: BTF, in index: BaseIndex) -> String? {
        btf.namesakes(in: index).first { isModule($0) }.flatMap { btf.ownDifference(of: $0) }
    }

    private static func isModule(_ type: BTF.Namesake) -> Bool {
        type.kind == .struct && type.name == "module"
    }

    /// - Parameters:
    ///   - btf: deduplicated against its base.
    ///   - index: of its base.
    init(_ btf: BTF, in index: BaseIndex) {
        for type in btf.namesakes(in: index) {
            let difference = btf.ownDifference(of: type)
            if let difference {
                themselves.append("\(type.title) (\(difference))")
            } else {
                below.append(type.title)
            }
            if Self.isModule(type) { module = difference ?? "in types below it" }
        }
    }

    /// - Parameter listsAll: list all of them.
    func messages(_ path: String, base: String, listsAll: Bool) -> [Talk.Message] {
        var messages: [Talk.Message] = []
        if !themselves.isEmpty {
            messages.append(
                .note(
                    "\(path): \(count(themselves)) from those of \(base): "
                        + list(themselves, listsAll)))
        }
        if !below.isEmpty {
            messages.append(
                .note(
                    "\(path): \(count(below)) from those of \(base) only in types below them: "
                        + list(below, listsAll)))
        }
        return messages
    }

    /// Why the kernel will refuse the module, whatever its BTF.
    func refusal(_ path: String, base: String) -> String? {
        module.map {
            "\(path): its struct module differs from that of \(base) (\($0)): the kernel will refuse the module, "
                + "whose code was built for another kernel"
        }
    }

    private func count(_ types: [String]) -> String {
        types.count == 1 ? "1 of its types differs" : "\(types.count) of its types differ"
    }

    private func list(_ types: [String], _ all: Bool) -> String {
        let shown = all ? types.count : 8
        return types.prefix(shown).joined(separator: ", ")
            + (types.count > shown ? " and \(types.count - shown) more (-v lists them)" : "")
    }
}
