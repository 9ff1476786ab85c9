// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

// Relocation
// ==========
//
// Distilled BTF (Split/Distill.swift) has a small base of its own that only names what it needs of
// a kernel: integers, floats and enums with their sizes, structs and unions without members. To
// load it, a kernel finds each of these types in its own BTF and replaces the small base with that.
// This code follows the same rules, so that the result is what the kernel would get, and what the
// kernel would refuse is refused:
//
//     D1, D2  the small base has only allowed kinds, all with names.
//     D3      INT: name, size and encoding are equal; FLOAT: name and size; ENUM: name and size,
//             also of an ENUM64.
//     D4      STRUCT and UNION: the name. The size too, if the kernel has several composites with
//             the name, and where own types hold it by value. Kinds are not compared.
//     D5      FWD: a FWD with the same kind flag; a STRUCT without the flag; a UNION with it.
//     D6      each type is found,
//     D7      and only once, or it is unclear which one is meant.
//     D8      strings are translated only through these types.
//
// The types after the small base keep their order and their strings.
extension BTF {
    /// This distilled BTF, whose base is its `.BTF.base`, as split BTF on a kernel's.
    ///
    /// - Throws: `RelocationError` for the first rule broken, in the kernel's order.
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

    /// The own records with the ids of the new base.
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
