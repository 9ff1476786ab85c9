// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import ELF

/// The CO-RE relocations of a BPF object, for questions that need nothing else of it: maps,
/// programs and what a loader could do with them are not looked at.
package struct RelocatedObject: Sendable {
    /// The file's name in errors.
    package let file: String
    package let btf: BTF
    /// In the order of `.BTF.ext`, which is libbpf's.
    package let relocations: [ExtendedInfo.FieldRelocation]

    /// - Throws: `BPFObjectError` for a file that is damaged or not a BPF object, and for one
    ///   without `.BTF.ext`.
    package init(_ bytes: ByteView, path: String) throws(BPFObjectError) {
        let reader = try ObjectReader(bytes, path: path)
        guard reader.roles.contains(.btfExt) else {
            throw BPFObjectError(
                file: path, section: ".BTF.ext", "no such section", hint: "compile with -g")
        }
        file = path
        btf = reader.btf
        relocations = try ExtendedInfo.read(reader).relocations
    }

    func error(
        _ relocation: ExtendedInfo.FieldRelocation, _ message: String, hint: String? = nil
    ) -> BPFObjectError {
        let name = btf.record(relocation.type)?.name.prefix(100) ?? ""
        return BPFObjectError(
            file: file, section: relocation.section, offset: relocation.offset,
            "relocation of type \(relocation.type)\(name.isEmpty ? "" : " (\(name))"), "
                + "'\(relocation.access.prefix(100))': \(message)", hint: hint)
    }
}
