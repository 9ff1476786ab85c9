// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

extension CDumper {
    /// A LOCSEC as a comment, because C has no declaration of inlined calls: a line for each, with
    /// the places of the parameters; `-` if a place is not known.
    ///
    ///     /* inline.text: 1 inlined call
    ///      *   +0x40 foo(a: reg5, b: *(reg7 + 0x10))
    ///      */
    mutating func putSites(_ id: UInt32) throws(BTFError) {
        let count = types.count(id)
        out.put(text: "/* \(commentName(id)): \(count) inlined call\(count == 1 ? "" : "s")\n")
        for index in 0..<count {
            try spend()
            let at = 3 + index * 3
            let (function, places) = (types.word(id, at), types.word(id, at + 1))
            out.put(text: " *   +0x\(String(types.word(id, at + 2), radix: 16)) ")
            out.put(text: types.exists(function) ? commentName(function) : "type \(function)")
            out.put(text: "(\(try parameters(of: function, at: places)))\n")
        }
        out.put(" */\n\n")
    }

    private mutating func parameters(
        of function: UInt32, at places: UInt32
    ) throws(BTFError) -> String {
        guard types.kindIfAny(places) == .locProto else { return "type \(places)" }
        let prototype =
            types.kindIfAny(function) == .func ? types.word(function, 2) : 0
        let names = types.kindIfAny(prototype) == .funcProto ? types.count(prototype) : 0
        var texts: [String] = []
        for index in 0..<types.count(places) {
            try spend()
            let place = types.word(places, 3 + index)
            let name =
                index < names ? text(types.word(prototype, 3 + index * 2)) : ""
            let location = types.kindIfAny(place) == .locParam ? types.location(place) : "-"
            texts.append(name.isEmpty ? location : "\(name): \(location)")
        }
        return texts.joined(separator: ", ")
    }

    private func commentName(_ id: UInt32) -> String { text(types.nameOffset(id)) }

    /// A name that cannot end the comment.
    private func text(_ name: UInt32) -> String {
        String(decoding: types.string(at: name), as: UTF8.self)
            .replacing("*/", with: "* /")
    }
}
