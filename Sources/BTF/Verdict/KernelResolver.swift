// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Follows the references of types as BPF_BTF_LOAD does (rules R): each type once, in order of
/// ids, with a stack of 32.
struct KernelResolver {
    let reader: KernelReader
    let types: KernelTypes
    private(set) var resolvedIDs: [UInt32]
    private(set) var resolvedSizes: [UInt32]
    private var states: [State]
    var stack: [Vertex] = []
    var stackedTypes: [UInt32] { stack.map(\.id) }
    var mode = Mode.undecided
    /// Of each prototype that was looked at: its first parameter without a name, from 1.
    private var namelessParameters: [UInt32: Int] = [:]
    /// The type that the kernel has in its log.
    private(set) var current: UInt32 = 0

    private static let depth = 32

    private enum State: UInt8 { case new, visited, resolved }

    enum Mode { case undecided, pointer, structOrArray }

    struct Vertex {
        let id: UInt32
        var next: Int
    }

    /// What a step asks for.
    enum Step {
        case push(UInt32)
        case done
    }

    init(_ reader: KernelReader) {
        self.reader = reader
        types = reader.types
        let count = Int(types.typeCount)
        resolvedIDs = Array(repeating: 0, count: count)
        resolvedSizes = Array(repeating: 0, count: count)
        states = Array(repeating: .new, count: count)
        stack.reserveCapacity(Self.depth)
    }

    mutating func run() throws(Unaccepted) {
        for id in types.firstID..<max(types.typeCount, types.firstID) {
            current = id
            let kind = types.kind(id)
            if KernelKind.needsResolution(kind), !isResolved(id) { try resolve(id) }
            if kind == KernelKind.funcProto { try checkPrototype(id) }
        }
    }

    // MARK: The machine

    func isResolved(_ id: UInt32) -> Bool { states[Int(id)] == .resolved }

    private func isSink(_ id: UInt32) -> Bool {
        let kind = types.kind(id)
        switch mode {
        case .undecided: return !KernelKind.needsResolution(kind)
        case .pointer: return !KernelKind.isModifier(kind) && kind != KernelKind.ptr
        case .structOrArray:
            return !KernelKind.isModifier(kind) && kind != KernelKind.array
                && !KernelKind.isComposite(kind)
        }
    }

    /// A type that has to be resolved first.
    private func isOpen(_ id: UInt32) -> Bool { !isSink(id) && !isResolved(id) }

    private mutating func resolve(_ top: UInt32) throws(Unaccepted) {
        let saved = current
        mode = .undecided
        push(top)
        while let vertex = stack.last {
            current = vertex.id
            switch try step(vertex) {
            case .done: break
            case .push(let id):
                current = top
                if stack.count == Self.depth {
                    throw refuse(
                        "R1", .tooBig, type: top, "Exceeded max resolving depth:\(Self.depth)",
                        cause: depthCause(top))
                }
                if states[Int(id)] != .new {
                    throw refuse("R2", .exists, type: top, "Loop detected")
                }
                push(id)
            }
        }
        current = top
        if !isValid(top) { throw refuse("R24", type: top, "Invalid resolve state") }
        current = saved
    }

    private mutating func push(_ id: UInt32) {
        states[Int(id)] = .visited
        stack.append(Vertex(id: id, next: 0))
        guard case .undecided = mode else { return }
        let kind = types.kind(id)
        if kind == KernelKind.ptr {
            mode = .pointer
        } else if KernelKind.isComposite(kind) || kind == KernelKind.array {
            mode = .structOrArray
        }
    }

    mutating func pop(_ resolved: UInt32, size: UInt32 = 0) -> Step {
        let id = Int(stack.removeLast().id)
        resolvedSizes[id] = size
        resolvedIDs[id] = resolved
        states[id] = .resolved
        return .done
    }

    private mutating func step(_ vertex: Vertex) throws(Unaccepted) -> Step {
        let kind = types.kind(vertex.id)
        switch kind {
        case KernelKind.ptr: return try stepReference(vertex.id, kind)
        case KernelKind.array: return try stepArray(vertex.id)
        case KernelKind.struct, KernelKind.union: return try stepStruct(vertex)
        case KernelKind.var: return try stepReference(vertex.id, kind)
        case KernelKind.datasec: return try stepSection(vertex)
        case KernelKind.func: return try stepFunction(vertex.id)
        case KernelKind.declTag: return try stepDeclTag(vertex.id)
        case KernelKind.locProto: return try stepLocationPrototype(vertex.id)
        case KernelKind.locsec: return try stepLocationSection(vertex)
        default: return try stepReference(vertex.id, kind)
        }
    }

    private func isValid(_ id: UInt32) -> Bool {
        guard isResolved(id) else { return false }
        let (resolved, size) = (resolvedIDs[Int(id)], resolvedSizes[Int(id)])
        let kind = types.kind(id)
        if KernelKind.isComposite(kind) || kind == KernelKind.datasec
            || kind == KernelKind.locProto || kind == KernelKind.locsec
        {
            return resolved == 0 && size == 0
        }
        if kind == KernelKind.declTag || kind == KernelKind.func {
            return resolved != 0 && size == 0
        }
        if kind == KernelKind.array {
            guard let element = sized(types.word(id, 3)) else { return false }
            return !types.isModifier(element.id) && types.word(id, 5) &* element.size == size
        }
        guard let target = types.kindIfAny(resolved) else { return false }
        return !KernelKind.isModifier(target) && target != KernelKind.var
            && target != KernelKind.datasec
    }

    // MARK: Sizes

    /// The type with a size that this one leads to over a modifier or variable that is resolved;
    /// nil for a type without a size.
    func sized(_ start: UInt32) -> (id: UInt32, size: UInt32)? {
        guard let kind = types.kindIfAny(start), !KernelKind.isSizeless(kind) else { return nil }
        if let size = ownSize(start, kind) { return (start, size) }
        let id = resolvedIDs[Int(start)]
        guard let kind = types.kindIfAny(id), !KernelKind.isSizeless(kind) else { return nil }
        return ownSize(id, kind).map { (id, $0) }
    }

    private func ownSize(_ id: UInt32, _ kind: UInt32) -> UInt32? {
        if KernelKind.hasSize(kind) { return types.third(id) }
        if kind == KernelKind.array { return resolvedSizes[Int(id)] }
        return kind == KernelKind.ptr ? reader.pointerSize : nil
    }

    // MARK: Refusals

    func refuse(
        _ rule: String, _ errno: KernelErrno = .invalid, type id: UInt32, word: Int = 0,
        _ words: String, cause: String? = nil
    ) -> Unaccepted {
        reader.refusal(
            rule, errno, type: id, lines: [KernelLog.type(types, id) + " " + words],
            offset: reader.offset(of: id) + word * 4, cause: cause)
    }

    // MARK: One type

    /// A modifier, PTR or VAR.
    private mutating func stepReference(_ id: UInt32, _ kind: UInt32) throws(Unaccepted) -> Step {
        let rule = kind == KernelKind.ptr ? "R4" : kind == KernelKind.var ? "R5" : "R3"
        let next = types.third(id)
        guard let nextKind = types.kindIfAny(next), !KernelKind.isSource(nextKind) else {
            throw refuse(rule, type: id, word: 2, "Invalid type_id")
        }
        if isOpen(next) { return .push(next) }
        if kind == KernelKind.ptr || kind == KernelKind.var, KernelKind.isModifier(nextKind) {
            // The modifier may have been resolved only as far as a pointer.
            let resolved = resolvedIDs[Int(next)]
            if types.kind(resolved) == KernelKind.ptr, isOpen(resolved) { return .push(resolved) }
        }
        if let target = sized(next) { return pop(target.id) }
        if kind == KernelKind.var {
            throw refuse(
                rule, type: id, word: 2, "Invalid type_id", cause: variableCause(next))
        }
        let target = isResolved(next) ? resolvedIDs[Int(next)] : next
        let end = types.kind(target)
        guard end == 0 || end == KernelKind.fwd || end == KernelKind.funcProto else {
            throw refuse(rule, type: id, word: 2, "Invalid type_id")
        }
        return pop(target)
    }

    private mutating func stepArray(_ id: UInt32) throws(Unaccepted) -> Step {
        let (element, index) = (types.word(id, 3), types.word(id, 4))
        func isPart(_ type: UInt32) -> Bool {
            types.kindIfAny(type).map { !KernelKind.isSizeless($0) && !KernelKind.isSource($0) }
                ?? false
        }
        guard isPart(index) else { throw refuse("R6", type: id, word: 4, "Invalid index") }
        if isOpen(index) { return .push(index) }
        guard let number = sized(index), types.kind(number.id) == KernelKind.int,
            isRegular(number.id)
        else { throw refuse("R6", type: id, word: 4, "Invalid index") }
        guard isPart(element) else { throw refuse("R7", type: id, word: 3, "Invalid elem") }
        if isOpen(element) { return .push(element) }
        guard let part = sized(element) else {
            throw refuse("R7", type: id, word: 3, "Invalid elem")
        }
        if types.kind(part.id) == KernelKind.int, !isRegular(part.id) {
            throw refuse("R8", type: id, word: 3, "Invalid array of int")
        }
        let count = types.word(id, 5)
        if count != 0, part.size > UInt32.max / count {
            throw refuse("R9", type: id, word: 5, "Array size overflows U32_MAX")
        }
        return pop(part.id, size: part.size &* count)
    }

    /// An INT of 1, 2, 4, 8 or 16 whole bytes.
    func isRegular(_ id: UInt32) -> Bool {
        let data = types.word(id, 3)
        let bits = data & 0xff
        return bits & 7 == 0 && data & 0xff_0000 == 0 && [1, 2, 4, 8, 16].contains(bits / 8)
    }

    private mutating func stepStruct(_ vertex: Vertex) throws(Unaccepted) -> Step {
        let id = vertex.id
        if vertex.next > 0 { try checkMember(vertex.next - 1, of: id) }
        for index in vertex.next..<max(types.vlen(id), vertex.next) {
            let type = types.word(id, 4 + index * 3)
            guard let kind = types.kindIfAny(type), !KernelKind.isSizeless(kind),
                !KernelKind.isSource(kind)
            else { throw refuseMember("R10", index, of: id, "Invalid member") }
            if isOpen(type) {
                stack[stack.count - 1].next = index + 1
                return .push(type)
            }
            try checkMember(index, of: id)
        }
        return pop(0)
    }

    private mutating func stepSection(_ vertex: Vertex) throws(Unaccepted) -> Step {
        mode = .undecided
        let id = vertex.id
        for index in vertex.next..<max(types.vlen(id), vertex.next) {
            let word = 3 + index * 3
            let variable = types.word(id, word)
            func refuseVariable(_ at: Int, _ words: String) -> Unaccepted {
                let start = Int(types.starts[Int(id - types.firstID)]) + word
                return reader.refusal(
                    "R22", type: id,
                    lines: [
                        KernelLog.type(types, id), KernelLog.variable(types, at: start) + words,
                    ], offset: reader.offset(ofWord: start + at))
            }
            guard types.kindIfAny(variable) == KernelKind.var else {
                throw refuseVariable(0, "Not a VAR kind member")
            }
            if isOpen(variable) {
                stack[stack.count - 1].next = index + 1
                return .push(variable)
            }
            guard let type = sized(types.third(variable)) else {
                throw refuseVariable(0, "Invalid type")
            }
            if types.word(id, word + 2) < type.size { throw refuseVariable(2, "Invalid size") }
        }
        return pop(0)
    }

    private mutating func stepFunction(_ id: UInt32) throws(Unaccepted) -> Step {
        let prototype = types.third(id)
        guard types.kindIfAny(prototype) == KernelKind.funcProto else {
            throw refuse("R19", type: id, word: 2, "Invalid type_id")
        }
        let nameless: Int
        if let known = namelessParameters[prototype] {
            nameless = known
        } else {
            let first = (0..<types.vlen(prototype)).first {
                types.word(prototype, 3 + $0 * 2) == 0 && types.word(prototype, 4 + $0 * 2) != 0
            }
            nameless = first.map { $0 + 1 } ?? 0
            namelessParameters[prototype] = nameless
        }
        if nameless != 0 {
            throw refuse(
                "R19", type: id, word: 2, "Invalid arg#\(nameless)",
                cause: "parameter \(nameless) of the function has no name in its source")
        }
        return pop(prototype)
    }

    private mutating func stepDeclTag(_ id: UInt32) throws(Unaccepted) -> Step {
        var target = types.third(id)
        guard let kind = types.kindIfAny(target),
            kind == KernelKind.func || KernelKind.isComposite(kind) || kind == KernelKind.var
                || kind == KernelKind.typedef
        else { throw refuse("R23", type: id, word: 2, "Invalid type_id") }
        if isOpen(target) { return .push(target) }
        let resolved = target
        let index = types.word(id, 3)
        if index != .max {
            if kind == KernelKind.var || kind == KernelKind.typedef {
                throw refuse("R23", type: id, word: 3, "Invalid component_idx")
            }
            if !KernelKind.isComposite(kind) { target = types.third(target) }
            if Int(index) >= types.vlen(target) {
                throw refuse("R23", type: id, word: 3, "Invalid component_idx")
            }
        }
        return pop(resolved)
    }

    // MARK: Prototypes

    private mutating func checkPrototype(_ id: UInt32) throws(Unaccepted) {
        if types.third(id) != 0 {
            try checkUse(of: types.third(id), in: id, word: 2, "R20", "Invalid return type")
        }
        var count = types.vlen(id)
        guard count > 0 else { return }
        let last = 3 + (count - 1) * 2
        if types.word(id, last + 1) == 0 {
            if types.word(id, last) != 0 {
                throw refuse("R21", type: id, word: last, "Invalid arg#\(count)")
            }
            count -= 1
        }
        for index in 0..<count {
            let word = 3 + index * 2
            var words: String { "Invalid arg#\(index + 1)" }
            let (name, type) = (types.word(id, word), types.word(id, word + 1))
            guard let kind = types.kindIfAny(type), !KernelKind.isSource(kind) else {
                throw refuse("R21", type: id, word: word + 1, words)
            }
            if name != 0 {
                guard name <= reader.rules.maxNameOffset, types.hasString(name),
                    reader.names.isIdentifier(types, name, limit: reader.rules.maxNameLength)
                else { throw refuse("R21", type: id, word: word, words) }
            }
            try checkUse(of: type, in: id, word: word + 1, "R21", words)
        }
    }

    private mutating func checkUse(
        of type: UInt32, in prototype: UInt32, word: Int, _ rule: String,
        _ words: @autoclosure () -> String
    ) throws(Unaccepted) {
        guard let kind = types.kindIfAny(type), !KernelKind.isSource(kind) else {
            throw refuse(rule, type: prototype, word: word, words())
        }
        if KernelKind.needsResolution(kind), !isResolved(type) { try resolve(type) }
        if sized(type) == nil {
            throw refuse(
                rule, type: prototype, word: word, words(),
                cause: useCause(type, isReturn: word == 2))
        }
    }
}
