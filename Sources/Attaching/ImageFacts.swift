// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What is known of a kernel or a module besides its BTF.
package struct ImageFacts: Sendable {
    /// nil if they are not known.
    package var symbols: SymbolAddresses?
    /// The code that stays after boot (`_stext` to `_etext`), or that a module keeps.
    package var text: [Range<UInt64>] = []
    /// Addresses of calls of ftrace in that code, sorted; nil if they are not known.
    package var fentries: [UInt64]?
    /// Functions without such a call whose first instruction the kernel may turn into one that
    /// does nothing, which can be replaced as well.
    package var patched: Set<UInt64> = []
    package var errorInjection = ErrorInjection.unknown
    /// Sets in `.BTF_ids` by name: ids, with flags in sets that have them.
    package var sets: [String: [UInt32: UInt32]] = [:]

    package enum ErrorInjection: Sendable {
        case unknown
        /// The kernel is built without.
        case off
        /// Addresses of the functions that permit it.
        case list(Set<UInt64>)
    }

    package init() {}

    /// Whether ftrace can call a trampoline at the start of the function at `address`; nil if it is
    /// not known. ftrace looks for its call anywhere up to the next symbol.
    func isTraceable(_ address: UInt64) -> Bool? {
        guard let fentries, let symbols else { return nil }
        let end = symbols.end(of: address)
        var low = 0
        var high = fentries.count
        while low < high {
            let middle = (low + high) / 2
            if fentries[middle] < address { low = middle + 1 } else { high = middle }
        }
        return low < fentries.count && fentries[low] < end
    }

    func isText(_ address: UInt64) -> Bool { text.contains { $0.contains(address) } }
}

/// Where the symbols of a kernel or module are.
package struct SymbolAddresses: Sendable {
    package struct Place: Sendable, Equatable {
        /// The address that the kernel finds for the name.
        package fileprivate(set) var address: UInt64
        /// Functions with this name.
        package fileprivate(set) var functions: Int
        package fileprivate(set) var isFunction: Bool
        /// Symbols with this name have several addresses.
        package fileprivate(set) var isAmbiguous = false
    }

    private var places: [String: Place] = [:]
    /// Sorted.
    private let addresses: [UInt64]

    package struct Symbol: Sendable {
        package let name: String
        package let address: UInt64
        package let isFunction: Bool

        package init(_ name: String, _ address: UInt64, isFunction: Bool) {
            self.name = name
            self.address = address
            self.isFunction = isFunction
        }
    }

    /// - Parameter firstCounts: of several symbols with one name, the first counts, as in modules;
    ///   in a kernel, that with the lowest address.
    package init(_ symbols: [Symbol], firstCounts: Bool) {
        places.reserveCapacity(symbols.count)
        for symbol in symbols {
            let functions = symbol.isFunction ? 1 : 0
            guard var place = places[symbol.name] else {
                places[symbol.name] = Place(
                    address: symbol.address, functions: functions, isFunction: symbol.isFunction)
                continue
            }
            place.functions += functions
            if symbol.address != place.address { place.isAmbiguous = true }
            if !firstCounts, symbol.address < place.address {
                place.address = symbol.address
                place.isFunction = symbol.isFunction
            }
            places[symbol.name] = place
        }
        addresses = symbols.map(\.address).sorted()
    }

    package subscript(name: String) -> Place? { places[name] }

    /// Names of all functions.
    package var functionNames: some Sequence<String> {
        places.lazy.filter { $0.value.functions > 0 }.map(\.key)
    }

    /// The next symbol's address.
    func end(of address: UInt64) -> UInt64 {
        var low = 0
        var high = addresses.count
        while low < high {
            let middle = (low + high) / 2
            if addresses[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low < addresses.count ? addresses[low] : .max
    }
}
