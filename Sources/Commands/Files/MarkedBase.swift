// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import ArgumentParser
import Bytes
import Console
import ELF
import KernelTree

/// `--no-mark`.
struct MarkOptions: ParsableArguments {
    @Flag(
        name: .customLong("no-mark"),
        help: "Do not describe the BTF in the module's modinfo (btf=).")
    var noMark = false
}

extension BTFMark {
    /// The mark of BTF that this kbtf writes.
    ///
    /// - Parameter base: of standalone BTF, nil.
    init(_ form: Form, on base: IndexedBase?) {
        self.init(
            form, base: base.flatMap { $0.release ?? $0.kernel }, digest: base?.digest.value,
            version: Console.version)
    }

    /// The same for a base without an index.
    init(_ form: Form, on base: LoadedBase?) {
        self.init(
            form, base: base?.release, digest: base?.digest.value, version: Console.version)
    }

    /// The base by both names that the mark has for it; nil without a digest.
    private var namedBase: String? {
        digest.map { "\(base.map { "Linux \($0), " } ?? "")digest \($0)" }
    }

    /// How another base than the one that the mark names shows.
    ///
    /// - Returns: nil for that base, or if the mark does not say which it is.
    func difference(to digest: LazyBaseDigest) -> String? {
        guard form != .standalone, let namedBase, let own = self.digest, own != digest.value
        else { return nil }
        return "its mark names another base (\(namedBase)), this one has digest \(digest.value)"
    }
}

extension BTFMark: JSONValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("form", form.rawValue)
            json.field("base", base?.text)
            json.field("digest", digest.map { "\($0)" })
            json.field("kbtf", version)
        }
    }
}
