// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// The kinds of inline sites, as in linux-next.

extension KernelReader {
    func readLocation(_ record: MetaRecord) throws(Unaccepted) -> Int {
        let count = record.vlen
        let needed = 4 + count * 4
        try need("M15", record, needed)
        if record.name != 0 { throw refuse("M15", record, "Invalid name") }
        let size = record.third
        if size == 0 || size > 16 { throw refuse("M15", record, word: 2, "Unexpected size") }
        try needNoFlag("M15", record)
        func refuseCount() -> Unaccepted { refuse("M15", record, word: 1, "Invalid vlen") }
        if count < 1 { throw refuseCount() }
        let flags = types.words[record.at + 3]
        switch flags & ~LocationFlags.signed {
        case LocationFlags.constant, LocationFlags.constant | LocationFlags.address:
            if count > 2 || size > 4 && count != 2 || size > 8 { throw refuseCount() }
        case LocationFlags.register where flags == LocationFlags.register:
            if count > 2 { throw refuseCount() }
        case LocationFlags.register | LocationFlags.dereferenced
        where flags & LocationFlags.signed == 0:
            if count != 1 { throw refuseCount() }
        case LocationFlags.register | LocationFlags.offset,
            LocationFlags.register | LocationFlags.offset | LocationFlags.dereferenced:
            if count < 2 || count > 3 { throw refuseCount() }
        default: throw refuse("M15", record, word: 3, "Invalid flags")
        }
        return needed
    }

    func readLocationPrototype(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M16", record, record.vlen * 4)
        if record.name != 0 { throw refuse("M16", record, "Invalid name") }
        try needNoFlag("M16", record)
        return record.vlen * 4
    }

    func readLocationSection(_ record: MetaRecord) throws(Unaccepted) -> Int {
        try need("M17", record, record.vlen * 12)
        try needNoFlag("M17", record)
        guard record.name != 0, isSectionName(record.name) else {
            throw refuse("M17", record, "Invalid name")
        }
        for index in 0..<record.vlen {
            let at = record.at + 3 + index * 3
            for (word, what) in [(0, "Invalid func"), (1, "Invalid loc_proto")] {
                let id = types.words[at + word]
                if id == 0 || !isValid(id: id) {
                    throw refuse("M17", at + word, [KernelLog.site(types, at: at) + what])
                }
            }
        }
        return record.vlen * 12
    }
}

extension KernelResolver {
    mutating func stepLocationPrototype(_ id: UInt32) throws(Unaccepted) -> Step {
        if types.third(id) != 0 {
            throw refuse("R25", type: id, word: 2, "Invalid loc_proto type")
        }
        for index in 0..<types.vlen(id) {
            let place = types.word(id, 3 + index)
            if place == 0 { continue }
            guard types.kindIfAny(place) == KernelKind.locParam else {
                throw refuse("R25", type: id, word: 3 + index, "Invalid loc_param#\(index + 1)")
            }
        }
        return pop(0)
    }

    mutating func stepLocationSection(_ vertex: Vertex) throws(Unaccepted) -> Step {
        let id = vertex.id
        if types.third(id) != 0 { throw refuse("R26", type: id, word: 2, "Invalid locsec type") }
        mode = .undecided
        for index in vertex.next..<max(types.vlen(id), vertex.next) {
            let word = 3 + index * 3
            let (function, places) = (types.word(id, word), types.word(id, word + 1))
            guard types.kindIfAny(function) == KernelKind.func,
                types.kindIfAny(types.third(function)) == KernelKind.funcProto
            else { throw refuse("R26", type: id, word: word, "Invalid func#\(index + 1)") }
            if !isResolved(function) {
                stack[stack.count - 1].next = index
                return .push(function)
            }
            guard types.kindIfAny(places) == KernelKind.locProto else {
                throw refuse("R26", type: id, word: word + 1, "Invalid loc_proto#\(index + 1)")
            }
            guard types.vlen(types.third(function)) == types.vlen(places) else {
                throw refuse(
                    "R26", type: id, word: word + 1, "Mismatched vlen for loc_proto#\(index + 1)")
            }
            if !isResolved(places) {
                stack[stack.count - 1].next = index + 1
                return .push(places)
            }
        }
        return pop(0)
    }
}
