// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes

/// What calling conventions ask about the type of an argument or result.
struct ArgumentShape: Equatable {
    enum Kind { case integer, float, composite, unknown }

    var kind: Kind
    /// Bytes.
    var size: UInt32
    /// The largest power of two up to 16 that the ABI aligns it to, as far as its fields show.
    var alignment: UInt32 = 1
    var isPointer = false
    var isUnion = false
    /// A composite with a field at a place that is not a multiple of the field's alignment.
    var isUneven = false
    /// That, or its size is not a multiple of its alignment.
    var isPacked = false
    /// Of a composite, what its first two eightbytes hold.
    var low = Eightbyte.nothing
    var high = Eightbyte.nothing
    /// It holds a floating-point number that the x87 unit computes with.
    var isX87 = false
    /// A composite whose fields are one to four floating-point numbers of one size.
    var isAllFloats = false
    /// Some field is one.
    var hasFloats = false

    enum Eightbyte: Comparable { case nothing, float, integer }

    static let unknown = ArgumentShape(kind: .unknown, size: 0)
}

/// Walks the fields of a composite down to numbers and pointers.
private struct FieldWalk {
    var shape: ArgumentShape
    /// Fields are looked at up to here; types with more are not classified.
    var allowance = 1024
    private let limit: UInt32
    private var end: UInt64 = 0
    private var floats = 0
    private var floatSize: UInt32 = 0
    private var others = 0

    var hasFields: Bool { floats + others > 0 }

    init(size: UInt32, isUnion: Bool, largestAlignment: UInt32) {
        limit = largestAlignment
        shape = ArgumentShape(kind: .composite, size: size, isUnion: isUnion)
    }

    /// - Parameters:
    ///   - bytes: those of the composite that it takes.
    ///   - count: of how many floating-point numbers it consists, if it does.
    mutating func add(
        _ field: ArgumentShape, _ bytes: Range<UInt64>, isBitfield: Bool, count: UInt32
    ) {
        end = max(end, bytes.upperBound)
        let isFloat = field.kind == .float && !isBitfield
        if isFloat {
            shape.hasFloats = true
            floats += Int(min(count, 8))
            if floatSize != 0, floatSize != field.size { others += 1 }
            floatSize = field.size
        } else {
            others += 1
        }
        let alignment = UInt64(field.alignment)
        if !isBitfield, bytes.lowerBound % alignment != 0 {
            shape.isUneven = true
        } else {
            shape.alignment = max(shape.alignment, field.alignment)
        }
        if field.isX87 { shape.isX87 = true }
        let content: ArgumentShape.Eightbyte = isFloat && !field.isX87 ? .float : .integer
        if bytes.lowerBound < 8 { shape.low = max(shape.low, content) }
        if bytes.upperBound > 8 { shape.high = max(shape.high, content) }
    }

    mutating func finish() {
        let size = UInt64(shape.size)
        if shape.isUneven || shape.size % shape.alignment != 0 {
            shape.isPacked = true
            shape.alignment = 1
        }
        // An attribute aligned it to more than its fields need.
        while !shape.isPacked, shape.alignment < limit,
            (end + UInt64(shape.alignment) - 1) & ~(UInt64(shape.alignment) - 1) < size
        {
            shape.alignment *= 2
        }
        shape.isAllFloats = others == 0 && (1...4).contains(floats)
    }
}

extension UnitEncoder {
    /// The shape of a type whose references are resolved.
    ///
    /// - Parameter word: bytes of a pointer.
    func argumentShape(_ id: UInt32, word: UInt32) -> ArgumentShape {
        var id = id
        for _ in 0..<32 where TypeWriter.isUnstored(id) {
            let kind = types.info(id).kind
            switch kind {
            case .const, .volatile, .restrict, .typedef, .typeTag: id = types.word(id, 2)
            case .int, .enum, .enum64:
                let size = types.word(id, 2)
                guard size > 0, size <= 16 else { return .unknown }
                return ArgumentShape(kind: .integer, size: size, alignment: naturalAlignment(size))
            case .ptr:
                return ArgumentShape(kind: .integer, size: word, alignment: word, isPointer: true)
            case .float:
                let size = types.word(id, 2)
                var shape = ArgumentShape(
                    kind: .float, size: size, alignment: naturalAlignment(size))
                shape.isX87 = size > 8 && types.word(id, 0) == context.longDoubleName
                return shape
            case .struct, .union: return compositeShape(id, word: word)
            default: return .unknown
            }
        }
        return .unknown
    }

    private func naturalAlignment(_ size: UInt32) -> UInt32 {
        size.nonzeroBitCount == 1 ? min(size, context.convention.largestAlignment) : 1
    }

    private func compositeShape(_ id: UInt32, word: UInt32) -> ArgumentShape {
        var walk = FieldWalk(
            size: types.word(id, 2), isUnion: types.info(id).kind == .union,
            largestAlignment: context.convention.largestAlignment)
        var open: [(id: UInt32, offset: UInt64)] = [(id, 0)]
        while let next = open.popLast() {
            let info = types.info(next.id)
            for index in 0..<info.vlen {
                walk.allowance -= 1
                guard walk.allowance > 0 else { return .unknown }
                var (element, count) = (types.word(next.id, 4 + 3 * index), UInt32(1))
                let place = types.word(next.id, 5 + 3 * index)
                let width = info.flag ? place >> 24 : 0
                let bits = UInt64(info.flag ? place & 0xff_ffff : place)
                let offset = next.offset + bits / 8
                // Arrays lie as their elements do.
                for _ in 0..<32 where TypeWriter.isUnstored(element) {
                    let kind = types.info(element).kind
                    if kind == .array {
                        count =
                            count.multipliedReportingOverflow(by: types.word(element, 5))
                            .partialValue
                        element = types.word(element, 3)
                    } else if kind?.isModifier == true || kind == .typedef {
                        element = types.word(element, 2)
                    } else {
                        break
                    }
                }
                guard TypeWriter.isUnstored(element) else { return .unknown }
                if count == 0 { continue }
                let kind = types.info(element).kind
                if kind == .struct || kind == .union {
                    let size = types.word(element, 2)
                    // More of them than the first matter for eightbytes only.
                    for number in 0..<(walk.shape.size > 16 ? 1 : min(count, 16)) {
                        open.append((element, offset + UInt64(number) * UInt64(size)))
                    }
                    continue
                }
                let field = argumentShape(element, word: word)
                guard field.kind != .unknown else { return .unknown }
                let end =
                    width == 0
                    ? offset + UInt64(field.size) * UInt64(count)
                    : next.offset + (bits + UInt64(width) + 7) / 8
                walk.add(field, offset..<end, isBitfield: width != 0, count: count)
            }
        }
        // BTF may have lost its members.
        guard walk.hasFields || walk.shape.size == 0 else { return .unknown }
        walk.finish()
        return walk.shape
    }
}
