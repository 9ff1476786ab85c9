// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes

/// BTF in parts that can be damaged one by one.
struct VerdictBlob {
    var records: [[UInt32]] = []
    var strings: [UInt8]
    let firstID: UInt32
    let stringBase: UInt32
    /// Fields of the header in place of the right ones, by index of the word.
    var header: [Int: UInt32] = [:]
    var headerLength = 24
    var layout: [UInt8] = []
    /// Bytes after the header is written, cut to this many.
    var cut: Int?

    /// Names that cases choose from; `offset` knows them all.
    static let names: [[UInt8]] =
        [
            "int", "x", "y", "foo", "bar", "n", "kptr", "kptr_untrusted", "percpu_kptr", "uptr",
            "user", "contains:foo:n", "contains:foo:", "contains:nope:n", "contains:foo",
            "contains:bar:n", "bpf_spin_lock", "bpf_res_spin_lock", "bpf_list_head",
            "bpf_list_node", "bpf_rb_root", "bpf_rb_node", "bpf_refcount", "bpf_timer",
            "task_struct", "nosuch_struct", ".data", "?x", " ", "1a", "a b", "a.b", "a-b", "$",
        ].map { Array($0.utf8) }
        + [[0xff, 0xe9], [0x80], [0xd7, 0x61], [0x61, 0xa0]]
        + [511, 512, 513].map { [UInt8](repeating: 0x6e, count: $0) }

    /// - Parameter isSplit: its types follow those of `firstID` and `stringBase`.
    init(firstID: UInt32 = 1, stringBase: UInt32 = 0) {
        self.firstID = firstID
        self.stringBase = stringBase
        strings = [0]
        for name in Self.names { strings += name + [0] }
    }

    var nextID: UInt32 { firstID + UInt32(records.count) }

    /// The offset of a name of `names`; 0 for "".
    func name(_ text: String) -> UInt32 { text.isEmpty ? 0 : name(bytes: Array(text.utf8)) }

    func name(bytes: [UInt8]) -> UInt32 {
        var at = 1
        for name in Self.names {
            if name == bytes { break }
            at += name.count + 1
        }
        return stringBase + UInt32(at)
    }

    /// A name that is not one of `names`.
    mutating func newName(_ text: String) -> UInt32 {
        let offset = stringBase + UInt32(strings.count)
        strings += Array(text.utf8) + [0]
        return offset
    }

    @discardableResult
    mutating func add(
        _ kind: UInt32, _ name: UInt32 = 0, _ third: UInt32 = 0, vlen: Int = 0, flag: Bool = false,
        _ rest: [UInt32] = []
    ) -> UInt32 {
        let id = nextID
        records.append([name, kind << 24 | UInt32(vlen) | (flag ? 1 << 31 : 0), third] + rest)
        return id
    }

    func bytes() -> [UInt8] {
        let words = records.flatMap { $0 }
        let length = UInt32(words.count * 4)
        var fields: [UInt32] = [
            0x0001_eb9f, UInt32(headerLength), 0, length, length, UInt32(strings.count),
            layout.isEmpty ? 0 : length + UInt32(strings.count), UInt32(layout.count),
        ]
        for (index, value) in header { fields[index] = value }
        var bytes: [UInt8] = []
        append(fields, to: &bytes, bigEndian: false)
        bytes = Array(bytes.prefix(headerLength))
        bytes += [UInt8](repeating: 0, count: headerLength - bytes.count)
        append(words, to: &bytes, bigEndian: false)
        bytes += strings + layout
        return cut.map { Array(bytes.prefix($0)) } ?? bytes
    }
}
