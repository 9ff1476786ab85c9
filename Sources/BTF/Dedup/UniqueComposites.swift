// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

/// Which of some names belong to exactly one struct or union each.
struct UniqueComposites: ~Copyable {
    private static let none: UInt32 = 0
    private static let several: UInt32 = .max
    /// By name: a place in `ids`.
    private var places = NumberTable()
    private var ids: [UInt32] = []

    /// - Parameters:
    ///   - names: offsets of the names that matter, few beside all composites there are.
    ///   - base: has its own already.
    init(of names: some Sequence<UInt32>, _ base: StoreBase) {
        for name in names where name != 0 && places.find(name) == nil {
            places.insert(name, UInt32(ids.count))
            switch base.composites(name) {
            case .one(let id): ids.append(id)
            case .several: ids.append(Self.several)
            case .none: ids.append(Self.none)
            }
        }
    }

    mutating func add(name: UInt32, id: UInt32) {
        guard let place = places.find(name) else { return }
        ids[Int(place)] = ids[Int(place)] == Self.none ? id : Self.several
    }

    /// The only composite with this name, nil if there is none or more than one.
    func find(_ name: UInt32) -> UInt32? {
        guard let place = places.find(name) else { return nil }
        let id = ids[Int(place)]
        return id == Self.none || id == Self.several ? nil : id
    }
}
