// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// One step of the program that passes over an entry's attributes.
struct AbbreviationStep: BitwiseCopyable {
    enum Operation: UInt8 {
        /// Pass over `count` bytes.
        case skipBytes
        case skipLEB
        case skipString
        case skipBlock1
        case skipBlock2
        case skipBlock4
        case skipBlock
        case skipIndirect
        /// Read a value of `form` into `slot`.
        case load
        /// The same for forms that are read often: fixed sizes, references inside the unit, LEB128.
        case load1, load2, load4, load8
        case loadReference1, loadReference2, loadReference4
        case loadLEB, loadPresent, loadBlock
        /// The value is constant `count` of the table.
        case constant
    }

    let operation: Operation
    let slot: UInt8
    let form: UInt16
    let count: UInt32
}

/// One abbreviation declaration (DWARF 5 section 7.5.3), compiled twice: to pass over an entry, with
/// neighbouring fixed sizes merged, and to decode the wanted attributes of one.
package struct Abbreviation: BitwiseCopyable, Sendable {
    package let tag: Tag
    package let hasChildren: Bool
    /// What `EntryReader.next` does with such entries.
    let interest: EntryInterest
    /// It declares so many attributes that they may not fit the bytes kept free behind a unit.
    let isLong: Bool
    let skipStart: UInt32
    let skipEnd: UInt32
    let loadEnd: UInt32
    /// Place of the declared attributes, for readers that want all of them.
    let specStart: UInt32
    let specEnd: UInt32
}

/// An attribute as declared: for reading entries whole.
package struct AttributeSpec: BitwiseCopyable, Sendable {
    package let attribute: Attribute
    package let form: Form
    package let implicitConstant: Int64
}

/// A table of abbreviations, compiled once for a unit's address and offset sizes.
package final class AbbreviationTable: Sendable {
    let entries: Arena<Abbreviation>
    /// Code - 1 -> entry for codes that are dense, as compilers make them.
    let dense: Arena<Int32>
    let sparse: [UInt64: Int32]
    let steps: Arena<AbbreviationStep>
    let constants: Arena<Int64>
    package let specs: Arena<AttributeSpec>
    /// Some entry may refer to another unit or file.
    package let refersOutside: Bool

    /// The abbreviation with this code, nil when there is none.
    func find(_ code: UInt64) -> Int? {
        let index: Int32
        if code <= UInt64(dense.count) {
            index = dense[Int(code) - 1]  // code 0 is handled by the caller
        } else {
            index = sparse[code] ?? -1
        }
        return index < 0 ? nil : Int(index)
    }

    /// - Parameters:
    ///   - section: the bytes of `.debug_abbrev`.
    ///   - offset: where the table starts in it.
    /// - Throws: a form this room does not know, a code used twice, or data that ends too early.
    package init(
        _ section: ByteView, at offset: UInt64, encoding: UnitEncoding
    ) throws(DWARFError) {
        var builder = Builder(encoding: encoding)
        do throws(ByteError) {
            guard let start = Int(exactly: offset), start <= section.count else {
                throw ByteError.truncated(offset: Int(clamping: offset))
            }
            var cursor = section.cursor(bigEndian: encoding.bigEndian)
            try cursor.seek(to: start)
            while true {
                let at = cursor.offset
                let code = try cursor.readULEB()
                if code == 0 { break }
                let tag = try cursor.readULEB()
                let children = try cursor.readU8()
                builder.begin()
                while true {
                    let specAt = cursor.offset
                    let attribute = try cursor.readULEB()
                    let form = try cursor.readULEB()
                    let implicit: Int64 =
                        form == UInt64(Form.implicitConst.rawValue) ? try cursor.readSLEB() : 0
                    if attribute == 0, form == 0 { break }
                    if let fault = builder.add(attribute, form, implicit) {
                        builder.fault = DWARFError(
                            section: ".debug_abbrev", offset: specAt, fault)
                        break
                    }
                }
                if builder.fault == nil,
                    !builder.finish(code: code, tag: tag, hasChildren: children != 0)
                {
                    builder.fault = DWARFError(
                        section: ".debug_abbrev", offset: at,
                        "abbreviation \(code) is declared twice")
                }
                if builder.fault != nil { break }
            }
        } catch {
            throw DWARFError(section: ".debug_abbrev", error)
        }
        if let fault = builder.fault { throw fault }
        sparse = builder.sparse
        refersOutside = builder.refersOutside
        entries = builder.entries
        dense = builder.dense
        steps = builder.steps
        constants = builder.constants
        specs = builder.specs
    }
}

private struct Builder: ~Copyable {
    let encoding: UnitEncoding
    var entries = Arena<Abbreviation>(capacity: 512)
    var dense = Arena<Int32>(capacity: 512)
    var sparse: [UInt64: Int32] = [:]
    var steps = Arena<AbbreviationStep>(capacity: 4096)
    var constants = Arena<Int64>()
    var specs = Arena<AttributeSpec>(capacity: 2048)
    var refersOutside = false
    var fault: DWARFError?

    private var firstSpec = 0

    init(encoding: UnitEncoding) { self.encoding = encoding }

    mutating func begin() { firstSpec = specs.count }

    /// The fault, if any.
    mutating func add(_ attribute: UInt64, _ rawForm: UInt64, _ implicit: Int64) -> String? {
        guard let code = UInt16(exactly: rawForm), encoding.size(of: Form(rawValue: code)) != nil
        else { return "unknown form 0x\(String(rawForm, radix: 16)) (DWARF \(encoding.version))" }
        let form = Form(rawValue: code)
        switch form {
        case .refAddr, .refSig8, .gnuRefAlt, .refSup4, .refSup8: refersOutside = true
        default: break
        }
        // An attribute beyond 16 bits is nobody's; 0 is kept as "no name we know".
        specs.append(
            AttributeSpec(
                attribute: Attribute(rawValue: UInt16(exactly: attribute) ?? 0), form: form,
                implicitConstant: implicit))
        return nil
    }

    /// False when the code was declared before.
    mutating func finish(code: UInt64, tag: UInt64, hasChildren: Bool) -> Bool {
        let index = Int32(truncatingIfNeeded: entries.count)
        if code == UInt64(dense.count) + 1 {
            dense.append(index)
        } else if code <= UInt64(dense.count) || sparse.updateValue(index, forKey: code) != nil {
            return false
        }
        let skipStart = steps.count
        compile(loading: false)
        let skipEnd = steps.count
        compile(loading: true)
        let tag = Tag(rawValue: UInt16(exactly: tag) ?? 0)
        entries.append(
            Abbreviation(
                tag: tag, hasChildren: hasChildren, interest: EntryInterest(tag),
                // No value but a string or a block, whose lengths are checked, takes more than 16 bytes.
                isLong: (specs.count - firstSpec + 1) * 16 > EntryReader.slack,
                skipStart: UInt32(skipStart), skipEnd: UInt32(skipEnd),
                loadEnd: UInt32(steps.count),
                specStart: UInt32(firstSpec), specEnd: UInt32(specs.count)))
        return true
    }

    private mutating func compile(loading: Bool) {
        var fixed: UInt32 = 0
        for index in firstSpec..<specs.count {
            let spec = specs[index]
            if loading, let slot = Slot(spec.attribute) {
                flush(&fixed)
                if spec.form == .implicitConst {
                    add(.constant, slot, spec.form, UInt32(constants.count))
                    constants.append(spec.implicitConstant)
                } else {
                    add(encoding.loadOperation(of: spec.form), slot, spec.form)
                }
                continue
            }
            switch encoding.size(of: spec.form)! {
            case .fixed(let bytes): fixed += UInt32(bytes)
            case .variable(let operation):
                flush(&fixed)
                steps.append(AbbreviationStep(operation: operation, slot: 0, form: 0, count: 0))
            }
        }
        flush(&fixed)
    }

    private mutating func flush(_ fixed: inout UInt32) {
        guard fixed > 0 else { return }
        steps.append(AbbreviationStep(operation: .skipBytes, slot: 0, form: 0, count: fixed))
        fixed = 0
    }

    private mutating func add(
        _ operation: AbbreviationStep.Operation, _ slot: Slot, _ form: Form, _ count: UInt32 = 0
    ) {
        steps.append(
            AbbreviationStep(
                operation: operation, slot: slot.rawValue, form: form.rawValue, count: count))
    }
}
