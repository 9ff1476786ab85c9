// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Sound BTF that mutants are made of.
extension VerdictBlob {
    /// One of each kind, as sound on its own as behind a kernel's types.
    static func prelude(firstID: UInt32 = 1, stringBase: UInt32 = 0) -> VerdictBlob {
        var blob = VerdictBlob(firstID: firstID, stringBase: stringBase)
        let int = blob.add(1, blob.name("int"), 4, [0x0100_0020])
        let structure = blob.add(4, blob.name("foo"), 8, vlen: 1, [blob.name("x"), int, 0])
        let proto = blob.add(13, 0, int, vlen: 1, [blob.name("x"), int])
        blob.add(12, blob.name("bar"), proto, vlen: 1)
        blob.add(14, blob.name("y"), int, [1])
        blob.add(7, blob.name("n"))
        blob.add(6, blob.name("y"), 4, vlen: 1, [blob.name("kptr"), 1])
        blob.add(8, blob.name("user"), int)
        blob.add(3, 0, 0, [int, int, 2])
        blob.add(16, blob.name("bar"), 8)
        blob.add(2, 0, structure)
        return blob
    }

    /// What a BPF object or a module has: functions, maps, sections, tags, bit-fields, nested and
    /// mutually recursive types.
    static func object(firstID: UInt32 = 1, stringBase: UInt32 = 0) -> VerdictBlob {
        var blob = VerdictBlob(firstID: firstID, stringBase: stringBase)
        let x = blob.name("x")
        let y = blob.name("y")
        let n = blob.name("n")
        let ids = { (index: UInt32) in firstID + index }
        // 0: a pointer to a struct that comes later
        blob.add(2, 0, ids(3))
        let int = blob.add(1, blob.name("int"), 4, [0x0100_0020])
        let char = blob.add(1, blob.name("kptr"), 1, [0x0100_0008])
        // 3: a list node
        blob.add(4, blob.name("foo"), 24, vlen: 3, [x, ids(0), 0, y, int, 64, n, ids(4), 128])
        blob.add(8, blob.name("user"), ids(5))
        blob.add(2, 0, ids(6))
        blob.add(13, 0, 0, vlen: 2, [x, int, y, ids(0)])
        blob.add(3, 0, 0, [int, int, 4])
        blob.add(
            4, blob.name("bar"), 32, vlen: 4, flag: true,
            [x, int, 3 << 24, y, int, 5 << 24 | 3, n, ids(7), 32, x, ids(9), 160])
        blob.add(5, 0, 8, vlen: 2, [x, int, 0, y, ids(10), 0])
        blob.add(16, blob.name("n"), 8)
        blob.add(6, blob.name("user"), 4, vlen: 2, [blob.name("foo"), 1, blob.name("bar"), 2])
        blob.add(19, blob.name("x"), 8, vlen: 1, [blob.name("y"), 1, 1])
        blob.add(10, 0, ids(14))
        blob.add(9, 0, ids(11))
        let proto = blob.add(13, 0, int, vlen: 2, [x, ids(0), y, ids(13)])
        let function = blob.add(12, blob.name("bar"), proto, vlen: 1)
        let variable = blob.add(14, n, ids(8), [1])
        let other = blob.add(14, x, ids(7), [0])
        blob.add(
            15, blob.name(".data"), 64, vlen: 2, [variable, 0, 32, other, 32, 16])
        blob.add(17, blob.name("user"), function, [1])
        blob.add(17, blob.name("user"), ids(3), [.max])
        blob.add(17, blob.name("kptr"), variable, [.max])
        blob.add(18, blob.name("user"), int)
        blob.add(2, 0, ids(23))
        blob.add(11, 0, ids(0))
        blob.add(7, blob.name("x"))
        blob.add(2, 0, ids(26))
        blob.add(13, 0, char, vlen: 2, [x, int, 0, 0])
        blob.add(3, 0, 0, [ids(8), int, 3])
        return blob
    }
}
