// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

/// A parameter of a module, which the user sets when it is loaded: a constant of its programs, or
/// the size of a map.
package struct ModuleParameter: Sendable, Equatable {
    /// As on the command line.
    package let name: String
    let target: Target
    /// What it is without the user; nil for text.
    let initial: Int128?
    /// The values that are accepted; nil for text.
    let range: ClosedRange<Int128>?
    /// The bytes of the text it is without the user.
    let text: [UInt8]
    let kind: CScalar
    /// What else the kernel demands of a number of entries.
    let entries: EntriesCheck?

    enum Target: Sendable, Equatable {
        /// A member of the map's variables.
        case variable(map: String)
        /// How many entries the map has at most.
        case entries(map: String)
    }

    /// `NAME[=MAP][:MIN..MAX]`.
    package struct Wish: Sendable, Equatable {
        package var name: String
        package var map: String?
        package var range: ClosedRange<Int128>?

        /// - Throws: `ModuleError` if the text has another form.
        package init(_ text: String) throws(ModuleError) {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let names = parts[0].split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            name = String(names[0])
            map = names.count == 2 ? String(names[1]) : nil
            guard CIdentifier.isValid(name), name.utf8.count <= 64 else {
                throw ModuleError("--param \(text): '\(name)' is not a C identifier")
            }
            guard parts.count == 2 else { return }
            let limits = parts[1].split(separator: "..", omittingEmptySubsequences: false)
            guard limits.count == 2, let low = Int128(limits[0]), let high = Int128(limits[1]),
                low <= high
            else {
                throw ModuleError(
                    "--param \(text): '\(parts[1])' is not a range such as 1..100")
            }
            range = low...high
        }
    }
}

extension ModuleParameter {
    /// Whether it is for the same map. That each variable has one parameter, its name says.
    func sets(_ other: Target) -> Bool {
        if case .entries = other { target == other } else { false }
    }

    /// - Throws: `ModuleError` if the skeleton has nothing of that kind.
    init(_ wish: Wish, in skeleton: LightSkeleton) throws(ModuleError) {
        guard !LightSkeleton.macrosOfParameters.contains(wish.name) else {
            throw ModuleError(
                "--param \(wish.name): a macro that the kernel's definition of parameters uses",
                hint: wish.map == nil
                    ? "another name in the source" : "--param NAME=\(wish.map ?? "")")
        }
        self =
            if let map = wish.map { try Self.entries(wish, of: map, in: skeleton) } else {
                try Self.variable(wish, in: skeleton)
            }
    }

    init(
        _ name: String, _ target: Target, _ kind: CScalar, initial: Int128?,
        range: ClosedRange<Int128>?, text: [UInt8] = [], entries: EntriesCheck? = nil
    ) {
        self.name = name
        self.target = target
        self.kind = kind
        self.initial = initial
        self.range = range
        self.text = text
        self.entries = entries
    }

    static func narrowed(
        _ all: ClosedRange<Int128>, to wish: Wish, what: String
    ) throws(ModuleError) -> ClosedRange<Int128> {
        guard let range = wish.range else { return all }
        guard all.contains(range.lowerBound), all.contains(range.upperBound) else {
            throw ModuleError(
                "--param \(wish.name): \(range.lowerBound)..\(range.upperBound) goes beyond \(what), \(all.lowerBound)..\(all.upperBound)"
            )
        }
        return range
    }

    func checkInitial() throws(ModuleError) {
        guard let initial, let range, !range.contains(initial) else { return }
        throw ModuleError(
            "--param \(name): it is \(initial) in the object, outside of \(range.lowerBound)..\(range.upperBound)"
        )
    }
}
