// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// What the DWARF says but the BTF does not, and why. Nothing is dropped silently.
package struct Ledger: Sendable {
    /// Every rule that leaves something out or degrades it. docs/ledger.md explains each.
    package enum Reason: String, CaseIterable, Sendable {
        // Functions.
        /// Code exists only inside callers: there is no function symbol with this name. Or a
        /// variable is in the per-CPU section where the symbol table has none with this name.
        case noSymbol = "no-symbol"
        /// A parameter has no name.
        case unnamedParameter = "unnamed-parameter"
        /// A parameter arrives in another register than the calling convention says, or elsewhere
        /// than BPF programs look for it.
        case unexpectedRegister = "unexpected-register"
        /// A clone takes its parameters in another order than in the source, or not all of them.
        case reorderedParameters = "reordered-parameters"
        /// The compiler removed a parameter from the only code there is, or passes a constant.
        case optimizedParameter = "optimized-parameter"
        /// The compiler says that it changed how the function is called, and what it passes as
        /// parameters does not show how: it removed the result, or a part of a struct.
        case changedSignature = "changed-signature"
        /// Units of this file define it with different prototypes.
        case inconsistentPrototype = "inconsistent-prototype"
        /// It exists only inside callers, or was overridden, and has another prototype than the
        /// function with its name that has the code, which is in the BTF.
        case inlinedTwin = "inlined-twin"
        /// Several functions with this name exist at different addresses.
        case ambiguousAddress = "ambiguous-address"
        /// The function has code but no name.
        case unnamedFunction = "unnamed-function"
        /// The name is not one that kernels accept: functions, variables and values of enums are
        /// left out, types, members and parameters of function types lose their name.
        case invalidName = "invalid-name"
        /// A function or variable of Rust whose symbol has another name, as all have that are not
        /// `#[no_mangle]`.
        case mangledName = "mangled-name"
        /// A function of Rust with a parameter or result that C and Rust may pass differently.
        case unknownConvention = "unknown-convention"
        // Inlined calls.
        /// An inlined call whose function or address the debug information does not give, or whose
        /// address is in no section of code.
        case inlineSite = "inline-site"
        /// The function has code of its own that the BTF does not describe: what comes after would
        /// take the one that inlined calls name for it.
        case omittedFunction = "omitted-function"
        /// A parameter of an inlined call is where LOC_PARAM cannot express it: in several places,
        /// computed, at a fixed address, or known only from what the caller was called with.
        case inexpressibleLocation = "inexpressible-location"
        /// A parameter of an inlined call has places, but none at the address where it begins.
        case locationElsewhere = "location-elsewhere"
        // Variables.
        /// The variable's type is void.
        case voidVariable = "void-variable"
        /// The variable takes no space.
        case emptyVariable = "empty-variable"
        /// The name belongs to build machinery that generates one for each use: `__UNIQUE_ID_...`
        /// and the like.
        case generatedName = "generated-name"
        /// The linker dropped it, or its section is unknown.
        case discardedVariable = "discarded-variable"
        /// It overlaps another variable, which is in the BTF.
        case overlappingVariable = "overlapping-variable"
        /// It is a variable inside a function: its symbol has another name, or none.
        case localVariable = "local-variable"
        /// It has an address but no name.
        case unnamedVariable = "unnamed-variable"
        /// The debug information gives its value, or nothing, instead of an address.
        case noLocation = "no-location"
        /// Its address is computed at run time, or changes.
        case computedLocation = "computed-location"
        /// Its parts are at separate addresses.
        case variableInPieces = "variable-in-pieces"
        /// Each thread has its own.
        case threadLocal = "thread-local"
        /// It is in a per-CPU section other than the one that BTF describes.
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
        /// A struct or union whose size, or the place of a member, is computed at run time or too
        /// large for BTF: kept without its members.
        case inexpressibleLayout = "inexpressible-layout"
        /// An integer of more than 128 bits: an array of its words takes its place.
        case largeInteger = "large-integer"
        /// A generic type of Rust: an empty struct of its size takes its place.
        case genericType = "generic-type"
        /// An enum of Rust whose values hold data: an empty struct of its size takes its place.
        case enumWithData = "enum-with-data"
        /// A translation of a C type into Rust: a declaration of the C type takes its place.
        case translatedType = "translated-type"
        /// A kind of type that BTF cannot express: void takes its place.
        case unsupportedType = "unsupported-type"
        /// A complex number: an array of its two parts takes its place.
        case complexNumber = "complex-number"
        /// Several types of the base have this name and size: kernels cannot know which is meant,
        /// and refuse the distilled BTF.
        case ambiguousBaseType = "ambiguous-base-type"
        // Limits of the features or the target.
        /// Without ENUM64: an ENUM with the low 32 bits of each value.
        case narrowedEnum = "narrowed-enum"
        /// Without FLOAT: an INT of its size.
        case floatAsInteger = "float-as-integer"
        /// A tag on a type or declaration; the name is its text.
        case tagLeftOut = "tag-left-out"
        /// The target does not accept a DATASEC with the section's name.
        case sectionName = "section-name"
        /// A kernel function has arena pointers, and the target does not accept the kind flag on
        /// tags.
        case unmarkedArena = "unmarked-arena"
        // Kernel functions.
        /// A symbol of `.BTF_ids` lies outside the section.
        case misplacedID = "misplaced-id"
        /// The set of this kernel function was sorted, and no id leads to the function: no flag is
        /// assumed.
        case unknownFlags = "unknown-flags"
        /// A value that should point into an arena is not a pointer, or does not exist: it is not
        /// marked.
        case noArenaPointer = "no-arena-pointer"
        // Units.
        /// The unit's language was excluded (`--lang-exclude`, pahole's `--lang`).
        case excludedLanguage = "excluded-language"
        /// The unit names functions and lines, but describes no types (-g1).
        case lineTablesOnly = "line-tables-only"
        /// The unit's entries are in another file (`-gsplit-dwarf`) that was not read.
        case missingSplitFile = "missing-split-file"
    }

    package struct Entry: Equatable, Sendable {
        package let name: String
        /// The unit's name in the DWARF; empty if it has none.
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
