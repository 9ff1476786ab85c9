// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

// What is left to merge when all units are in: see the essay in Deduplication.swift.
extension TypeStore {
    /// Merges what only all units together can tell.
    mutating func settle() {
        var changed = !outgrown.isEmpty
        if leaveOutdatedBase() { changed = true }
        for index in stored.merged.indices
        where stored.merged[index] != firstID + UInt32(index) {
            changed = true
        }
        if foldRepeats() { changed = true }
        if base.resolvesForwards, resolveForwards() { changed = true }
        if changed { mergeReferring() }
    }

    /// Drops structs that were kept because of a forward declaration of the base, if that
    /// declaration turns out to be behind types that resolve to the base: such a struct then equals
    /// the base's, word for word.
    private mutating func foldRepeats() -> Bool {
        var changed = false
        for (own, base) in outgrown.nearMisses where resolve(own) == own {
            guard let pairs = strictlySame(own, base) else { continue }
            for pair in pairs where info(pair.other).kind?.isComposite == true {
                let own = resolve(pair.own)
                if own >= firstID {
                    merge(own, into: pair.other)
                    changed = true
                }
            }
        }
        return changed
    }

    /// The pairs of own types and base types that a walk from `own` and `base` meets; nil if they
    /// differ somewhere. A forward declaration of the base and a full type differ here.
    private mutating func strictlySame(_ own: UInt32, _ base: UInt32) -> [Pair]? {
        var met: Set<UInt64> = []
        var found: [Pair] = []
        var queue = [Pair(own: own, other: base)]
        while let pair = queue.popLast() {
            budget -= 1
            guard budget > 0 else { return nil }
            let own = resolve(pair.own)
            // What the other says itself counts, if it is the base's; an own type may have been
            // merged since, such as a declaration.
            let other = pair.other < firstID ? pair.other : resolve(pair.other)
            if own == other { continue }
            guard own != 0, other != 0 else { return nil }
            guard met.insert(UInt64(own) << 32 | UInt64(other)).inserted else { continue }
            found.append(Pair(own: own, other: other))
            let info = info(own)
            guard info.rawValue == word(other, 1), word(own, 0) == word(other, 0),
                let kind = info.kind, !kind.isPlace, kind.role != .declarationTag
            else { return nil }
            let shape = kind.shape
            if shape.refersToType {
                queue.append(Pair(own: word(own, 2), other: word(other, 2)))
            } else if word(own, 2) != word(other, 2) {
                return nil
            }
            for index in 3..<info.recordWords {
                let (a, b) = (word(own, index), word(other, index))
                if shape.isReference(index) {
                    queue.append(Pair(own: a, other: b))
                } else if a != b {
                    return nil
                }
            }
        }
        return found
    }

    /// Merges each FWD with the only struct or union of its name.
    private mutating func resolveForwards() -> Bool {
        var forwards: [UInt32] = []
        for index in stored.starts.indices {
            let id = firstID + UInt32(index)
            if info(id).kind == .fwd, stored.merged[index] == id { forwards.append(id) }
        }
        if forwards.isEmpty { return false }
        // No struct or union of the base is ever replaced.
        var unique = UniqueComposites(of: forwards.map { word($0, 0) }, base)
        for index in stored.starts.indices {
            let id = firstID + UInt32(index)
            guard info(id).kind?.isComposite == true, resolve(id) == id else { continue }
            unique.add(name: word(id, 0), id: id)
        }
        var changed = false
        for id in forwards {
            guard let target = unique.find(word(id, 0)),
                info(target).kind == (info(id).flag ? .union : .struct)
            else { continue }
            merge(id, into: target)
            changed = true
        }
        return changed
    }

    // MARK: Types that refer to what was merged

    /// Merges, bottom-up, the types that became the same because what they refer to did.
    private mutating func mergeReferring() {
        var filed = HashChains(expecting: stored.starts.count)
        var filedIDs = Arena<UInt32>(capacity: stored.starts.count)
        var done = Arena<UInt8>(repeating: 0, count: stored.starts.count)
        for index in stored.starts.indices {
            stack.removeAll()
            stack.append(UInt32(index))
            while !stack.isEmpty {
                let index = Int(stack[stack.count - 1])
                let id = firstID + UInt32(index)
                if done[index] == 2 || stored.merged[index] != id || !isMergedByWords(info(id).kind)
                {
                    done[index] = 2
                    _ = stack.popLast()
                    continue
                }
                if done[index] == 0 {
                    // First what it refers to. No circle is without a struct.
                    done[index] = 1
                    let start = Int(stored.starts[index])
                    TypeInfo(rawValue: stored.words[start + 1]).forEachReference { (at: Int) in
                        let target = resolve(stored.words[start + at])
                        if target >= firstID, done[Int(target - firstID)] == 0 {
                            stack.append(target - firstID)
                        }
                    }
                    continue
                }
                done[index] = 2
                _ = stack.popLast()
                mergeReferring(id, &filed, &filedIDs)
            }
        }
    }

    func isMergedByWords(_ kind: Kind?) -> Bool {
        switch kind?.settling {
        case .referring: true
        case .alias: !base.settlesTypedefsByGraph
        case .leaf, .place, .graph, nil: false
        }
    }

    private mutating func mergeReferring(
        _ id: UInt32, _ filed: inout HashChains, _ filedIDs: inout Arena<UInt32>
    ) {
        let start = Int(stored.starts[Int(id - firstID)])
        let words = recordHash(
            { stored.words[start + $0] }, reference: { resolve($0) }, name: { word($0, 0) })
        guard let whole = words else { return }
        let hash = whole & hashMask
        var entry = filed.first(hash: hash)
        while let candidate = entry {
            let other = filedIDs[Int(candidate)]
            if sameRecord(id, other) { return merge(id, into: other) }
            entry = filed.after(candidate, hash: hash)
        }
        var ofBase = base.index == nil ? nil : base.types.first(hash: hash)
        while let candidate = ofBase {
            let other = UInt32(candidate)
            if sameRecord(id, other) { return merge(id, into: other) }
            ofBase = base.types.after(candidate, hash: hash)
        }
        filed.append(hash: hash)
        filedIDs.append(id)
    }

    /// Same words, references replaced by what they stand for.
    private func sameRecord(_ a: UInt32, _ b: UInt32) -> Bool {
        let info = info(a)
        guard info.rawValue == word(b, 1), word(a, 0) == word(b, 0), let shape = info.kind?.shape
        else { return false }
        for index in 2..<info.recordWords {
            let (x, y) = (word(a, index), word(b, index))
            guard x == y || shape.isReference(index) && resolve(x) == resolve(y) else {
                return false
            }
        }
        return true
    }
}
