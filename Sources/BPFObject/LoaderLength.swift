// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// Counts the instructions of a loader as libbpf 1.1 to 1.8 generate it. Each error jumps back to
/// the same place near the start, so the length decides whether a loader is possible at all; libbpf
/// itself only reports ERANGE.
struct LoaderLength {
    // Building blocks of the generator's functions.
    private static let call = 6
    private static let check = 1
    private static let store = 5
    private static let fromContext = 4
    private static let fromStack = 4
    private static let fromBlob = 6
    private static let closeInBlob = 6
    private static let closeOnStack = 4
    private static let findByName = 7

    /// The offset of the code that errors jump to.
    static let errors = 7

    private(set) var count: Int
    /// The last instruction that may jump back.
    private(set) var lastCheck = 0

    init(of object: BPFObject) {
        count =
            Self.errors + 3 * (2 + object.functions.count) + Self.closeInBlob * object.maps.count
            + 2
        // The BTF.
        count += 3 * Self.fromContext + Self.store + Self.call
        addCheck()
        count += 1
        for map in object.maps { add(map) }
        for program in object.loadedPrograms { add(program, object) }
        count +=
            Self.closeOnStack + 2 * object.loadedPrograms.count + 4 * object.maps.count + 2
    }

    private mutating func addCheck() {
        lastCheck = count
        count += Self.check
    }

    private mutating func add(_ map: BPFObject.Map) {
        for inner in map.definition.inner { create(inner, isInner: true) }
        create(map.definition, isInner: false)
        if let contents = map.contents {
            count += 10 + Self.fromBlob + 2 * Self.store + Self.call
            addCheck()
            if contents.kind == .readOnly || contents.kind == .kconfig {
                count += Self.fromBlob + Self.call
                addCheck()
            }
        }
        for _ in map.slots {
            count += Self.fromBlob + 2 * Self.store + Self.call
            addCheck()
        }
    }

    private mutating func create(_ map: MapDefinition, isInner: Bool) {
        if map.valueType != nil, !MapType.takesNoBTF(map.type) { count += Self.fromStack }
        let holdsMaps = MapType.holdsMaps(map.type)
        if holdsMaps { count += Self.fromStack }
        if !isInner { count += 5 }
        count += Self.call
        addCheck()
        count += isInner ? 1 : 3
        if holdsMaps { count += Self.closeOnStack }
    }

    private mutating func add(_ program: Int, _ object: BPFObject) {
        let needsTarget = object.functions[program].kind?.needsTarget ?? false
        count += 6 * Self.store + 3 * Self.fromContext + Self.fromStack
        if needsTarget {
            count += Self.findByName
            addCheck()
            count += 5
        }
        var seen: Set<String> = []
        var close = 0
        for use in KernelSymbolUse(of: program, in: object).uses {
            var kind = use.extern.kind
            // The address of a kfunc is found like that of a variable.
            if kind == .kernelFunction, !use.isCall { kind = .kernelVariable(isTyped: true) }
            let isFirst = seen.insert("\(use.isCall) \(use.extern.name)").inserted
            switch (kind, isFirst) {
            case (.kernelVariable(isTyped: true), true):
                count += 2 + Self.findByName
                if !use.extern.isWeak { addCheck() }
                count += 11
                close += Self.closeInBlob
            case (.kernelVariable(isTyped: true), false): count += 2 + 2 * Self.fromBlob + 4
            case (.kernelVariable(isTyped: false), true):
                count += 2 + 11
                addCheck()
                count += 3
            case (.kernelFunction, true):
                count += 2 + Self.findByName
                if !use.extern.isWeak { addCheck() }
                count += 14
                close += Self.closeInBlob
            case (.kernelVariable(isTyped: false), false), (.kernelFunction, false):
                count += 2 + 2 * Self.fromBlob
            case (.kconfig, _), (.unresolved, _): continue
            }
        }
        count += Self.call + close + (needsTarget ? Self.closeInBlob : 0)
        addCheck()
        count += 1
    }
}

extension BPFObject {
    /// The length of a loader that is too long for its jumps; nil if it is not.
    var jumpTooFar: Int? {
        let length = LoaderLength(of: self)
        // Counted from the instruction after the jump.
        return length.lastCheck - LoaderLength.errors + 1 > LoaderLimit.jump ? length.count : nil
    }
}

extension MapType {
    /// Maps of these types are created without BTF, whatever their declaration says.
    fileprivate static func takesNoBTF(_ type: UInt32) -> Bool {
        // PERF_EVENT_ARRAY, STACK_TRACE, CGROUP_ARRAY, ARRAY_OF_MAPS, HASH_OF_MAPS, DEVMAP,
        // SOCKMAP, CPUMAP, XSKMAP, SOCKHASH, QUEUE, STACK, DEVMAP_HASH
        [4, 7, 8, 12, 13, 14, 15, 16, 17, 18, 22, 23, 25].contains(type)
    }
}
