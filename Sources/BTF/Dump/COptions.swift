// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What a C dump contains besides the types.
package struct COptions: Sendable {
    package enum Order: Sendable {
        /// By id, like `bpftool btf dump file F format c unsorted`.
        case byID
        /// By kind and name, like `bpftool btf dump file F format c`: stable when ids change.
        case sorted
    }

    /// Order in which a whole file's types are requested; the types that a type needs always
    /// precede it.
    package var order = Order.sorted
    /// For split BTF without a selection: also the base's types, like bpftool. Otherwise own types
    /// and those they need.
    package var includesBase = true
    /// Include guard, pragmas and kfunc prototypes around the types; nil: unless types are
    /// selected.
    package var frame: Bool?
    /// The text of bpftool, byte for byte, also where a compiler makes another layout of it than
    /// the BTF has. Selected types have the frame around them, too, without the prototypes.
    package var isLikeBpftool = false

    package init(
        order: Order = .sorted, includesBase: Bool = true, frame: Bool? = nil,
        isLikeBpftool: Bool = false
    ) {
        self.order = order
        self.includesBase = includesBase
        self.frame = frame
        self.isLikeBpftool = isLikeBpftool
    }
}
