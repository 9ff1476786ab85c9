// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// `--param NAME`: a constant of the programs.

extension ModuleParameter {
    static func variable(
        _ wish: Wish, in skeleton: LightSkeleton
    ) throws(ModuleError) -> ModuleParameter {
        let option = "--param \(wish.name)"
        let (map, variable) = try constant(wish.name, in: skeleton)
        guard !variable.isFolded else {
            throw ModuleError(
                "\(option): const without volatile, so the programs were compiled with its value",
                hint: "const volatile in the source")
        }
        let bytes = try bytes(of: variable, in: map)
        guard let kind = variable.scalar else {
            throw ModuleError("\(option): neither a number, nor a bool, nor an array of characters")
        }
        let target = Target.variable(map: map.identifier)
        if case .text = kind {
            guard wish.range == nil else { throw ModuleError("\(option): text has no range") }
            return ModuleParameter(
                wish.name, target, kind, initial: nil, range: nil,
                text: try text(in: bytes, option))
        }
        let parameter = ModuleParameter(
            wish.name, target, kind, initial: value(of: bytes, kind, skeleton.byteOrder),
            range: try narrowed(kind.range ?? 0...0, to: wish, what: "a value of its type"))
        try parameter.checkInitial()
        return parameter
    }

    // MARK: Its value in the object

    private static func bytes(
        of variable: LightSkeleton.Variable, in map: LightSkeleton.Map
    ) throws(ModuleError) -> [UInt8] {
        let start = Int(variable.offset)
        guard let bytes = map.contents?.bytes, start + Int(variable.size) <= bytes.count else {
            throw ModuleError(
                "--param \(variable.name): it reaches beyond its section, \(map.identifier)")
        }
        return Array(bytes[start..<start + Int(variable.size)])
    }

    /// The bytes before the NUL. The kernel copies text as far as its NUL only, so an array with
    /// anything behind it would lose that.
    private static func text(in bytes: [UInt8], _ option: String) throws(ModuleError) -> [UInt8] {
        guard bytes.count > 1 else {
            throw ModuleError("\(option): an array of one character has no room for text and a NUL")
        }
        guard bytes.count <= 1024 else {
            throw ModuleError(
                "\(option): an array of \(bytes.count) characters, a parameter has at most 1024")
        }
        let text = Array(bytes.prefix { $0 != 0 })
        guard text.count < bytes.count else {
            throw ModuleError("\(option): the array has no room for a NUL")
        }
        guard bytes[text.count...].allSatisfy({ $0 == 0 }) else {
            throw ModuleError(
                "\(option): not text, its initial value has more bytes behind the first NUL")
        }
        return text
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

    // MARK: Which one it is

    private static func constant(
        _ name: String, in skeleton: LightSkeleton
    ) throws(ModuleError) -> (map: LightSkeleton.Map, variable: LightSkeleton.Variable) {
        var found: [(map: LightSkeleton.Map, variable: LightSkeleton.Variable)] = []
        for map in skeleton.maps {
            for variable in map.contents?.variables ?? [] where variable.name == name {
                found.append((map, variable))
            }
        }
        guard !found.isEmpty else { throw absence(of: name, in: skeleton) }
        guard !found.contains(where: { $0.map.identifier == "kconfig" }) else {
            throw configured(name)
        }
        let constants = found.filter { $0.map.contents?.isReadOnly == true }
        guard let first = constants.first else {
            throw ModuleError(
                "--param \(name): not a constant, so the programs may change it",
                hint: "const volatile in the source")
        }
        guard constants.count == 1 else {
            let sections = constants.map(\.map.identifier).joined(separator: ", ")
            throw ModuleError(
                "--param \(name): \(constants.count) constants have that name, in \(sections)",
                hint: "another name for one of them in the source")
        }
        return first
    }

    private static func configured(_ name: String) -> ModuleError {
        ModuleError(
            "--param \(name): extern, its value is that of the kernel's configuration",
            hint: "--kconfig FILE sets it when the module is generated")
    }

    /// Why the struct of no section has it.
    private static func absence(of name: String, in skeleton: LightSkeleton) -> ModuleError {
        let option = "--param \(name)"
        let others = skeleton.declared.filter { $0.name == name }
        let functions = others.compactMap(\.function)
        if !functions.isEmpty {
            return ModuleError(
                "\(option): static in the function\(functions.count > 1 ? "s" : "") "
                    + functions.joined(separator: ", ") + ", and has no name outside of it",
                hint: "const volatile outside of functions in the source")
        }
        guard let other = others.first else {
            return ModuleError(
                "\(option): the object has no variable with that name",
                hint: "const volatile in the source; for the size of a map: --param NAME=MAP")
        }
        if other.section == ".maps" {
            return ModuleError(
                "\(option): a map, not a constant", hint: "--param NAME=\(name) for its size")
        }
        if other.isExtern {
            return other.section == ".kconfig"
                ? configured(name)
                : ModuleError("\(option): extern, a symbol of the kernel")
        }
        guard other.isStatic else {
            return ModuleError("\(option): in section \(other.section), which is not one of data")
        }
        let hint = "const volatile without static in the source"
        if others.count > 1 {
            return ModuleError(
                "\(option): \(others.count) static variables have that name", hint: hint)
        }
        let reason =
            name.hasPrefix("__")
            ? "whose name starts with __"
            : "in section \(other.section) without a global one, which a module cannot write to"
        return ModuleError("\(option): a static variable \(reason)", hint: hint)
    }
}
