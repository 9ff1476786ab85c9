// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// What loaders made by libbpf's generator are limited to (its file src/gen_loader.c).
package enum LoaderLimit {
    /// Room for descriptors of maps.
    package static let maps = 64
    /// Room for descriptors on the loader's stack, of which every function of the object takes one.
    package static let functions = 32
    /// Room for descriptors of the BTF of kfuncs, and what the kernel takes of different kfuncs in a program.
    package static let kernelFunctions = 256
    /// Bytes of what a program attaches to, as the kernel's BTF calls it. Kernels take no more of a raw
    /// tracepoint's name.
    package static let targetName = 127
    /// Instructions back to where errors are handled: a jump has 16 bits.
    package static let jump = 32768
    /// Bytes of variables. libbpf and kernels take up to 2 GiB; as C text and in memory that is many times as
    /// much, so it ends here.
    package static let variables = 128 << 20
}

extension BPFObject {
    /// What keeps libbpf 1.1 from making a loader of this object that works; none when it can.
    ///
    /// Not asked here: whether programs can be attached (`LightSkeleton.Attachment`), and what libbpf would take
    /// from the machine it runs on (`hostFacts`).
    ///
    /// - Parameter kernel: the BTF of the kernel that it is for, vmlinux's. With it, calls of kfuncs are told
    ///   apart that a loader without it might get wrong.
    package func loaderObstacles(kernel: BTF? = nil) -> [BPFObjectError] {
        var found = wholeObstacles() + nameObstacles() + functionObstacles() + mapObstacles()
        found += externObstacles()
        // The number of functions is a bound for what follows.
        if functions.count <= LoaderLimit.functions {
            found += symbolObstacles(kernel: kernel)
            if found.isEmpty, let length = jumpTooFar {
                found.append(
                    BPFObjectError(
                        file: file,
                        "its loader would have \(length) instructions, and an error could not jump back "
                            + "over more than \(LoaderLimit.jump)",
                        hint: "split the object: programs use too many of the kernel's symbols"))
            }
        }
        return found
    }

    private func wholeObstacles() -> [BPFObjectError] {
        var found: [BPFObjectError] = []
        func add(_ message: String, _ hint: String, in section: String? = nil) {
            found.append(BPFObjectError(file: file, section: section, message, hint: hint))
        }
        if isBigEndian != (UInt16(1).bigEndian == 1) {
            found.append(foreignOrder("generates loaders"))
        }
        if let arena {
            add(
                "\(arena.size) bytes of variables of an arena, which libbpf 1.1 cannot place in its memory",
                "load the object by libbpf 1.4 or later in user space", in: arena.section)
        }
        if license == nil {
            add(
                "no such section", "char LICENSE[] SEC(\"license\") = \"GPL\";", in: "license")
        }
        if let name = structOps.first {
            add(
                "libbpf's loaders know no struct_ops",
                "leave it out, and load it by libbpf in user space", in: name)
        }
        if programs.isEmpty, maps.isEmpty {
            add(
                "neither programs nor maps",
                "name a section for each program: SEC(\"fentry/do_unlinkat\")")
        }
        if functions.count > LoaderLimit.functions {
            let inner = functions.count { $0.isSubprogram }
            add(
                "\(functions.count - inner) programs and \(inner) functions that they call, where a loader has "
                    + "room for \(LoaderLimit.functions) together",
                inner > 0
                    ? "inline functions (static __always_inline), or split the object"
                    : "split the object")
        }
        if maps.count > LoaderLimit.maps {
            let inner = maps.count { $0.isInternal }
            add(
                "\(maps.count) maps, \(inner) of them for sections of data, where a loader has room for "
                    + "\(LoaderLimit.maps)", "split the object")
        }
        return found
    }

    /// An object of the other byte order, where libbpf is to do what `step` says.
    package func foreignOrder(_ step: String) -> BPFObjectError {
        BPFObjectError(
            file: file,
            "it is \(isBigEndian ? "big" : "little")-endian, and libbpf 1.1 \(step) on a machine of the same byte "
                + "order only",
            hint: "run kbtf on a \(isBigEndian ? "big" : "little")-endian machine"
                + (isBigEndian ? " (s390x)" : "")
                + "; if the programs are for this one, compile with -target bpf")
    }

    /// Two of one kind with the same name.
    private func nameObstacles() -> [BPFObjectError] {
        var found: [BPFObjectError] = []
        var seen: [String: Function] = [:]
        for program in programs {
            if let first = seen[program.name] {
                found.append(
                    error(
                        in: program,
                        "a second program '\(program.name)', the first is in \(first.section)",
                        hint: "rename one of them"))
            } else {
                seen[program.name] = program
            }
        }
        var names: Set<String> = []
        for map in maps where !names.insert(map.name).inserted {
            found.append(error(in: map, "a second map '\(map.name)'", hint: "rename one of them"))
        }
        return found
    }

    private func functionObstacles() -> [BPFObjectError] {
        var found: [BPFObjectError] = []
        for program in programs where program.isAutoloaded {
            func add(_ message: String, _ hint: String) {
                found.append(error(in: program, "program '\(program.name)' \(message)", hint: hint))
            }
            guard let kind = program.kind else {
                add(
                    "is in a section whose name libbpf 1.1 does not know",
                    "name what it is for: SEC(\"lsm/file_open\")")
                continue
            }
            if kind.type == .ext {
                add(
                    "replaces a function of another program, which a loader cannot look up",
                    "load it by libbpf in user space")
                continue
            }
            if kind.type == .rawTracepoint || kind.type == .rawTracepointWritable,
                let name = program.target, name.utf8.count > LoaderLimit.targetName
            {
                add(
                    "attaches to a tracepoint whose name has \(name.utf8.count) bytes, where the kernel takes "
                        + "\(LoaderLimit.targetName)", "attach to another tracepoint")
            }
            guard kind.needsTarget else { continue }
            guard let target = program.target, !target.isEmpty else {
                add(
                    "does not say what it attaches to",
                    "name it in the section: SEC(\"\(program.sectionName)/NAME\")")
                continue
            }
            let prefix = kind.attachType?.targetPrefix ?? ""
            if target.contains(":") {
                add(
                    "attaches to '\(target)', and libbpf 1.1 takes no module's name before a function",
                    "write the function's name alone; modules are searched as well")
            } else if prefix.utf8.count + target.utf8.count > LoaderLimit.targetName {
                add(
                    "attaches to a name of \(prefix.utf8.count + target.utf8.count) bytes with '\(prefix)', "
                        + "where a loader takes \(LoaderLimit.targetName)",
                    "attach to another function")
            }
        }
        return found
    }

    private func mapObstacles() -> [BPFObjectError] {
        var found: [BPFObjectError] = []
        var size = 0
        for map in maps {
            func add(_ message: String, _ hint: String) {
                found.append(error(in: map, "map '\(map.name)' \(message)", hint: hint))
            }
            size += map.contents?.size ?? 0
            let definition = map.definition
            if definition.type == MapType.structOps {
                add("is of struct_ops, which libbpf's loaders do not know", "leave it out")
            }
            if definition.type == MapType.programArray, !map.slots.isEmpty {
                add(
                    "starts with programs, which libbpf's loaders do not put there",
                    "leave 'values' empty, and fill it in when all is loaded")
            }
            if definition.hasLongExtra {
                add(
                    "has a map_extra of __ulong, which libbpf 1.1 does not read",
                    "load the object by libbpf 1.4 or later in user space")
            } else if definition.type == MapType.arena, definition.extra == 0 {
                add(
                    "is an arena, which kernels accept in programs after user space has mapped it",
                    "load the object by libbpf 1.4 or later in user space")
            }
            guard MapType.holdsMaps(definition.type) else { continue }
            guard let inner = definition.inner.first else {
                add(
                    "does not say what maps it holds",
                    "add __array(values, struct { __uint(type, ...); ... })")
                continue
            }
            if MapType.holdsMaps(inner.type) {
                add("holds maps of maps, which the kernel refuses", "take one level out")
            }
            if definition.type == MapType.hashOfMaps, definition.keySize != 4, !map.slots.isEmpty {
                add(
                    "starts with maps, and has a key of \(definition.keySize) bytes, expected 4",
                    "take __type(key, int)")
            }
        }
        if size > LoaderLimit.variables {
            found.append(
                BPFObjectError(
                    file: file,
                    "its variables take \(size) bytes, and kbtf puts at most \(LoaderLimit.variables) into a "
                        + "loader", hint: "use a map for large data"))
        }
        return found
    }

    private func externObstacles() -> [BPFObjectError] {
        externs.compactMap { extern in
            guard extern.kind == .unresolved else { return nil }
            return BPFObjectError(
                file: file, section: ".symtab", offset: extern.symbol * 24,
                "'\(extern.name)' is defined nowhere",
                hint:
                    "link with the object that defines it: kbtf gen object OUT IN..., or declare it "
                    + "__ksym if the kernel does")
        }
    }

    func error(in map: Map, _ message: String, hint: String? = nil) -> BPFObjectError {
        BPFObjectError(
            file: file, section: map.section, offset: map.isInternal ? nil : map.offset, message,
            hint: hint)
    }
}

extension AttachType {
    /// What the kernel's BTF has before the name of such a target.
    var targetPrefix: String {
        switch self {
        case .traceRawTp: "btf_trace_"
        case .lsmMac, .lsmCgroup: "bpf_lsm_"
        case .traceIter: "bpf_iter_"
        default: ""
        }
    }
}
