// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// The C for a file or for selected types.
func dumpC(
    _ types: TypeTable, selecting selected: [UInt32]?, _ options: COptions
) throws(BTFError) -> TextBuffer {
    let isLikeBpftool = options.isLikeBpftool
    let frame = options.frame ?? (selected == nil || isLikeBpftool)
    let ids = options.includesBase ? 1..<max(types.typeCount, 1) : types.ownIDs
    let sorted =
        selected != nil || options.order == .byID
        ? [] : isLikeBpftool ? sortedLikeBpftool(types, ids) : sortedForC(types, ids)
    var dumper = CDumper(types: types, rule: isLikeBpftool ? .bpftool : .exact)
    if frame { dumper.out.put(head) }
    if let selected {
        // bpftool declares no functions and variables.
        for id in selected {
            if isLikeBpftool { try dumper.define(id) } else { try dumper.defineSelected(id) }
        }
    } else {
        switch options.order {
        case .byID: for id in ids { try dumper.define(id) }
        case .sorted: for id in sorted { try dumper.define(id) }
        }
        if frame { try dumper.putKfuncs(ids) }
        for id in ids where types.kind(id) == .locsec { try dumper.putSites(id) }
    }
    if frame { dumper.out.put(foot) }
    return dumper.takeOutput()
}

private let head: StaticString = """
    #ifndef __VMLINUX_H__
    #define __VMLINUX_H__

    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
    #endif

    #ifndef __ksym
    #define __ksym __attribute__((section(".ksyms")))
    #endif

    #ifndef __weak
    #define __weak __attribute__((weak))
    #endif

    #ifndef __bpf_fastcall
    #if __has_attribute(bpf_fastcall)
    #define __bpf_fastcall __attribute__((bpf_fastcall))
    #else
    #define __bpf_fastcall
    #endif
    #endif


    """

private let foot: StaticString = """
    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute pop
    #endif

    #endif /* __VMLINUX_H__ */

    """

extension CDumper {
    /// A selected function or variable is declared, with everything its declaration needs; other
    /// types are defined.
    fileprivate mutating func defineSelected(_ id: UInt32) throws(BTFError) {
        let kind = types.kind(id)
        if kind == .locsec { return try putSites(id) }
        guard kind == .func || kind == .var else { return try define(id) }
        let type = types.word(id, 2)
        guard types.exists(type) else {
            throw cError(id, "refers to type \(type), which does not exist")
        }
        try define(type)
        try declareNeeds(of: type, container: id)
        out.put("extern ")
        try putDeclaration(type, plainName(types.nameOffset(id)), level: 0)
        out.put(";\n\n")
    }

    /// Prototypes of functions that are tagged as kfuncs, by name.
    fileprivate mutating func putKfuncs(_ ids: Range<UInt32>) throws(BTFError) {
        var functions: [UInt32] = []
        var fast: Set<UInt32> = []
        for id in ids where types.kind(id) == .declTag && types.word(id, 3) == .max {
            let target = types.word(id, 2)
            guard types.kindIfAny(target) == .func else { continue }
            let tag = types.string(at: types.nameOffset(id))
            if tag.elementsEqual("bpf_kfunc".utf8) {
                functions.append(target)
            } else if tag.elementsEqual("bpf_fastcall".utf8) {
                fast.insert(target)
            }
        }
        // Equal names keep the order of their tags.
        let named = functions.enumerated().map {
            (name: types.string(at: types.nameOffset($0.element)), at: $0.offset, id: $0.element)
        }
        out.put("\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n")
        for function in named.sorted(by: {
            $0.name == $1.name ? $0.at < $1.at : $0.name.lexicographicallyPrecedes($1.name)
        }) {
            out.put("extern ")
            if fast.contains(function.id) { out.put("__bpf_fastcall ") }
            try putDeclaration(
                types.word(function.id, 2), plainName(types.nameOffset(function.id)), level: 0)
            out.put(" __weak __ksym;\n")
        }
        out.put("#endif\n\n")
    }
}
