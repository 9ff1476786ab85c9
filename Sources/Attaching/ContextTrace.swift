// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject

/// What a program does with its context, in the program itself and in static functions that get
/// the context, or values of its slots, in registers.
struct ContextTrace {
    struct Part {
        let function: BPFObject.Function
        let reads: ContextReads
        let relocations: [Int: ExtendedInfo.FieldRelocation]
    }

    private(set) var parts: [Part] = []
    /// Functions that may use the context without being followed there, and why.
    private(set) var unfollowed: [String: String] = [:]
    /// Global functions that get values of slots.
    private(set) var passed: Set<Passed> = []
    private(set) var isIncomplete = false

    struct Passed: Hashable {
        let function: String
        let slot: Int
    }

    /// Far more than objects have.
    private static let mostParts = 512

    private struct Visit: Hashable {
        let function: Int
        let entry: [ContextReads.Value]
    }

    init(_ program: BPFObject.Function, in object: BPFObject) {
        var visited: Set<Visit> = []
        var pending: [Visit] = []
        add(program, [.context], object, &pending)
        while let visit = pending.popLast() {
            guard visited.insert(visit).inserted else { continue }
            guard visited.count < Self.mostParts else {
                isIncomplete = true
                return
            }
            add(object.functions[visit.function], visit.entry, object, &pending)
        }
    }

    private mutating func add(
        _ function: BPFObject.Function, _ entry: [ContextReads.Value], _ object: BPFObject,
        _ pending: inout [Visit]
    ) {
        let relocations = object.fieldRelocations(of: function)
        var functions: [Int: Int] = [:]
        for reference in function.references {
            switch reference.target {
            case .call(let index), .address(let index): functions[reference.instruction] = index
            default: continue
            }
        }
        let reads = ContextReads(
            function.code, bigEndian: object.isBigEndian, relocated: Set(relocations.keys),
            functions: functions, entry: entry)
        parts.append(Part(function: function, reads: reads, relocations: relocations))
        if reads.isIncomplete { isIncomplete = true }
        if reads.returnsContext {
            unfollowed[function.name] = "\(function.name) returns the context to its caller"
        }
        for call in reads.calls {
            let callee = object.functions[call.callee]
            if call.sharesContext {
                unfollowed[callee.name] = "\(callee.name) may get the context in memory"
            }
            let entry = call.arguments.map { value in
                switch value {
                case .stack, .function: ContextReads.Value.unknown
                default: value
                }
            }
            guard entry.contains(where: { $0 != .unknown }) else { continue }
            if callee.isStatic {
                pending.append(Visit(function: call.callee, entry: entry))
                continue
            }
            if entry.contains(.context) {
                unfollowed[callee.name] = "\(callee.name) gets the context and is not static"
            }
            for case .slot(let slot) in entry {
                passed.insert(Passed(function: callee.name, slot: Int(slot)))
            }
        }
    }
}
