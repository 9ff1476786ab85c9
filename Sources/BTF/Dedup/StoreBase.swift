// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// The base of a store. Lookup data is kept here rather than reached through the index that all
/// threads share, so that lookups do not touch its reference count.
struct StoreBase: Sendable {
    /// nil: there is none.
    let index: BaseIndex?
    let types: FrozenChains
    let words: Frozen<UInt32>
    let starts: Frozen<UInt32>
    /// Id of the first own type.
    let firstID: UInt32
    /// Typedefs are settled with the structs, as libbpf does since 1.7, the time of bases with
    /// nested arrays. If a forward declaration of the base prevents a match, the first type that
    /// leads to it is kept: it matters whether a typedef can be that type.
    let settlesTypedefsByGraph: Bool
    /// A FWD with the name of only one struct or union is merged with that.
    let resolvesForwards: Bool
    /// How it has signed and wide enums, see CutEnums.swift.
    let enums: EnumForm

    init(_ index: BaseIndex?) {
        self.index = index
        types = index?.types ?? .empty
        words = index?.words ?? Frozen([])
        starts = index?.starts ?? Frozen([0])
        firstID = index?.typeCount ?? 1
        settlesTypedefsByGraph = index?.nestsArrays ?? true
        resolvesForwards = index?.resolvesForwards ?? true
        enums = index?.evidence.enums ?? EnumForm()
    }

    func composites(_ name: UInt32) -> NamedComposites {
        guard let index else { return .none }
        return NamedComposites(name, in: index.named) {
            TypeInfo(rawValue: words[Int(starts[Int($0)]) + 1])
        }
    }
}
