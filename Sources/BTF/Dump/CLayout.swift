// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Sizes and alignments as a C compiler would choose them, worked out on demand, each once.
struct CLayout {
    /// Whose idea of them.
    enum Rule {
        /// bpftool's: one alignment for each type; unions and bitfields are taken as they come.
        case bpftool
        /// What all compilers make of the text that `CDumper` writes for a type.
        case exact
    }

    /// How a struct or union is written so that it has the layout that BTF states.
    enum Form: UInt8 {
        /// Its members, one after the other.
        case plain
        /// With padding between them or behind them.
        case padded
        /// With padding and the attribute `packed`.
        case packed
        /// As bytes: C has no such layout.
        case opaque
    }

    /// Size and alignment of one type, in bytes. Alignment 0: none, as for functions and incomplete
    /// types.
    struct Place {
        var size: UInt64 = 0
        var align: UInt32 = 0
        /// The largest alignment that a compiler may choose: 8 for a `long long` of which `align`
        /// is 4, for it is 4 on i386 and 8 on arm. The same as `align` by bpftool's rule.
        var highAlign: UInt32 = 0
        var form = Form.plain

        /// A struct whose members or size do not fit its members' natural alignment.
        var packed: Bool { form == .packed }

        init() {}

        init(size: UInt64, align: UInt32, high: UInt32? = nil) {
            self.size = size
            self.align = align
            highAlign = high ?? align
        }
    }

    private enum State: UInt8 { case new, open, done }

    let pointerSize: UInt32
    let rule: Rule
    let types: TypeTable
    private var own: [Progress]
    /// Of the base, which is many times larger than a module, a module uses few types.
    private var low: [UInt32: Progress] = [:]

    /// A place in few bytes: there is one for each type. Sizes and alignments of all places fit.
    private struct Progress {
        private var size: UInt32 = 0
        private var align: UInt8 = 0
        private var highAlign: UInt8 = 0
        private var form = Form.plain
        var state = State.new

        init() {}

        init(_ place: Place) {
            size = UInt32(place.size)
            align = UInt8(place.align)
            highAlign = UInt8(place.highAlign)
            form = place.form
            state = .done
        }

        var place: Place {
            var place = Place(size: UInt64(size), align: UInt32(align), high: UInt32(highAlign))
            place.form = form
            return place
        }
    }

    init(_ types: TypeTable, rule: Rule = .bpftool) {
        self.types = types
        self.rule = rule
        pointerSize = types.pointerSize
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
        let progress = self[id]
        if progress.state == .done { return progress.place }
        resolve(id)
        return self[id].place
    }

    /// Inner types first, by a stack of its own: nesting may be as deep as the file is long.
    private mutating func resolve(_ root: UInt32) {
        var stack = [root]
        while let id = stack.last {
            if self[id].state == .new {
                self[id].state = .open
                let depth = stack.count
                let types = types
                types.forEachPart(of: id) { part in
                    guard types.exists(part), self[part].state == .new else { return }
                    if !types.containsTypes(part) {
                        self[part] = Progress(compute(part))
                    } else {
                        stack.append(part)
                    }
                }
                if stack.count > depth { continue }
            }
            stack.removeLast()
            if self[id].state == .open {
                self[id] = Progress(compute(id))
            }
        }
    }

    func known(_ id: UInt32) -> Place { types.exists(id) ? self[id].place : Place() }

    private func compute(_ id: UInt32) -> Place {
        let third = types.word(id, 2)
        switch types.kind(id).role {
        case .integer, .enumeration, .float:
            return rule == .exact
                ? scalar(size: third) : Place(size: UInt64(third), align: min(pointerSize, third))
        case .pointer:
            return Place(size: UInt64(pointerSize), align: pointerSize)
        case .alias, .qualifier, .typeTag:
            let target = known(third)
            return Place(size: target.size, align: target.align, high: target.highAlign)
        case .array:
            let element = known(types.word(id, 3))
            let size = element.size.multipliedReportingOverflow(by: UInt64(types.word(id, 5)))
            let fits = !size.overflow && size.partialValue <= UInt64(UInt32.max)
            return Place(
                size: fits ? size.partialValue : 0, align: element.align, high: element.highAlign)
        case .composite:
            return rule == .exact ? fitted(id) : compose(id)
        case .forward, .function, .prototype, .variable, .section, .declarationTag, .location,
            .locationPrototype, .locationSection, .unknown:
            return Place()
        }
    }

    private func compose(_ id: UInt32) -> Place {
        let size = UInt64(types.word(id, 2))
        var (align, packed) = (UInt32(1), false)
        var unknown = false
        for index in 0..<types.count(id) {
            let member = member(index, of: id)
            let part = known(member.type)
            if part.align == 0 { unknown = true }
            align = max(align, part.align)
            if member.width == 0, !isEven(member, part) { packed = true }
        }
        packed = packed || size % UInt64(align) != 0
        var place = Place(size: size, align: unknown ? 0 : packed ? 1 : align)
        if packed { place.form = .packed }
        return place
    }
}
