// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes
internal import Tables

extension BTF {
    /// Whether split BTF, of which only the bytes are known, has a `struct module` of its own.
    ///
    /// Each module has a variable of that type (`__this_module`), and its own kernel's BTF has the
    /// type: a module that needs another one was not built for the kernel of its base.
    ///
    /// - Parameters:
    ///   - bytes: the whole BTF; damaged BTF has none.
    ///   - base: the index of its base.
    package static func hasOwnModuleStruct(_ bytes: [UInt8], on base: BaseIndex) -> Bool {
        let view = ByteView(bytes)
        guard let header = try? Header.parse(view) else { return false }
        let wordCount = header.typeLength / 4
        guard let section = view.slice(header.length + header.typeOffset, wordCount * 4) else {
            return false
        }
        func word(_ index: Int) -> UInt32 {
            section.word(at: index * 4, bigEndian: header.bigEndian)
        }
        let (low, ownStrings) = (base.strings.strings, header.length + header.stringOffset)
        let module = Array("module\0".utf8)
        func isModule(_ name: Int) -> Bool {
            let own = name - low.count
            if own < 0 {
                return low.count - name >= module.count
                    && module.indices.allSatisfy { low[name + $0] == module[$0] }
            }
            return bytes.dropFirst(ownStrings + own).starts(with: module)
        }
        let forms = RecordForm.ofKinds
        var position = 0
        while wordCount - position >= 3 {
            let info = TypeInfo(rawValue: word(position + 1))
            let form = forms[Int(info.rawKind)]
            guard form.isKnown else { return false }
            if info.kind == .struct, isModule(Int(word(position))) { return true }
            position += form.words(vlen: info.vlen)
        }
        return false
    }
}
