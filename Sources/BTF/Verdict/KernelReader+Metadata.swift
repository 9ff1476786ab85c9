// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

extension KernelReader {
    /// Each type by itself, in order (rules M).
    mutating func readTypes() throws(Unaccepted) {
        let words = ownWords()
        types.words = words
        types.starts.reserveCapacity(words.count / 5)
        let length = Int(header.typeLength)
        var capacity = 0
        var at = 0
        current = types.firstID
        while at * 4 < length {
            let left = length - at * 4
            let size = try readType(at, left)
            try add(at, &capacity)
            at += size / 4
            current += 1
        }
    }

    /// Types beyond the limit are dropped, and nothing else happens.
    private mutating func add(_ at: Int, _ capacity: inout Int) throws(Unaccepted) {
        // The kernel's table counts void, grows by a quarter, and looks at the limit when it grows.
        let base = types.isSplit ? Int(types.firstID) : 0
        let count = types.starts.count + (types.isSplit ? 0 : 1)
        if count >= capacity {
            if base + capacity == rules.maxTypes {
                if rules.maxTypes < 0xf_ffff {
                    throw refuse("M0e", at, ["Exceeded max num of types"], .tooBig)
                }
                return
            }
            capacity = min(rules.maxTypes, capacity + max(capacity / 4, 16))
            if count >= capacity { return }
        }
        types.starts.append(UInt32(at))
    }

    /// - Returns: the record's length in bytes.
    private func readType(_ at: Int, _ left: Int) throws(Unaccepted) -> Int {
        guard left >= 12 else {
            throw refuse("M0a", at, ["[\(current)] meta_left:\(left) meta_needed:12"])
        }
        let info = types.words[at + 1]
        if info & rules.infoForbidden != 0 {
            throw refuse(
                "M0b", at + 1, ["[\(current)] Invalid btf_info:" + String(info, radix: 16)])
        }
        let kind = info >> 24 & rules.kindMask
        guard kind != 0, kind <= rules.highestKind else {
            throw refuse("M0c", at + 1, ["[\(current)] Invalid kind:\(kind)"])
        }
        let name = types.words[at]
        guard isValid(name) else {
            throw refuse("M0d", at, ["[\(current)] Invalid name_offset:\(name)"])
        }
        let record = MetaRecord(
            at: at, left: left - 12, kind: kind, vlen: Int(info & rules.vlenMask),
            flag: info >> 31 != 0, name: name, third: types.words[at + 2])
        return try 12 + readRest(record)
    }

    struct MetaRecord {
        let at: Int
        /// Bytes behind the common three words.
        let left: Int
        let kind: UInt32
        let vlen: Int
        let flag: Bool
        let name: UInt32
        let third: UInt32
    }

    private func readRest(_ record: MetaRecord) throws(Unaccepted) -> Int {
        switch record.kind {
        case KernelKind.int: return try readInt(record)
        case KernelKind.ptr, KernelKind.typedef, KernelKind.volatile, KernelKind.const,
            KernelKind.restrict, KernelKind.typeTag:
            return try readReference(record)
        case KernelKind.array: return try readArray(record)
        case KernelKind.struct, KernelKind.union: return try readStruct(record)
        case KernelKind.enum: return try readEnum(record, element: 2)
        case KernelKind.enum64: return try readEnum(record, element: 3)
        case KernelKind.fwd: return try readForward(record)
        case KernelKind.func: return try readFunction(record)
        case KernelKind.funcProto: return try readPrototype(record)
        case KernelKind.var: return try readVariable(record)
        case KernelKind.datasec: return try readSection(record)
        case KernelKind.float: return try readFloat(record)
        case KernelKind.locParam: return try readLocation(record)
        case KernelKind.locProto: return try readLocationPrototype(record)
        case KernelKind.locsec: return try readLocationSection(record)
        default: return try readDeclTag(record)
        }
    }

    // MARK: Refusals

    func refuse(
        _ rule: String, _ word: Int, _ lines: [String], _ errno: KernelErrno = .invalid
    ) -> Unaccepted {
        refusal(rule, errno, type: current, lines: lines, offset: offset(ofWord: word))
    }

    /// With the type and its details, as most refusals are.
    func refuse(
        _ rule: String, _ record: MetaRecord, word: Int = 0, _ words: String,
        _ errno: KernelErrno = .invalid
    ) -> Unaccepted {
        refuse(rule, record.at + word, [text(record) + " " + words], errno)
    }

    private func refuse(
        _ rule: String, _ record: MetaRecord, needed: Int
    ) -> Unaccepted {
        refuse(
            rule, record.at,
            [
                "[\(current)] \(KernelLog.word(record.kind)) \(types.shown(record.name)) "
                    + "meta_left:\(record.left) meta_needed:\(needed)"
            ])
    }

    private func text(_ record: MetaRecord) -> String {
        "[\(current)] \(KernelLog.word(record.kind)) \(types.shown(record.name)) "
            + KernelLog.details(types, at: record.at, record.kind)
    }

    func need(_ rule: String, _ record: MetaRecord, _ bytes: Int) throws(Unaccepted) {
        if record.left < bytes { throw refuse(rule, record, needed: bytes) }
    }

    private func needNoElements(_ rule: String, _ record: MetaRecord) throws(Unaccepted) {
        if record.vlen != 0 { throw refuse(rule, record, word: 1, "vlen != 0") }
    }

    func needNoFlag(_ rule: String, _ record: MetaRecord) throws(Unaccepted) {
        if record.flag { throw refuse(rule, record, word: 1, "Invalid btf_info kind_flag") }
    }

    // MARK: Names and ids

    private func isValid(_ offset: UInt32) -> Bool {
        offset <= rules.maxNameOffset && types.hasString(offset)
    }

    func isValid(id: UInt32) -> Bool { id <= rules.maxTypes }

    /// Of a valid offset.
    func isIdentifier(_ offset: UInt32) -> Bool {
        names.isIdentifier(types, offset, limit: rules.maxNameLength)
    }

    private func needIdentifier(
        _ rule: String, _ record: MetaRecord, orNone: Bool = false
    ) throws(Unaccepted) {
        if record.name == 0 ? orNone : isIdentifier(record.name) { return }
        throw refuse(rule, record, "Invalid name")
    }

    // MARK: Kinds

    private func readInt(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M1", record, 4)
        try needNoElements("M1", record)
        try needNoFlag("M1", record)
        let data = types.words[record.at + 3]
        if data & ~0x0fff_ffff != 0 {
            throw refuse(
                "M1", record.at + 3,
                [
                    "[\(current)] INT \(types.shown(record.name)) Invalid int_data:"
                        + String(data, radix: 16)
                ])
        }
        let bits = (data & 0xff) + (data >> 16 & 0xff)
        if bits > 128 { throw refuse("M1", record, word: 3, "nr_bits exceeds 128") }
        if (bits + 7) / 8 > record.third {
            throw refuse("M1", record, word: 3, "nr_bits exceeds type_size")
        }
        let encoding = data >> 24 & 0xf
        if encoding != 0, encoding != 1, encoding != 2, encoding != 4 {
            throw refuse("M1", record, word: 3, "Unsupported encoding", .notSupported)
        }
        return 4
    }

    private func readReference(_ record: MetaRecord) throws(Unaccepted) -> Int {
        let rule =
            switch record.kind {
            case KernelKind.typedef: "M3"
            case KernelKind.typeTag: "M4"
            default: "M2"
            }
        try needNoElements(rule, record)
        if record.kind != KernelKind.typeTag || !rules.takesFlaggedTags {
            try needNoFlag(rule, record)
        }
        if !isValid(id: record.third) { throw refuse(rule, record, word: 2, "Invalid type_id") }
        let isNamed =
            switch record.kind {
            case KernelKind.typedef: record.name != 0 && isIdentifier(record.name)
            case KernelKind.typeTag: !types.isEmpty(record.name)
            default: record.name == 0
            }
        if !isNamed { throw refuse(rule, record, "Invalid name") }
        return 0
    }

    private func readArray(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M5", record, 12)
        if record.name != 0 { throw refuse("M5", record, "Invalid name") }
        try needNoElements("M5", record)
        try needNoFlag("M5", record)
        if record.third != 0 { throw refuse("M5", record, word: 2, "size != 0") }
        for (word, what) in [(3, "Invalid elem"), (4, "Invalid index")] {
            let id = types.words[record.at + word]
            if id == 0 || !isValid(id: id) { throw refuse("M5", record, word: word, what) }
        }
        return 12
    }

    private func readStruct(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M6", record, record.vlen * 12)
        try needIdentifier("M6", record, orNone: true)
        var last: UInt32 = 0
        for index in 0..<record.vlen {
            let at = record.at + 3 + index * 3
            func refuseMember(_ word: Int, _ words: String) -> Unaccepted {
                refuse(
                    "M6", at + word, [KernelLog.member(types, at: at, flag: record.flag) + words])
            }
            let name = types.words[at]
            if !isValid(name) { throw refuseMember(0, "Invalid member name_offset:\(name)") }
            if name != 0, !isIdentifier(name) { throw refuseMember(0, "Invalid name") }
            let type = types.words[at + 1]
            if type == 0 || !isValid(id: type) { throw refuseMember(1, "Invalid type_id") }
            let offset = types.words[at + 2] & (record.flag ? 0xff_ffff : .max)
            if record.kind == KernelKind.union && offset != 0 || last > offset {
                throw refuseMember(2, "Invalid member bits_offset")
            }
            if offset / 8 + (offset % 8 == 0 ? 0 : 1) > record.third {
                throw refuseMember(2, "Member bits_offset exceeds its struct size")
            }
            last = offset
        }
        return record.vlen * 12
    }

    private func readEnum(_ record: MetaRecord, element: Int) throws(Unaccepted) -> Int {
        try need("M7", record, record.vlen * element * 4)
        if record.kind == KernelKind.enum, !rules.takesFlaggedEnum { try needNoFlag("M7", record) }
        let size = record.third
        if size > 8 || size & (size &- 1) != 0 || size == 0
            || record.kind == KernelKind.enum && !rules.takesEnumSizes && size != 4
        {
            throw refuse("M7", record, word: 2, "Unexpected size")
        }
        try needIdentifier("M7", record, orNone: true)
        for index in 0..<record.vlen {
            let at = record.at + 3 + index * element
            let name = types.words[at]
            if !isValid(name) { throw refuse("M7", at, ["\tInvalid name_offset:\(name)"]) }
            if name == 0 || !isIdentifier(name) {
                throw refuse("M7", record, word: at - record.at, "Invalid name")
            }
        }
        return record.vlen * element * 4
    }

    private func readForward(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try needNoElements("M8", record)
        if record.third != 0 { throw refuse("M8", record, word: 2, "type != 0") }
        try needIdentifier("M8", record)
        return 0
    }

    private func readFunction(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try needIdentifier("M9", record)
        if !rules.takesLinkage {
            try needNoElements("M9", record)
        } else if record.vlen > 1 {
            throw refuse("M9", record, word: 1, "Invalid func linkage")
        }
        try needNoFlag("M9", record)
        return 0
    }

    private func readPrototype(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M10", record, record.vlen * 8)
        if record.name != 0 { throw refuse("M10", record, "Invalid name") }
        try needNoFlag("M10", record)
        return record.vlen * 8
    }

    private func readVariable(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M11", record, 4)
        try needNoElements("M11", record)
        try needNoFlag("M11", record)
        try needIdentifier("M11", record)
        if record.third == 0 || !isValid(id: record.third) {
            throw refuse("M11", record, word: 2, "Invalid type_id")
        }
        if types.words[record.at + 3] > 1 {
            throw refuse("M11", record, word: 3, "Linkage not supported")
        }
        return 4
    }

    private func readSection(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M12", record, record.vlen * 12)
        if record.third == 0 { throw refuse("M12", record, word: 2, "size == 0") }
        try needNoFlag("M12", record)
        guard record.name != 0, isSectionName(record.name) else {
            throw refuse("M12", record, "Invalid name")
        }
        let size = UInt64(record.third)
        var end: UInt64 = 0
        var sum: UInt64 = 0
        for index in 0..<record.vlen {
            let at = record.at + 3 + index * 3
            func refuseVariable(_ word: Int, _ words: String) -> Unaccepted {
                refuse("M12", at + word, [KernelLog.variable(types, at: at) + words])
            }
            let (type, offset) = (types.words[at], UInt64(types.words[at + 1]))
            let length = UInt64(types.words[at + 2])
            if type == 0 || !isValid(id: type) { throw refuseVariable(0, "Invalid type_id") }
            if offset < end || offset >= size { throw refuseVariable(1, "Invalid offset") }
            if length == 0 || length > size { throw refuseVariable(2, "Invalid size") }
            // The sum of two 32-bit numbers, as the kernel has it.
            end = UInt64(types.words[at + 1] &+ types.words[at + 2])
            if end > size { throw refuseVariable(2, "Invalid offset+size") }
            sum += length
        }
        if size < sum { throw refuse("M12", record, word: 2, "Invalid btf_info size") }
        return record.vlen * 12
    }

    /// Before `takesAnySection`, an identifier in which dots are taken anyway.
    func isSectionName(_ offset: UInt32) -> Bool {
        let (strings, at) = types.place(of: offset)
        return rules.takesAnySection
            ? names.isSection(strings, at, limit: rules.maxNameLength)
            : NameBytes(takesDots: true).isIdentifier(strings, at, limit: rules.maxNameLength)
    }

    private func readFloat(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try needNoElements("M13", record)
        try needNoFlag("M13", record)
        if ![2, 4, 8, 12, 16].contains(record.third) {
            throw refuse("M13", record, word: 2, "Invalid type_size")
        }
        return 0
    }

    private func readDeclTag(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M14", record, 4)
        if types.isEmpty(record.name) { throw refuse("M14", record, "Invalid value") }
        try needNoElements("M14", record)
        if !rules.takesFlaggedTags { try needNoFlag("M14", record) }
        if Int32(bitPattern: types.words[record.at + 3]) < -1 {
            throw refuse("M14", record, word: 3, "Invalid component_idx")
        }
        return 4
    }
}
