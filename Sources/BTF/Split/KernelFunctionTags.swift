// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// BTF in which kernel functions are described.
package struct DescribedFunctions: Sendable {
    package let btf: BTF
    /// Functions whose implicit arguments were hidden.
    package let hidden: [String]
    /// Tags or attributes were added: types may be repeated.
    package let isTagged: Bool
}

extension BTF {
    /// Describes kernel functions as resolve_btfids does from Linux 7.3 on, and pahole for earlier
    /// kernels:
    ///
    ///     DECL_TAG bpf_kfunc       for each function
    ///     DECL_TAG bpf_fastcall    with `fastCall`
    ///     f, f_impl                with `implicitArguments`, see `hidingImplicitArguments`
    ///     PTR -> TYPE_TAG address_space(1) -> ...    for pointers into an arena: those named by
    ///                                                flags or by the suffix of a parameter
    ///
    /// What is already there stays and is not repeated. New types follow the others; some may be
    /// equal to each other or to existing ones (`deduplicated`).
    ///
    /// - Parameter functions: own functions; of several with the same name the first one counts.
    ///   Names without an own function are skipped.
    /// - Throws: `BTFError` if a function has no prototype, if what its flags or a suffix call an
    ///   arena pointer is not a pointer, and for names that are too long.
    package func describing(_ functions: [KernelFunction]) throws(BTFError) -> DescribedFunctions {
        let flags = Dictionary(
            functions.map { ($0.name, $0.flags) }, uniquingKeysWith: { first, _ in first })
        let found = firstFunctions(named: Set(flags.keys))
        guard !found.isEmpty else {
            return DescribedFunctions(btf: self, hidden: [], isTagged: false)
        }
        let listed = found.map { (id: $0.id, flags: flags[$0.name]!) }
        let tagged = try tagging(listed)
        let hidden = try tagged.hidingImplicitArguments(
            of: Set(found.lazy.map(\.name).filter { flags[$0]!.contains(.implicitArguments) }),
            implementationsInBase: false)
        let marked = try hidden.btf.markingArenas(of: listed)
        return DescribedFunctions(
            btf: marked, hidden: hidden.functions,
            isTagged: tagged !== self || marked !== hidden.btf)
    }

    /// A kernel function that lacks parts of its description.
    package struct Undescribed: Sendable {
        let id: UInt32
        package let name: String
        /// `the tag bpf_kfunc`, ...
        package let missing: [String]
    }

    /// The functions that `describing` would change, apart from implicit arguments.
    package func undescribed(_ functions: [KernelFunction]) -> [Undescribed] {
        let flags = Dictionary(
            functions.map { ($0.name, $0.flags) }, uniquingKeysWith: { first, _ in first })
        let found = firstFunctions(named: Set(flags.keys))
        let tags = declarationTags(on: Set(found.map(\.id)))
        return found.compactMap { id, name in
            let flags = flags[name]!
            var missing = flags.tags.filter { !self.has($0, tags[id] ?? []) }.map {
                "the tag \($0)"
            }
            if !hasArenas(of: id, flags) { missing.append("an arena attribute") }
            return missing.isEmpty ? nil : Undescribed(id: id, name: name, missing: missing)
        }
    }

    /// The function's arena pointers are marked, as far as they are pointers.
    private func hasArenas(of id: UInt32, _ flags: KernelFunctionFlags) -> Bool {
        var arenas = ArenaPointers(self)
        guard (try? arenas.mark(id, flags)) != nil else { return true }
        return arenas.finish() === self
    }

    /// Names among these with an own function that is tagged `bpf_kfunc`.
    package func taggedKernelFunctions(among names: Set<String>) -> Set<String> {
        let functions = firstFunctions(named: names)
        let tags = declarationTags(on: Set(functions.map(\.id)))
        return Set(
            functions.lazy.filter { self.has("bpf_kfunc", tags[$0.id] ?? []) }.map(\.name))
    }

    /// Names among these with an own function.
    package func ownFunctions(among names: Set<String>) -> Set<String> {
        Set(firstFunctions(named: names).lazy.map(\.name))
    }

    /// The first own function with each of these names, in order.
    package func firstFunctions(named names: Set<String>) -> [(id: UInt32, name: String)] {
        guard !names.isEmpty else { return [] }
        var wanted: Set<ArraySlice<UInt8>> = []
        var longest = 0
        for name in names {
            let bytes = name.systemBytes
            longest = max(longest, bytes.count)
            wanted.insert(bytes[...])
        }
        var found: [(id: UInt32, name: String)] = []
        for (number, start) in starts.enumerated() {
            let start = Int(start)
            guard TypeInfo(rawValue: words[start + 1]).kind == .func,
                let name = stringBytes(at: words[start], atMost: longest),
                wanted.remove(name) != nil
            else { continue }
            found.append((firstID + UInt32(number), String(systemBytes: name)))
        }
        return found
    }

    /// The own DECL_TAGs of functions as a whole, by function.
    private func declarationTags(on functions: Set<UInt32>) -> [UInt32: [Record]] {
        var tags: [UInt32: [Record]] = [:]
        for (number, start) in starts.enumerated() {
            let start = Int(start)
            let info = TypeInfo(rawValue: words[start + 1])
            guard info.kind == .declTag, !info.flag, functions.contains(words[start + 2]),
                words[start + 3] == .max, let record = record(TypeID(firstID + UInt32(number)))
            else { continue }
            tags[words[start + 2], default: []].append(record)
        }
        return tags
    }

    private func has(_ tag: String, _ tags: [Record]) -> Bool {
        tags.contains { hasString(tag, at: $0.nameOffset) }
    }

    private func tagging(
        _ functions: [(id: UInt32, flags: KernelFunctionFlags)]
    ) throws(BTFError) -> BTF {
        let tags = declarationTags(on: Set(functions.map(\.id)))
        var types = OwnTypes(self)
        var names: [String: UInt32] = [:]
        for (id, flags) in functions {
            for tag in flags.tags where !has(tag, tags[id] ?? []) {
                if names[tag] == nil { names[tag] = try types.add(tag.systemBytes) }
                _ = try types.add([names[tag]!, TypeInfo(.declTag).rawValue, id, .max])
            }
        }
        return names.isEmpty ? self : types.finish()
    }

    private func markingArenas(
        of functions: [(id: UInt32, flags: KernelFunctionFlags)]
    ) throws(BTFError) -> BTF {
        var arenas = ArenaPointers(self)
        for (id, flags) in functions { try arenas.mark(id, flags) }
        return arenas.finish()
    }
}

/// Makes pointers of functions point into arenas.
private struct ArenaPointers {
    private let btf: BTF
    private var types: OwnTypes
    private var name: UInt32?
    /// New pointers, by what they refer to.
    private var made: [UInt32: UInt32] = [:]

    init(_ btf: BTF) {
        self.btf = btf
        types = OwnTypes(btf)
    }

    consuming func finish() -> BTF { name == nil ? btf : types.finish() }

    mutating func mark(_ id: UInt32, _ flags: KernelFunctionFlags) throws(BTFError) {
        guard let function = btf.record(TypeID(id)) else { return }
        guard let prototype = btf.record(function.type), prototype.kind == .funcProto else {
            throw BTFError(notPrototypeOf: function)
        }
        var record = Array(prototype.words)
        if flags.contains(.arenaReturn) {
            record[2] = try arena(record[2], function, "its return type")
        }
        for index in 0..<prototype.count {
            guard flags.marksArgument(index) || hasArenaSuffix(prototype.element(index, 0))
            else { continue }
            record[4 + 2 * index] = try arena(
                record[4 + 2 * index], function, "parameter \(index + 1)")
        }
        // Others may have the same prototype.
        guard !record.elementsEqual(prototype.words) else { return }
        types[id, 2] = try types.add(record)
    }

    private func hasArenaSuffix(_ name: UInt32) -> Bool {
        guard let name = btf.stringBytes(at: name, atMost: 4095) else { return false }
        return KernelFunctionFlags.arenaSuffixes.contains { suffix in
            name.count >= suffix.count && name.suffix(suffix.count).elementsEqual(suffix)
        }
    }

    /// The pointer into an arena that replaces the pointer `id`.
    private mutating func arena(
        _ id: UInt32, _ function: Record, _ what: String
    ) throws(BTFError) -> UInt32 {
        guard let pointer = btf.record(TypeID(id)), pointer.kind == .ptr else {
            let found = btf.record(TypeID(id)).map { "\($0.kind.word) \($0.name)" } ?? "void"
            throw BTFError(
                offset: btf.header.length + btf.header.typeOffset + function.start * 4,
                "kfunc \(function.name): arena type is not a pointer: \(what) is \(found)")
        }
        if isArena(pointer.type) { return id }
        let target = pointer.type.rawValue
        if let known = made[target] { return known }
        let name: UInt32
        if let known = self.name {
            name = known
        } else {
            name = try types.add(KernelFunctionFlags.arenaAttribute.systemBytes)
            self.name = name
        }
        let tag = try types.add([name, TypeInfo(.typeTag, flag: true).rawValue, target])
        let marked = try types.add([0, TypeInfo(.ptr).rawValue, tag])
        made[target] = marked
        return marked
    }

    /// The attribute is among the tags behind the pointer.
    private func isArena(_ target: TypeID) -> Bool {
        var record = btf.record(target)
        // Kernels accept no chain longer than 32.
        for _ in 0..<1000 {
            guard let tag = record, tag.kind == .typeTag else { return false }
            if tag.flag, btf.hasString(KernelFunctionFlags.arenaAttribute, at: tag.nameOffset) {
                return true
            }
            record = btf.record(tag.type)
        }
        return false
    }
}

extension BTFError {
    init(notPrototypeOf function: Record) {
        let btf = function.owner
        self.init(
            offset: btf.header.length + btf.header.typeOffset + function.start * 4,
            "function \(function.name) refers to type \(function.type), which is not a FUNC_PROTO")
    }
}
