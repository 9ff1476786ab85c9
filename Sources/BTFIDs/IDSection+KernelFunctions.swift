// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
internal import Bytes

extension IDSection {
    /// What the sets of kernel functions list, those with the flag `BTF_SET8_KFUNCS`: sets in the
    /// order in which the kernel's tool walks them, their names descending.
    package struct ListedFunctions: Sendable {
        package struct Listing: Sendable {
            package let name: String
            /// nil if they are unknown, in a set that was already filled in.
            package let flags: UInt32?
            /// An index in `sets`.
            package let set: Int
        }

        /// An entry of a set without a symbol.
        package struct Nameless: Sendable {
            package let set: Int
            /// Its number in the set, from 0.
            package let number: Int
        }

        /// A function that two sets list with different flags.
        package struct Conflict: Sendable, Equatable, CustomStringConvertible {
            package let name: String
            package let first: UInt32
            package let other: UInt32

            package var description: String {
                "kfunc \(name) has inconsistent flags across BTF ID sets: "
                    + "0x\(String(first, radix: 16)) != 0x\(String(other, radix: 16))"
            }
        }

        package fileprivate(set) var listings: [Listing] = []
        package fileprivate(set) var nameless: [Nameless] = []

        /// Nothing is listed.
        package init() {}

        /// Each function once, with the flags of its first listing that has any.
        package var functions: [KernelFunction] {
            var places: [String: Int] = [:]
            var functions: [KernelFunction] = []
            var isKnown: [Bool] = []
            for listing in listings {
                let function = KernelFunction(
                    listing.name, KernelFunctionFlags(rawValue: listing.flags ?? 0))
                if let place = places[listing.name] {
                    guard !isKnown[place], listing.flags != nil else { continue }
                    functions[place] = function
                    isKnown[place] = true
                } else {
                    places[listing.name] = functions.count
                    functions.append(function)
                    isKnown.append(listing.flags != nil)
                }
            }
            return functions
        }

        /// Functions that are listed with different flags, each once.
        package var conflicts: [Conflict] {
            var first: [String: UInt32] = [:]
            var seen: Swift.Set<String> = []
            return listings.compactMap { listing in
                guard let flags = listing.flags else { return nil }
                guard let known = first[listing.name] else {
                    first[listing.name] = flags
                    return nil
                }
                guard known != flags, seen.insert(listing.name).inserted else { return nil }
                return Conflict(name: listing.name, first: known, other: flags)
            }
        }
    }

    /// - Parameters:
    ///   - old: the BTF of ids that were already filled in; nil if it is not available.
    ///   - split: the same, if its base is not available or was replaced.
    package func listedFunctions(
        old: BTF?, withoutBase split: SplitWithoutBase? = nil
    ) -> ListedFunctions {
        var listed = ListedFunctions()
        let order = sets.indices.filter {
            flags(of: sets[$0]) & KernelFunctionFlags.ofSet != 0
        }.sorted {
            sets[$1].name.systemBytes.lexicographicallyPrecedes(sets[$0].name.systemBytes)
        }
        for number in order {
            let flags = flags(ofSet: number, old: old, withoutBase: split)
            let byPlace = Dictionary(
                zip(members[number], flags).map { (entries[$0].place, (entries[$0].name, $1)) },
                uniquingKeysWith: { first, _ in first })
            for (index, place) in sets[number].places.enumerated() {
                if let (name, flags) = byPlace[place] {
                    listed.listings.append(.init(name: name, flags: flags, set: number))
                } else {
                    listed.nameless.append(.init(set: number, number: index))
                }
            }
        }
        return listed
    }
}
