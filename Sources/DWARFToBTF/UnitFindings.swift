// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import BTF
internal import Bytes
internal import Synchronization

/// A parameter of a function: name and type.
struct Parameter: BitwiseCopyable {
    let name: UInt32
    let type: UInt32
}

/// What a unit contains besides types; ids are those of its types.
struct UnitFindings: ~Copyable, Sendable {
    var views: [FunctionView] = []
    var parameters = Arena<Parameter>()
    var perCPU: [PerCPUVariables.Entry] = []
    var missedPerCPU: [PerCPUVariables.Miss] = []
    /// Indexes of symbols whose variables are in `notes`.
    var notedPerCPU: [Int] = []
    var globals: [GlobalVariables.Entry] = []
    var inlineSites: [InlineSites.Entry] = []
    /// Units that describe neither types nor prototypes: compiled with -g1, or maybe so.
    var lineTableUnits = 0
    var unclearUnits = 0
    /// By `FunctionView.unit`; empty without a ledger.
    var unitNames: [String] = []
    var notes: [(name: UInt32, unit: String, reason: Ledger.Reason)] = []
    /// The integer `int`.
    var int: UInt32?
    /// Words that wait for an index type, in a unit without an `int`.
    var lateIndexes = Arena<UInt32>()

    mutating func removeAll() {
        views.removeAll(keepingCapacity: true)
        parameters.removeAll()
        perCPU.removeAll(keepingCapacity: true)
        missedPerCPU.removeAll(keepingCapacity: true)
        notedPerCPU.removeAll(keepingCapacity: true)
        globals.removeAll(keepingCapacity: true)
        inlineSites.removeAll(keepingCapacity: true)
        lineTableUnits = 0
        unclearUnits = 0
        unitNames.removeAll(keepingCapacity: true)
        notes.removeAll(keepingCapacity: true)
        int = nil
        lateIndexes.removeAll()
    }
}

/// The results of reading a unit, on the way from the reading thread to the store. Boxes are
/// reused: one that comes back empty is refilled.
final class UnitBox: Sendable {
    struct Content: ~Copyable, Sendable {
        var types: TypeWriter
        var findings = UnitFindings()
        var failure: EncodeError?
    }

    private let content: Mutex<Content>

    init(names: NamePool) {
        content = Mutex(Content(types: TypeWriter(names: names)))
    }

    func withContent<R, E: Error>(
        _ body: (inout sending Content) throws(E) -> sending R
    ) throws(E) -> sending R {
        try content.withLock(body)
    }
}
