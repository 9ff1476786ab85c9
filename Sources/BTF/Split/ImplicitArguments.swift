// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// BTF in which kernel functions do not show the arguments that the verifier supplies.
package struct HiddenArguments: Sendable {
    package let btf: BTF
    /// The functions that were changed.
    package let functions: [String]
}

extension BTF {
    /// Hides the arguments of kernel functions that the verifier supplies instead of the BPF
    /// program (kfuncs with `KF_IMPLICIT_ARGS`, since Linux 7.0):
    ///
    ///     kfunc  f(int n, struct bpf_prog_aux *aux)
    ///     ->  f_impl(int n, struct bpf_prog_aux *aux)    other tags of f, but not bpf_kfunc
    ///         kfunc f(int n)
    ///
    /// The first argument that is a pointer to a struct `bpf_prog_aux` or `btf_struct_meta` and
    /// everything after it are hidden. If the source has its own `f_impl`, none is added. New types
    /// follow the others.
    ///
    /// - Parameters:
    ///   - names: functions with that flag; those among them that are own types are changed. A
    ///     function that was already changed has no such argument any more and stays.
    ///   - evenUntagged: also change functions that are not tagged `bpf_kfunc`. The kernel's tool
    ///     does not.
    ///   - implementationsInBase: an `f_impl` in the base counts as the source's own. From 7.3 on
    ///     it does not.
    /// - Throws: `BTFError` if such a function has no prototype, or its name is too long for the
    ///   suffix.
    package func hidingImplicitArguments(
        of names: Set<String>, evenUntagged: Bool = false, implementationsInBase: Bool = true
    ) throws(BTFError) -> HiddenArguments {
        guard !names.isEmpty else { return HiddenArguments(btf: self, functions: []) }
        var types = OwnTypes(self)
        var changed: [String] = []
        var seen: Set<TypeID> = []
        let tags = ownIDs.filter { kind(of: $0) == .declTag }
        let known = functions(
            named: Set(names.map { ($0 + Self.suffix).systemBytes[...] }),
            inBase: implementationsInBase)
        let byFunction = Dictionary(grouping: tags) { self.record(TypeID($0))!.type }
        for id in (evenUntagged ? functions(among: names) : taggedFunctions(tags, names))
        where seen.insert(id).inserted {
            guard let function = record(id) else { continue }
            if try hide(function, byFunction[id] ?? [], known, &types) {
                changed.append(function.name)
            }
        }
        guard !changed.isEmpty else { return HiddenArguments(btf: self, functions: []) }
        return HiddenArguments(btf: types.finish(), functions: changed)
    }

    /// A kernel function whose implicit arguments are not hidden: verifiers from 7.0 on do not let
    /// programs call it.
    package struct FunctionLeftWhole: Sendable {
        let id: UInt32
        package let name: String
        /// There is a `NAME_impl`, but NAME still shows all arguments.
        let hasImplementation: Bool
    }

    /// - Parameter names: functions with `KF_IMPLICIT_ARGS`.
    package func functionsLeftWhole(among names: Set<String>) -> [FunctionLeftWhole] {
        guard !names.isEmpty else { return [] }
        let known = functions(named: Set(names.map { ($0 + Self.suffix).systemBytes[...] }))
        return functions(among: names).compactMap { id in
            guard let function = record(id) else { return nil }
            let isKnown = known.contains((function.name + Self.suffix).systemBytes[...])
            let prototype = record(function.type)
            let shows =
                prototype.map { prototype in
                    prototype.kind == .funcProto
                        && (0..<prototype.count).contains { isImplicit(prototype, $0) }
                } ?? false
            guard shows || !isKnown else { return nil }
            return FunctionLeftWhole(
                id: id.rawValue, name: function.name, hasImplementation: isKnown)
        }
    }

    /// Own functions with these names, in order.
    private func functions(among names: Set<String>) -> [TypeID] {
        ownIDs.compactMap { id in
            guard kind(of: id) == .func, let record = record(TypeID(id)),
                isOne(of: names, record.nameOffset)
            else { return nil }
            return TypeID(id)
        }
    }

    /// Own functions with these names that are tagged as kernel functions, in order of tags.
    private func taggedFunctions(_ tags: [UInt32], _ names: Set<String>) -> [TypeID] {
        tags.compactMap { tag in
            guard let record = record(TypeID(tag)), !record.flag,
                hasString("bpf_kfunc", at: record.nameOffset), record.fixed(0) == .max,
                let function = self.record(record.type), function.kind == .func,
                function.id.rawValue >= firstID, isOne(of: names, function.nameOffset)
            else { return nil }
            return function.id
        }
    }

    private func isOne(of names: Set<String>, _ offset: UInt32) -> Bool {
        guard let name = stringBytes(at: offset, atMost: Self.longestName) else { return false }
        return names.contains(String(systemBytes: name))
    }

    private static let suffix = "_impl"
    /// KSYM_NAME_LEN minus the NUL.
    private static let longestName = 511

    private func kind(of id: UInt32) -> Kind? {
        TypeInfo(rawValue: words[Int(starts[Int(id - firstID)]) + 1]).kind
    }

    /// - Returns: false if there is nothing to hide.
    private func hide(
        _ function: Record, _ tags: [UInt32], _ known: Set<ArraySlice<UInt8>>,
        _ types: inout OwnTypes
    ) throws(BTFError) -> Bool {
        guard let prototype = record(function.type), prototype.kind == .funcProto else {
            throw BTFError(notPrototypeOf: function)
        }
        let name = (function.name + Self.suffix).systemBytes
        guard name.count <= Self.longestName else {
            throw BTFError(
                offset: header.length + header.typeOffset + function.start * 4,
                "function \(function.name): its name is too long to append _impl")
        }
        let shown = (0..<prototype.count).first { isImplicit(prototype, $0) }
        let isNew = !known.contains(name[...])
        if isNew {
            let whole = try types.add([
                types.add(name), function.info.rawValue, function.type.rawValue,
            ])
            for tag in tags {
                guard let record = record(TypeID(tag)),
                    !hasString("bpf_kfunc", at: record.nameOffset)
                else { continue }
                _ = try types.add([
                    record.nameOffset, record.info.rawValue, whole, record.fixed(0),
                ])
            }
        }
        if let shown {
            let parameters = prototype.words.dropFirst(3).prefix(2 * shown)
            types[function.id.rawValue, 2] = try types.add(
                [0, TypeInfo(.funcProto, vlen: shown).rawValue, prototype.type.rawValue]
                    + parameters)
        }
        return isNew || shown != nil
    }

    /// The functions among `names`, all of which end in `suffix`.
    private func functions(
        named names: Set<ArraySlice<UInt8>>, inBase: Bool = true
    ) -> Set<ArraySlice<UInt8>> {
        var found: Set<ArraySlice<UInt8>> = []
        var part: BTF? = self
        while let btf = part {
            for start in btf.starts.lazy.map({ Int($0) })
            where TypeInfo(rawValue: btf.words[start + 1]).kind == .func {
                let name = btf.stringBytes(at: btf.words[start], atMost: Self.longestName)
                if let name, name.last == UInt8(ascii: "l"), names.contains(name) {
                    found.insert(name)
                }
            }
            part = inBase ? btf.base : nil
        }
        return found
    }

    private func isImplicit(_ prototype: Record, _ index: Int) -> Bool {
        guard let pointer = withoutModifiers(TypeID(prototype.element(index, 1))),
            pointer.kind == .ptr, let target = withoutModifiers(pointer.type),
            target.kind == .struct
        else { return false }
        return hasString("bpf_prog_aux", at: target.nameOffset)
            || hasString("btf_struct_meta", at: target.nameOffset)
    }
}
