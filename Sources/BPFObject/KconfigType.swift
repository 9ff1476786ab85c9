// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF

/// The values that a variable declared `__kconfig` accepts.
package struct KconfigType: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        case bool
        /// enum libbpf_tristate
        case tristate
        /// One byte: a letter or a number.
        case char(isSigned: Bool)
        case integer(isSigned: Bool)
        /// An array of char.
        case text
    }

    package let form: Form
    package let type: TypeID
    /// Bytes.
    package let size: Int
    package let alignment: Int

    /// nil for types that libbpf does not fill in.
    init?(_ type: TypeID, in btf: BTF) {
        guard let record = btf.plain(type), let size = btf.size(of: type), size > 0 else {
            return nil
        }
        guard let form = Self.form(of: record, in: btf) else { return nil }
        self.type = type
        self.form = form
        self.size = Int(size)
        alignment = form == .text ? 1 : Int(min(size, 8))
    }

    private static func form(of record: Record, in btf: BTF) -> Form? {
        switch record.kind {
        case .int:
            let encoding = record.fixed(0) >> 24
            if encoding & IntEncoding.bool != 0 { return record.size == 1 ? .bool : nil }
            let isSigned = encoding & IntEncoding.signed != 0
            switch record.size {
            case 1: return .char(isSigned: isSigned)
            case 2, 4, 8: return .integer(isSigned: isSigned)
            default: return nil
            }
        case .enum:
            return record.size == 4 && btf.isNamed(record, "libbpf_tristate") ? .tristate : nil
        case .array:
            guard let element = btf.plain(TypeID(record.fixed(0))), element.kind == .int,
                case .char = form(of: element, in: btf)
            else { return nil }
            return .text
        default: return nil
        }
    }
}
