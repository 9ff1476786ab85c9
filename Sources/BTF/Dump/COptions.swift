// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a C dump writes around and besides the types.
package struct COptions: Sendable {
    package enum Order: Sendable {
        /// By id, as `bpftool btf dump file F format c unsorted`.
        case byID
        /// By kind and name, as `bpftool btf dump file F format c`: stays the same when ids move.
        case sorted
    }

    /// Order in which a whole file's types are asked for; what a type needs always comes before it.
    package var order = Order.sorted
    /// For split BTF without a selection: the base's types as well, as bpftool does. Else own types
    /// and what they need.
    package var includesBase = true
    /// Include guard, pragmas and kfunc prototypes around the types; nil: when nothing is selected.
    package var frame: Bool?

    package init(order: Order = .sorted, includesBase: Bool = true, frame: Bool? = nil) {
        self.order = order
        self.includesBase = includesBase
        self.frame = frame
    }
}
