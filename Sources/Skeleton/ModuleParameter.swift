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
    /// - Throws: `ModuleError` if the skeleton has nothing of that kind.
    init(_ wish: Wish, in skeleton: LightSkeleton) throws(ModuleError) {
        self =
            if let map = wish.map { try Self.entries(wish, of: map, in: skeleton) } else {
                try Self.variable(wish, in: skeleton)
            }
    }

    private static func entries(
        _ wish: Wish, of name: String, in skeleton: LightSkeleton
    ) throws(ModuleError) -> ModuleParameter {
        guard
            let map = skeleton.maps.first(where: {
                $0.identifier == name && !$0.values.isInternal
            })
        else {
            throw ModuleError("--param \(wish.name)=\(name): the object has no map with that name")
        }
        let parameter = ModuleParameter(
            wish.name, .entries(map: name), .number(bytes: 4, isSigned: false),
            initial: Int128(map.values.maxEntries),
            range: try narrowed(1...0xffff_ffff, to: wish, what: "a number of entries"), text: [])
        // A map without a size has to get one from the user.
        if map.values.maxEntries != 0 { try parameter.checkInitial() }
        return parameter
    }

    private init(
        _ name: String, _ target: Target, _ kind: CScalar, initial: Int128?,
        range: ClosedRange<Int128>?, text: [UInt8]
    ) {
        self.name = name
        self.target = target
        self.kind = kind
        self.initial = initial
        self.range = range
        self.text = text
    }

    private static func variable(
        _ wish: Wish, in skeleton: LightSkeleton
    ) throws(ModuleError) -> ModuleParameter {
        let option = "--param \(wish.name)"
        var found: (map: LightSkeleton.Map, variable: LightSkeleton.Variable)?
        for map in skeleton.maps {
            for variable in map.contents?.variables ?? [] where variable.name == wish.name {
                if found == nil || map.contents?.isReadOnly == true { found = (map, variable) }
            }
        }
        guard let (map, variable) = found, let contents = map.contents else {
            throw ModuleError(
                "\(option): the object has no variable with that name",
                hint: "const volatile in the source; for the size of a map: --param NAME=MAP")
        }
        guard contents.isReadOnly, map.identifier != "kconfig" else {
            throw ModuleError(
                "\(option): not a constant, so the programs may change it",
                hint: "const volatile in the source")
        }
        guard let kind = variable.scalar,
            Int(variable.offset) + Int(variable.size) <= contents.bytes.count
        else {
            throw ModuleError("\(option): neither a number, nor a bool, nor an array of characters")
        }
        let start = Int(variable.offset)
        let bytes = Array(contents.bytes[start..<start + Int(variable.size)])
        if case .text = kind {
            guard wish.range == nil else { throw ModuleError("\(option): text has no range") }
            let text = Array(bytes.prefix { $0 != 0 })
            guard text.count < bytes.count else {
                throw ModuleError("\(option): the array has no room for a NUL")
            }
            return ModuleParameter(
                wish.name, .variable(map: map.identifier), kind, initial: nil, range: nil,
                text: text)
        }
        let parameter = ModuleParameter(
            wish.name, .variable(map: map.identifier), kind,
            initial: value(of: bytes, kind, skeleton.byteOrder),
            range: try narrowed(kind.range ?? 0...0, to: wish, what: "a value of its type"),
            text: [])
        try parameter.checkInitial()
        return parameter
    }

    private static func narrowed(
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

    private func checkInitial() throws(ModuleError) {
        guard let initial, let range, !range.contains(initial) else { return }
        throw ModuleError(
            "--param \(name): it is \(initial) in the object, outside of \(range.lowerBound)..\(range.upperBound)"
        )
    }

    private static func value(
        of bytes: [UInt8], _ kind: CScalar, _ order: LightSkeleton.ByteOrder
    ) -> Int128 {
        let ordered = order == .big ? bytes : bytes.reversed()
        let raw = ordered.reduce(Int128(0)) { $0 << 8 | Int128($1) }
        if case .bool = kind { return raw == 0 ? 0 : 1 }
        guard let range = kind.range, !range.contains(raw) else { return raw }
        return raw - Int128(1) << (bytes.count * 8)
    }
}
