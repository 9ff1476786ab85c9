// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension VerdictCases {
    /// Structs of programs with locks, lists, trees, reference counts and tagged pointers.
    mutating func addFields(seed: UInt64, count: Int) {
        var random = VerdictRandom(seed)
        for _ in 0..<count {
            var blob = VerdictBlob()
            addSpecial(to: &blob, &random)
            // Mostly one fault at most.
            if random.chance(1, in: 4) { damage(&blob, &random) }
            add(.program, blob)
        }
    }

    private static let special: [(name: String, size: UInt32)] = [
        ("bpf_spin_lock", 4), ("bpf_res_spin_lock", 4), ("bpf_list_head", 16),
        ("bpf_list_node", 24), ("bpf_rb_root", 16), ("bpf_rb_node", 32), ("bpf_refcount", 4),
        ("bpf_timer", 16),
    ]

    private func addSpecial(to blob: inout VerdictBlob, _ random: inout VerdictRandom) {
        let int = blob.add(1, blob.name("int"), 4, [0x0100_0020])
        let long = blob.add(1, blob.name("x"), 8, [64])
        var ids: [String: UInt32] = [:]
        for (name, size) in Self.special where !random.chance(1, in: 12) {
            let wrong: UInt32 = random.chance(1, in: 30) ? 8 : 0
            ids[name] = blob.add(
                4, blob.name(name), size + wrong, vlen: 1,
                [blob.name("x"), size < 8 ? int : long, 0])
        }
        // The struct that lists and trees are of.
        let node = random.chance(1, in: 2) ? "bpf_list_node" : "bpf_rb_node"
        var members = member(blob, "n", ids[node] ?? int, random.pick([0, 0, 0, 64, 32]))
        if random.chance(1, in: 3) {
            members += member(blob, "x", ids["bpf_refcount"] ?? int, 512)
            if random.chance(1, in: 2) {
                members += member(blob, "y", ids["bpf_list_node"] ?? int, 576)
            }
        }
        let value = blob.add(
            4, blob.name("foo"), 128, vlen: members.count / 3, members)
        let tag = blob.add(
            18, blob.name(random.pick(["kptr", "kptr_untrusted", "percpu_kptr", "uptr", "user"])),
            random.pick([value, value, value, int]))
        let second =
            random.chance(1, in: 4)
            ? blob.add(18, blob.name(random.pick(["kptr", "user"])), tag) : tag
        let modified = random.chance(1, in: 5) ? blob.add(10, 0, second) : second
        let pointer = blob.add(2, 0, modified)
        let volatile = blob.add(9, 0, pointer)
        let array = blob.add(
            3, 0, 0,
            [
                random.pick([pointer, ids["bpf_list_head"] ?? int, value]), int,
                UInt32(random.below(13)),
            ])
        addOwner(to: &blob, ids, [value, pointer, volatile, array, long, int], &random)
    }

    private func member(
        _ blob: VerdictBlob, _ name: String, _ type: UInt32, _ offset: UInt32
    ) -> [UInt32] { [blob.name(name), type, offset] }

    private func addOwner(
        to blob: inout VerdictBlob, _ ids: [String: UInt32], _ others: [UInt32],
        _ random: inout VerdictRandom
    ) {
        for _ in 0...random.below(2) {
            var members: [UInt32] = []
            var offset: UInt32 = 0
            var roots: [(Int, Bool)] = []
            let count = 1 + random.below(5)
            for index in 0..<count {
                let type: UInt32
                if index == 0, random.chance(2, in: 3) {
                    type =
                        ids[random.chance(1, in: 5) ? "bpf_res_spin_lock" : "bpf_spin_lock"]
                        ?? others[5]
                } else if random.chance(1, in: 2) {
                    type = random.pick(others)
                } else {
                    let name = random.pick(Self.special).name
                    type = ids[name] ?? others[4]
                    if name == "bpf_list_head" || name == "bpf_rb_root" {
                        roots.append((index, true))
                    }
                }
                members += [blob.name("x"), type, offset + (random.chance(1, in: 25) ? 4 : 0)]
                offset += random.chance(1, in: 20) ? 64 : 1024
            }
            let owner = blob.add(
                4, blob.name("bar"), random.chance(1, in: 20) ? 64 : 1024, vlen: count, members)
            for (index, _) in roots where !random.chance(1, in: 8) {
                let text = random.pick([
                    "contains:foo:n", "contains:foo:n", "contains:foo:n", "contains:foo:n",
                    "contains:foo:",
                    "contains:nope:n", "contains:foo", "contains:bar:n",
                ])
                blob.add(17, blob.name(text), owner, [UInt32(index)])
                if random.chance(1, in: 15) {
                    blob.add(17, blob.name(text), owner, [UInt32(index)])
                }
            }
        }
        if random.chance(1, in: 6) { addOwners(to: &blob, ids, &random) }
    }

    /// Structs that own one another in a row, or in a circle.
    private func addOwners(
        to blob: inout VerdictBlob, _ ids: [String: UInt32], _ random: inout VerdictRandom
    ) {
        let lock = ids["bpf_spin_lock"] ?? 1
        let first = blob.nextID
        let count = 5 + random.below(7)
        let closes = random.chance(1, in: 3)
        for index in 0..<count {
            let id = blob.nextID
            let next = index == count - 1 ? (closes ? first : first + UInt32(count) * 3) : id + 3
            let name = blob.newName("own\(index)")
            let members = [blob.name("n"), lock, 0, blob.name("x"), id + 2, 64]
            blob.add(4, name, 64, vlen: 2, members)
            blob.add(18, blob.name("kptr"), next)
            blob.add(2, 0, id + 1)
        }
        blob.add(4, blob.newName("last"), 8, vlen: 1, [blob.name("x"), lock, 0])
    }

    // MARK: Distilled modules

    mutating func addDistilled(seed: UInt64, count: Int) {
        var random = VerdictRandom(seed)
        for index in 0..<count {
            var base = smallBase(&random)
            if index % 3 == 1 { damage(&base, &random) }
            var split = VerdictBlob(
                firstID: base.nextID, stringBase: UInt32(base.strings.count))
            addUsers(to: &split, of: base, &random)
            if index % 3 == 2 { damage(&split, &random) }
            add(.module, split, base: base)
        }
    }

    /// Some types as the kernel has them, perhaps with one difference.
    private func smallBase(_ random: inout VerdictRandom) -> VerdictBlob {
        var base = VerdictBlob()
        for _ in 0...random.below(6) {
            let known = random.pick(ground.known)
            let name = base.newName(known.name)
            let kind = known.words[0] >> 24 & 0x1f
            let flag = known.words[0] >> 31 != 0
            let size = known.words[1] &+ (random.chance(1, in: 15) ? 8 : 0)
            switch (kind, random.below(8)) {
            case (4, 0), (5, 0): base.add(7, name, 0, flag: random.chance(1, in: 2))
            case (1, _): base.add(1, name, size, [known.words[2]])
            case (19, _), (6, _): base.add(6, name, size)
            case (7, _): base.add(7, name, 0, flag: flag)
            default: base.add(random.chance(1, in: 10) ? 9 - kind : kind, name, size)
            }
        }
        if random.chance(1, in: 10) { base.add(1, base.newName("none_of_these"), 4, [32]) }
        if random.chance(1, in: 20) { base.add(1, base.name("x") + 1, 4, [32]) }
        return base
    }

    private func addUsers(
        to split: inout VerdictBlob, of base: VerdictBlob, _ random: inout VerdictRandom
    ) {
        let count = UInt32(base.records.count)
        for _ in 0...random.below(4) {
            let target = 1 + UInt32(random.below(Int(count)))
            switch random.below(6) {
            case 0: split.add(2, 0, target)
            case 1:
                split.add(
                    4, split.name("foo"), 0x10000, vlen: 1, [split.name("x"), target, 0])
            case 2: split.add(3, 0, 0, [target, 1, 2])
            case 3: split.add(10, 0, target)
            case 4:
                split.add(
                    13, 0, target, vlen: 1,
                    [
                        random.chance(1, in: 4)
                            ? UInt32(random.below(base.strings.count)) : split.name("x"), target,
                    ])
            default:
                split.add(
                    4, split.name("bar"), 0x10000, vlen: 1,
                    [split.name("y"), max(split.nextID, 2) - 1, 0])
            }
        }
        if random.chance(1, in: 10) {
            // A name of the base.
            let name = base.records[0][0]
            split.add(8, name, 1)
        }
    }
}
