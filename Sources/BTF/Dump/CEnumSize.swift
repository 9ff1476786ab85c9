// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// What gives an enum its size in C, and its sign, which comparisons and shifts show.
enum CEnumSize {
    /// Its values alone.
    case values
    /// Its values, with the smallest type that holds them.
    case packed
    /// A machine mode. For clang, unlike gcc, such an enum is signed whatever its values.
    case mode
    /// A machine mode for gcc, which before 13 knows no other way; the type itself for others.
    case type
}

extension CDumper {
    func sizeSource(ofEnum id: UInt32) -> CEnumSize {
        let size = types.word(id, 2)
        var (least, most): (Int64, UInt64) = (0, 0)
        for index in 0..<types.count(id) {
            let value = enumValue(id, index)
            if types.info(id).flag, Int64(bitPattern: value) < 0 {
                least = min(least, Int64(bitPattern: value))
            } else {
                most = max(most, value)
            }
        }
        let isSigned = least < 0
        func holds(_ bytes: UInt32) -> Bool {
            let bits = UInt64(bytes) * 8 - (isSigned ? 1 : 0)
            let farthest = max(most, isSigned ? UInt64(bitPattern: ~least) : 0)
            return bits == 64 || farthest >> bits == 0
        }
        if size == (holds(4) ? 4 : 8) { return .values }
        let hasItsSign = isSigned == types.info(id).flag
        if size == [1, 2, 4, 8].first(where: holds), size < 8, hasItsSign { return .packed }
        // A sign that no value has.
        return types.info(id).flag ? .mode : .type
    }

    private func enumValue(_ id: UInt32, _ index: Int) -> UInt64 {
        guard types.kind(id) == .enum64 else {
            let low = types.word(id, 4 + index * 2)
            return types.info(id).flag
                ? UInt64(bitPattern: Int64(Int32(bitPattern: low))) : UInt64(low)
        }
        let at = 4 + index * 3
        return UInt64(types.word(id, at + 1)) << 32 | UInt64(types.word(id, at))
    }

    /// What stands before the values.
    mutating func putSizeBefore(_ source: CEnumSize, _ size: UInt32) {
        guard source == .type, let type = Self.unsigned(size) else { return }
        out.put("\n#if defined(__clang__) || defined(__cplusplus)\n: ")
        out.put(text: type)
        out.put("\n#endif\n")
    }

    /// What stands behind the values.
    mutating func putSizeAfter(_ source: CEnumSize, _ size: UInt32) {
        switch source {
        case .values: break
        case .packed: out.put(" __attribute__((packed))")
        case .mode: putMode(size)
        case .type:
            guard Self.unsigned(size) != nil else { return }
            out.put("\n#if !defined(__clang__) && !defined(__cplusplus)\n")
            putMode(size)
            out.put("\n#endif\n")
        }
    }

    private static func unsigned(_ size: UInt32) -> String? {
        switch size {
        case 1: "unsigned char"
        case 2: "unsigned short"
        case 4: "unsigned int"
        case 8: "unsigned long long"
        default: nil
        }
    }

    private mutating func putMode(_ size: UInt32) {
        switch size {
        case 1: out.put(" __attribute__((mode(QI)))")
        case 2: out.put(" __attribute__((mode(HI)))")
        case 4: out.put(" __attribute__((mode(SI)))")
        case 8: out.put(" __attribute__((mode(DI)))")
        default: break
        }
    }
}
