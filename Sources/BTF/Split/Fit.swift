// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

extension BTF {
    /// Why split BTF cannot have been made on `base`; nil when nothing speaks against it.
    ///
    /// Nothing in split BTF names its base. But its numbers go on where those of its base end: on a base with
    /// strings of another length, some own string is no type's name any more, and on a base
    /// with another number of types, references lead to types of the wrong kind. Bases whose types and strings are of
    /// the same number and length cannot be told apart that way.
    ///
    /// - Parameter bytes: a whole BTF.
    package static func misfit(of bytes: ByteView, on base: BTF) -> BTFError? {
        let btf: BTF
        do throws(BTFError) {
            btf = try BTF.parse(bytes, base: base)
            try btf.checkReferences()
        } catch { return error }
        if let fault = check(btf).findings.first(where: { $0.severity == .error }) {
            return BTFError(offset: fault.offset, fault.message)
        }
        if let name = btf.unusedString {
            let at = btf.header.length + btf.header.stringOffset
            return BTFError(offset: at + name.offset, name.reason)
        }
        return nil
    }

    /// The first own string that no name of the own types uses. Whoever writes BTF drops such strings.
    private var unusedString: (offset: Int, reason: String)? {
        var isUsed = Array(repeating: false, count: strings.count)
        for start in starts {
            forEachName(words, Int(start)) { position in
                let offset = Int(words[position]) - stringBase
                if offset >= 0, offset < isUsed.count { isUsed[offset] = true }
            }
        }
        var start = 0
        while start < strings.count {
            var end = start
            var used = false
            while end < strings.count, strings[end] != 0 {
                if isUsed[end] { used = true }
                end += 1
            }
            if end > start, !used {
                let text = String(decoding: strings[start..<end], as: UTF8.self)
                return (start, "none of its types is called '\(text)' there")
            }
            start = end + 1
        }
        return nil
    }
}
