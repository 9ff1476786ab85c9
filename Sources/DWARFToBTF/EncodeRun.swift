// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import DWARF
internal import HostIO
internal import Synchronization
internal import Tables

/// The accumulated result of a file's units, added one by one, in order.
struct EncodeRun: ~Copyable, Sendable {
    var store: TypeStore
    var functions: FunctionSelection
    var perCPU = PerCPUVariables()
    /// Replaces `perCPU` with that feature.
    var globals = GlobalVariables()
    /// With that feature.
    var sites = InlineSites()
    var ledger: Ledger?
    /// The integer `int` of the first unit that has it.
    private var int: UInt32?
    /// Units before that one with arrays but without an `int`.
    private var waiting: [UnitBox] = []
    private(set) var failure: EncodeError?
    /// Units that describe neither types nor prototypes: compiled with -g1, or maybe so.
    private(set) var lineTableUnits = 0
    private(set) var unclearUnits = 0
    /// Some unit had types, even if the base has all of them.
    private(set) var hasTypes = false
    let context: EncodeContext
    /// Units added, and the offset in `.debug_info` up to which pages were released.
    private var taken = 0
    private var released = 0

    init(_ context: EncodeContext, base: BaseIndex?) {
        self.context = context
        store = TypeStore(base: base, names: context.names, mergesSigns: true)
        functions = FunctionSelection(context)
        ledger = context.keepsLedger ? Ledger() : nil
    }

    /// Adds a unit.
    ///
    /// - Returns: whether the box may be refilled; false also if there is a `failure`.
    mutating func take(_ box: UnitBox) -> Bool {
        let int = int
        let (failed, mustWait) = box.withContent { content -> (EncodeError?, Bool) in
            (content.failure, !content.findings.lateIndexes.isEmpty && int == nil)
        }
        if let failed {
            failure = failed
            return false
        }
        if mustWait {
            waiting.append(box)
            return false
        }
        absorb(box, index: int)
        if self.int != nil, !waiting.isEmpty { takeWaiting(self.int) }
        return failure == nil
    }

    /// Adds the units that wait for an `int`, with the one that was found or a new one.
    mutating func finish() {
        guard failure == nil, !waiting.isEmpty else { return }
        takeWaiting(nil)
    }

    private mutating func takeWaiting(_ index: UInt32?) {
        let boxes = waiting
        waiting = []
        for box in boxes where failure == nil { absorb(box, index: index) }
    }

    private mutating func absorb(_ box: UnitBox, index: UInt32?) {
        // A lock's body may not access values borrowed outside it.
        do throws(BTFError) {
            try box.withContent { content throws(BTFError) in
                try absorb(&content, index: index)
            }
        } catch {
            failure = .btf(error)
        }
    }

    private mutating func absorb(
        _ content: inout UnitBox.Content, index: UInt32?
    ) throws(BTFError) {
        if !content.findings.lateIndexes.isEmpty {
            let id =
                index
                ?? content.types.addInt(
                    name: context.names.intern("__ARRAY_SIZE_TYPE__"), size: 4, encoding: 0,
                    bits: 32)
            for patch in content.findings.lateIndexes.indices {
                content.types[Int(content.findings.lateIndexes[patch])] = id
            }
            content.types.seal()
        }
        if content.types.count > 0 { hasTypes = true }
        lineTableUnits += content.findings.lineTableUnits
        unclearUnits += content.findings.unclearUnits
        try store.absorb(content.types)
        if int == nil { int = content.findings.int.map { store.id(of: $0) } }
        functions.take(content.findings, store)
        for var entry in content.findings.perCPU {
            entry.variable = store.id(of: entry.variable)
            for index in entry.tags.indices {
                entry.tags[index] = store.id(of: entry.tags[index])
            }
            perCPU.entries.append(entry)
        }
        perCPU.misses += content.findings.missedPerCPU
        perCPU.noted.formUnion(content.findings.notedPerCPU)
        for var entry in content.findings.globals {
            entry.type = store.id(of: entry.type)
            globals.entries.append(entry)
        }
        if !content.findings.inlineSites.isEmpty { sites.take(content.findings.inlineSites, store) }
        if ledger != nil {
            for note in content.findings.notes {
                ledger?.note(
                    String(systemBytes: context.names.bytes(of: note.name)),
                    unit: note.unit, note.reason)
            }
        }
    }
}

extension EncodeRun {
    /// Reads all units, on several threads if units are independent.
    static func all(
        _ context: EncodeContext, base: BaseIndex?, jobs: Int
    ) throws(EncodeError) -> EncodeRun {
        let data = context.data
        guard let firstUnit = data.units.first ?? data.typeUnits.first else { throw .noDebugInfo }
        let names = SharedNumberTable(offsetsBelow: data.bytes(of: .str).count)
        if data.typeUnits.isEmpty {
            if let run = try separate(context, base: base, names, firstUnit, jobs: jobs) {
                return run
            }
            context.splitFiles?.restart()
        }
        var run = EncodeRun(context, base: base)
        let box = UnitBox(names: context.names)
        var reader = UnitReader(context, names, firstUnit)
        reader.readLinked(into: box)
        _ = run.take(box)
        for split in context.splitFiles?.units ?? [] where run.failure == nil {
            let box = UnitBox(names: context.names)
            reader.read(split, into: box)
            _ = run.take(box)
        }
        run.takeDeferred(&reader)
        run.finish()
        if let failure = run.failure { throw failure }
        return run
    }

    /// Reads units one by one; nil if one may refer to another.
    private static func separate(
        _ context: EncodeContext, base: BaseIndex?, _ names: SharedNumberTable, _ firstUnit: Unit,
        jobs: Int
    ) throws(EncodeError) -> EncodeRun? {
        let units = context.data.units
        let free = Mutex<[UnitBox]>([])
        var run = parallelInOrder(
            count: units.count, jobs: jobs, into: EncodeRun(context, base: base)
        ) {
            UnitReader(context, names, firstUnit)
        } produce: { reader, index in
            let box = free.withLock { $0.popLast() } ?? UnitBox(names: context.names)
            reader.read(units[index], index, into: box)
            return box
        } consume: { run, box in
            if run.take(box) { free.withLock { $0.append(box) } }
            run.releasePages()
            return run.failure == nil
        }
        if !context.splitUnits.isEmpty {
            var reader = UnitReader(context, names, firstUnit)
            run.takeDeferred(&reader)
        }
        run.finish()
        if case .linkedUnits? = run.failure { return nil }
        if let failure = run.failure { throw failure }
        return run
    }

    /// Adds the split units that refer to type units.
    private mutating func takeDeferred(_ reader: inout UnitReader) {
        for deferred in context.splitFiles?.deferred ?? [] where failure == nil {
            let box = UnitBox(names: context.names)
            reader.read(deferred, into: box)
            _ = take(box)
        }
    }

    /// Releases pages of `.debug_info` once all units in them have been read: mapped from a
    /// vmlinux, they would be most of the memory.
    private mutating func releasePages() {
        let end = context.data.units[taken].end
        taken += 1
        guard end - released >= 6 << 20 else { return }
        if let part = context.data.info.slice(released, end - released) {
            MappedPages.release(part)
        }
        context.data.releaseUnitTables()
        released = end
    }
}
