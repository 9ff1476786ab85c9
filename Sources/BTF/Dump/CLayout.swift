// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Sizes and alignments as a C compiler would choose them, worked out on demand, each once.
struct CLayout {
    /// Size and alignment of one type. Alignment 0: none, as for functions and incomplete types.
    struct Place {
        var size: UInt64 = 0
        var align: UInt32 = 0
        /// A struct whose members or size do not fit its members' natural alignment.
        var packed = false
    }

    private enum State: UInt8 { case new, open, done }

    let pointerSize: UInt32
    private let types: TypeTable
    private var own: [Progress]
    /// Of the base, which is many times larger than a module, a module uses few types.
    private var low: [UInt32: Progress] = [:]

    private struct Progress {
        var place = Place()
        var state = State.new
    }

    init(_ types: TypeTable) {
        self.types = types
        pointerSize = types.longSize ?? 8
        own = Array(repeating: Progress(), count: types.ownIDs.count)
    }

    private subscript(_ id: UInt32) -> Progress {
        get {
            id < types.firstID
                ? low[id, default: Progress()] : own[Int(id - types.firstID)]
        }
        set {
            if id < types.firstID {
                low[id] = newValue
            } else {
                own[Int(id - types.firstID)] = newValue
            }
        }
    }

    /// Types that contain themselves by value have no layout; what is asked of them reads as 0.
    mutating func place(_ id: UInt32) -> Place {
        guard types.exists(id) else { return Place() }
        if self[id].state != .done { resolve(id) }
        return self[id].place
    }

    /// Inner types first, by a stack of its own: nesting may be as deep as the file is long.
    private mutating func resolve(_ root: UInt32) {
        var stack = [root]
        while let id = stack.last {
            if self[id].state == .new {
                self[id].state = .open
                let depth = stack.count
                forEachPart(id) { part in
                    if types.exists(part), self[part].state == .new { stack.append(part) }
                }
                if stack.count > depth { continue }
            }
            stack.removeLast()
            if self[id].state == .open {
                self[id] = Progress(place: compute(id), state: .done)
            }
        }
    }

    /// The types that `id` contains by value.
    private func forEachPart(_ id: UInt32, _ body: (UInt32) -> Void) {
        var index = 0
        while let part = types.part(index, of: id) {
            body(part)
            index += 1
        }
    }

    private func known(_ id: UInt32) -> Place { types.exists(id) ? self[id].place : Place() }

    private func compute(_ id: UInt32) -> Place {
        let third = types.word(id, 2)
        switch types.kind(id).role {
        case .integer, .enumeration, .float:
            return Place(size: UInt64(third), align: min(pointerSize, third))
        case .pointer:
            return Place(size: UInt64(pointerSize), align: pointerSize)
        case .alias, .qualifier, .typeTag:
            let target = known(third)
            return Place(size: target.size, align: target.align)
        case .array:
            let element = known(types.word(id, 3))
            let size = element.size.multipliedReportingOverflow(by: UInt64(types.word(id, 5)))
            let fits = !size.overflow && size.partialValue <= UInt64(UInt32.max)
            return Place(size: fits ? size.partialValue : 0, align: element.align)
        case .composite:
            return compose(id)
        case .forward, .function, .prototype, .variable, .section, .declarationTag, .location,
            .locationPrototype, .locationSection, .unknown:
            return Place()
        }
    }

    private func compose(_ id: UInt32) -> Place {
        var place = Place(size: UInt64(types.word(id, 2)), align: 1)
        let flag = types.info(id).flag
        var misplaced = false
        var unknown = false
        for index in 0..<types.count(id) {
            let raw = types.word(id, 5 + index * 3)
            let align = known(types.word(id, 4 + index * 3)).align
            if align == 0 { unknown = true }
            place.align = max(place.align, align)
            let isBitfield = flag && raw >> 24 != 0
            let offset = UInt64(flag ? raw & 0xff_ffff : raw)
            if align != 0, !isBitfield, offset % (UInt64(align) * 8) != 0 { misplaced = true }
        }
        place.packed = misplaced || place.size % UInt64(place.align) != 0
        if unknown {
            place.align = 0
        } else if place.packed {
            place.align = 1
        }
        return place
    }
}
