// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension KernelReader {
    /// Modifiers that follow one another: at most 32, and in older kernels TYPE_TAGs first (rules
    /// C). Each is followed only as far as it was not followed before.
    func checkChains() throws(Unaccepted) {
        guard rules.checksChains else { return }
        var good = types.firstID - 1
        for start in types.firstID..<max(types.typeCount, types.firstID)
        where types.isModifier(start) {
            var left = 32
            var id = start
            var isInTags = types.kind(id) == KernelKind.typeTag
            while true {
                let kind = types.kind(id)
                guard KernelKind.isModifier(kind) else { break }
                if left == 0 {
                    throw refusal(
                        "C1", .loop, type: start, lines: ["Max chain length or cycle detected"],
                        offset: offset(of: start))
                }
                left -= 1
                if kind != KernelKind.typeTag {
                    isInTags = false
                } else if !isInTags, rules.checksTagOrder {
                    throw refusal(
                        "C2", type: start, lines: ["Type tags don't precede modifiers"],
                        offset: offset(of: start))
                }
                if id <= good { break }
                id = types.third(id)
                guard types.exists(id) else {
                    throw refusal("C3", type: start, offset: offset(of: start))
                }
            }
            good = start
        }
    }
}
