// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What the BTF does not say although the DWARF did, and why. Nothing is dropped in silence.
package struct Ledger: Sendable {
    /// Every rule that leaves something out or degrades it. docs/ledger.md explains each.
    package enum Reason: String, CaseIterable, Sendable {
        // Functions.
        /// Code exists only inside callers: no function symbol of this name. Or a variable is in the per-CPU
        /// section where the symbol table has none of this name.
        case noSymbol = "no-symbol"
        /// Some parameter has no name.
        case unnamedParameter = "unnamed-parameter"
        /// A parameter arrives in another register than the calling convention says.
        case unexpectedRegister = "unexpected-register"
        /// A clone takes its parameters in another order than the source says, or not all of them.
        case reorderedParameters = "reordered-parameters"
        /// The only code is a clone from which the compiler took a parameter, or in which one is constant.
        case optimizedParameter = "optimized-parameter"
        /// Units of this file define it with different prototypes.
        case inconsistentPrototype = "inconsistent-prototype"
        /// It exists only inside callers, or gave way, and has another prototype than the function of its name
        /// that the symbol leads to: that one is told of.
        case inlinedTwin = "inlined-twin"
        /// Several functions of this name stand at different addresses.
        case ambiguousAddress = "ambiguous-address"
        /// The function has code and no name.
        case unnamedFunction = "unnamed-function"
        /// The name is no C identifier: functions and variables are left out, types lose the name.
        case invalidName = "invalid-name"
        // Variables.
        /// The variable's type is void.
        case voidVariable = "void-variable"
        /// The variable takes no space.
        case emptyVariable = "empty-variable"
        /// The name belongs to build machinery that makes one for each use: `__UNIQUE_ID_...` and the like.
        case generatedName = "generated-name"
        /// The linker dropped it, or an address in its section cannot be told.
        case discardedVariable = "discarded-variable"
        /// It shares memory with another variable, which is told of.
        case overlappingVariable = "overlapping-variable"
        /// It is the variable of a function: its symbol has another name, or none.
        case localVariable = "local-variable"
        /// It has an address and no name.
        case unnamedVariable = "unnamed-variable"
        /// The debug information says its value, or nothing, in the place of an address.
        case noLocation = "no-location"
        /// Its address is worked out at run time, or changes.
        case computedLocation = "computed-location"
        /// Its parts are at several places.
        case variableInPieces = "variable-in-pieces"
        /// Each thread has its own.
        case threadLocal = "thread-local"
        /// It is in a section for per-CPU variables, but not in the one that BTF tells of.
        case otherPerCPUSection = "other-per-cpu-section"
        /// The symbol table has a per-CPU variable that no debug information describes.
        case noDebugInformation = "no-debug-information"
        // Types.
        /// A composite or enum with more elements than BTF can count: kept without its elements.
        case tooManyElements = "too-many-elements"
        /// A bitfield further than 2 MiB into its struct: the struct is kept without its members.
        case bitfieldOutOfReach = "bitfield-out-of-reach"
        /// An array with 2^32 elements or more: kept with none.
        case arrayTooLarge = "array-too-large"
        /// A kind of type that BTF has no form for: void in its place.
        case unsupportedType = "unsupported-type"
        /// A complex number: an array of its two parts.
        case complexNumber = "complex-number"
        /// Several types of the base have this name and size: kernels cannot tell which is meant, and refuse
        /// the distilled BTF.
        case ambiguousBaseType = "ambiguous-base-type"
        // What the features or the target leave no room for.
        /// Without ENUM64: an ENUM with the low 32 bits of each value.
        case narrowedEnum = "narrowed-enum"
        /// Without FLOAT: an INT of its size.
        case floatAsInteger = "float-as-integer"
        /// A tag on a type or declaration; its text is told.
        case tagLeftOut = "tag-left-out"
        /// The target takes no DATASEC of the section's name.
        case sectionName = "section-name"
        /// A kernel function has pointers into arenas, and the target takes no kind flag on tags.
        case unmarkedArena = "unmarked-arena"
        // Kernel functions.
        /// A symbol of `.BTF_ids` lies outside the section.
        case misplacedID = "misplaced-id"
        /// The set of this kernel function was sorted by ids that do not lead to it: no flag is assumed.
        case unknownFlags = "unknown-flags"
        /// What is said to point into an arena is no pointer, or is not there: it is not marked.
        case noArenaPointer = "no-arena-pointer"
        // Units.
        /// The unit's language was excluded (`--lang-exclude`, pahole's `--lang`).
        case excludedLanguage = "excluded-language"
        /// The unit's entries are in another file (`-gsplit-dwarf`) that was not read.
        case missingSplitFile = "missing-split-file"
    }

    package struct Entry: Equatable, Sendable {
        package let name: String
        /// The unit's name in the DWARF; empty when it has none.
        package let unit: String
        package let reason: Reason
    }

    package private(set) var entries: [Entry] = []
    private var seen: Set<String> = []

    package init() {}

    /// Notes one item; the same item for the same reason is noted once.
    package mutating func note(_ name: String, unit: String, _ reason: Reason) {
        if seen.insert(reason.rawValue + "\u{0}" + name).inserted {
            entries.append(Entry(name: name, unit: unit, reason: reason))
        }
    }
}
