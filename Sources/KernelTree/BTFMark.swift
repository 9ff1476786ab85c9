// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// What a module says about its BTF in its modinfo: `btf=FORM`, then words `KEY=VALUE`, of which
/// these are known. Unmodified kernels ignore it; those with our patches read the form.
package struct BTFMark: Hashable, Sendable {
    package enum Form: String, CaseIterable, Sendable { case standalone, split, distilled }

    package let form: Form
    /// `base=`: the kernel whose BTF is the base; nil for none, and if it was not known.
    package let base: KernelRelease?
    /// `digest=`: that of the base.
    package let digest: BaseDigest?
    /// `kbtf=`: the version that wrote it.
    package let version: String?

    package init(_ form: Form, base: KernelRelease?, digest: BaseDigest?, version: String?) {
        self.form = form
        self.base = base
        self.digest = digest
        self.version = version
    }

    /// The field, without the NUL at its end.
    package var text: String {
        var words = ["btf=\(form.rawValue)"]
        if let base { words.append("base=\(base)") }
        if let digest { words.append("digest=\(digest)") }
        if let version { words.append("kbtf=\(version)") }
        return words.joined(separator: " ")
    }

    /// Why a field cannot be read.
    package struct Fault: Error, Equatable {
        /// Follows `btf=`.
        package let message: String
        /// Where it is in `.modinfo`.
        package let offset: Int
    }

    /// Longer fields are not ours.
    package static let mostBytes = 255

    /// The mark in the contents of `.modinfo`; nil for none.
    package init?(in modinfo: ByteView) throws(Fault) {
        let fields = BTFMark.fields(of: modinfo)
        guard let field = fields.first else { return nil }
        func fault(_ message: String) -> Fault { Fault(message: message, offset: field.lowerBound) }
        if fields.count > 1 { throw fault("\(fields.count) fields: expected one") }
        guard field.upperBound < modinfo.count else { throw fault("no NUL at its end") }
        guard field.count <= BTFMark.mostBytes else {
            throw fault("\(field.count) bytes: expected at most \(BTFMark.mostBytes)")
        }
        let words = modinfo.array[field].split(separator: UInt8(ascii: " "))
            .map { String(decoding: $0, as: UTF8.self) }
        var values: [Substring: Substring] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw fault("expected KEY=VALUE, not '\(word)'") }
            guard values.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw fault("\(parts[0])= twice")
            }
        }
        let name = values["btf"] ?? ""
        guard let form = Form(rawValue: String(name)) else {
            throw fault("unknown form '\(name)': expected standalone, split or distilled")
        }
        self.form = form
        base = try values["base"].map { text throws(Fault) in
            guard let release = KernelRelease(text) else {
                throw fault("base=\(text): not a kernel's release")
            }
            return release
        }
        digest = try values["digest"].map { text throws(Fault) in
            guard let digest = BaseDigest(text) else {
                throw fault("digest=\(text): expected 16 hexadecimal digits")
            }
            return digest
        }
        version = values["kbtf"].map { String($0) }
    }

    /// The contents of `.modinfo` with this mark in place of all others, or without any.
    ///
    /// Symbols refer to fields by their offsets, so nothing else moves: old marks become NULs,
    /// which readers skip, and the new one is the last field.
    package static func replacing(in modinfo: ByteView, with mark: BTFMark?) -> [UInt8] {
        var bytes = modinfo.array
        let old = fields(of: modinfo)
        for field in old {
            bytes.replaceSubrange(field, with: repeatElement(0, count: field.count))
        }
        if let last = old.last, last.upperBound + 1 >= bytes.count {
            bytes.removeSubrange(last.lowerBound...)
        }
        guard let mark else { return bytes }
        if let end = bytes.last, end != 0 { bytes.append(0) }
        return bytes + Array(mark.text.utf8) + [0]
    }

    /// Where the fields `btf=` are, without the NUL.
    private static func fields(of modinfo: ByteView) -> [Range<Int>] {
        let key = Array("btf=".utf8)
        var found: [Range<Int>] = []
        var at = 0
        while let hit = modinfo.find(key, from: at) {
            at = hit + key.count
            guard hit == 0 || modinfo[hit - 1] == 0 else { continue }
            while let byte = modinfo.byte(at), byte != 0 { at += 1 }
            found.append(hit..<at)
        }
        return found
    }
}
