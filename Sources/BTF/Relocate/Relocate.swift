// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Relocation
// ==========
//
// Distilled BTF (Split/Distill.swift) stands on a small base of its own that only names what it needs of a
// kernel: integers, floats and enums with their sizes, structs and unions without members. To load it, a
// kernel looks for each of these types in its own BTF and replaces the small base by that. Here the same is done
// by the same rules, so that what comes out is what that kernel would come to, and what it would refuse is
// refused:
//
// D1, D2  the small base is of the right make.
// D3      INT: name, size and encoding are equal; FLOAT: name and size; ENUM: name and size, an ENUM64 will do.
// D4      STRUCT and UNION: the name. The size too, where the kernel has several composites of the name, and
//         where own types hold it by value. Their kind is not compared, nor that of what has the name in the kernel.
// D5      FWD: a FWD with the same kind flag; a STRUCT without the flag; a UNION with it.
// D6      each type is found,
// D7      and only once, or it is not known which one is meant.
// D8      strings are translated through these types only.
//
// The types behind the small base keep their order and their strings.
extension BTF {
    /// This distilled BTF, whose base is its `.BTF.base`, as split BTF on a kernel's.
    ///
    /// - Throws: `RelocationError`, by the first rule broken, in the kernel's order.
    package func relocated(onto target: BTF) throws(RelocationError) -> Rebased {
        guard let base else {
            throw RelocationError(
                BTFError(offset: 0, "no distilled base to replace"), in: .split)
        }
        do throws(BTFError) { try base.checkReferences() } catch {
            throw RelocationError(error, in: .distilledBase)
        }
        do throws(BTFError) { try checkReferences() } catch {
            throw RelocationError(error, in: .split)
        }
        guard target.bigEndian == bigEndian else {
            throw RelocationError(
                BTFError(offset: 0, "the base has the other byte order"), in: .base)
        }
        var mapping = DistilledMapping(split: self, base: base)
        try mapping.validate()
        try mapping.search(in: target)
        let (words, ids) = try rewritten(mapping, target)
        do throws(BTFError) {
            try checkLimits(
                typeCount: Int(target.typeCount) + starts.count,
                stringLength: target.stringBase + target.strings.count + strings.count)
        } catch { throw RelocationError(error, in: .split) }
        return Rebased(
            bytes: BTF.serialized(words: words, strings: strings, bigEndian: bigEndian),
            typeCount: starts.count, ids: ids)
    }

    /// The own records with the numbers of the new base.
    private func rewritten(
        _ mapping: DistilledMapping, _ target: BTF
    ) throws(RelocationError) -> (words: [UInt32], ids: [UInt32]) {
        var ids = mapping.ids
        for id in ownIDs { ids.append(id - firstID + target.typeCount) }
        let shift = target.stringBase + target.strings.count - stringBase
        var output = words
        for start in starts.lazy.map(Int.init) {
            forEachReference(words, start) { output[$0] = ids[Int(words[$0])] }
            var lost: UInt32?
            forEachName(words, start) { position in
                let offset = words[position]
                if offset == 0 { return }
                if Int(offset) >= stringBase {
                    output[position] = UInt32(truncatingIfNeeded: Int(offset) + shift)
                } else if let name = mapping.names[offset] {
                    output[position] = name
                } else if lost == nil {
                    lost = offset
                }
            }
            if let lost {
                throw RelocationError(
                    .string, in: .split, offset: header.length + header.typeOffset + start * 4,
                    "string '\(string(at: lost))' [offset \(lost)] is not mapped to base BTF")
            }
        }
        return (output, ids)
    }
}
