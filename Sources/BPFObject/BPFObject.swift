// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import ELF

/// The contents of a relocatable object of BPF programs, as libbpf reads it: functions and maps are
/// in libbpf's order, so their indexes are those of a loader that it generates.
///
/// Everything kept has been checked: sections lie inside the file, relocations inside their
/// functions, types and names exist. Whether a loader can handle it is a separate question, see
/// `loaderObstacles`.
package struct BPFObject: Sendable {
    /// The file's name in errors.
    package let file: String
    package let isBigEndian: Bool
    /// The text of the section `license`; nil without one.
    package let license: String?
    /// The number in the section `version`, LINUX_VERSION_CODE; nil without one.
    package let kernelVersion: UInt32?
    package let btf: BTF
    package let extendedInfo: ExtendedInfo
    /// Programs and subprograms, by section and offset.
    package let functions: [Function]
    /// The maps of `.maps`, then one for each data section, then `.kconfig`.
    package let maps: [Map]
    /// The initial contents of an arena; nil without a section of such variables.
    package let arena: Arena?
    /// Symbols without a definition here.
    package let externs: [Extern]
    /// Global symbols defined here, except those of `license` and `version`.
    package let definitions: [Definition]
    /// Its sections and programs of `struct_ops`, whose maps are not in `maps`.
    package let structOps: [String]
    /// The variables of those sections, in the order of libbpf 1.4 and later.
    package let operations: [OperationsMap]

    /// Reads a compiled or linked object.
    ///
    /// - Parameter path: its name in errors.
    /// - Throws: `BPFObjectError` for a file that is damaged or not a BPF object, and for what
    ///   libbpf does not accept (any more): maps in a section `maps`, COMMON symbols, static
    ///   programs, data in sections that it does not know.
    package init(_ bytes: ByteView, path: String) throws(BPFObjectError) {
        let reader = try ObjectReader(bytes, path: path)
        file = path
        isBigEndian = reader.elf.isBigEndian
        license = try reader.license()
        kernelVersion = try reader.kernelVersion()
        btf = reader.btf
        extendedInfo = try ExtendedInfo.read(reader)
        var functions = try reader.functions()
        externs = try reader.externs()
        var maps = try reader.declaredMaps() + reader.dataMaps()
        if let map = try reader.kconfigMap(externs) { maps.append(map) }
        arena = try reader.arena()
        let relocations = RelocationReader(
            reader, functions: functions, maps: maps, externs: externs)
        try relocations.read(into: &functions, &maps)
        self.functions = functions
        self.maps = maps
        definitions = try reader.definitions()
        structOps = reader.structOps(functions)
        operations = try reader.operations()
    }

    /// Functions that are loaded individually, in the order of a loader's context.
    package var programs: [Function] { functions.filter { !$0.isSubprogram } }

    /// The section of `function`, for errors.
    func error(
        in function: Function, at offset: Int = 0, _ message: String, hint: String? = nil
    ) -> BPFObjectError {
        BPFObjectError(
            file: file, section: function.section, offset: function.offset + offset, message,
            hint: hint)
    }
}

extension BPFObject {
    /// A program, or a function that programs call.
    package struct Function: Sendable {
        package let name: String
        /// As in the file, including a leading `?`.
        package let section: String
        package let sectionIndex: Int
        /// Bytes from the start of the section.
        package let offset: Int
        /// Its instructions, in the file's byte order.
        package let code: ByteView
        package let isWeak: Bool
        package let isStatic: Bool
        /// It is in `.text`, to be called by programs.
        package internal(set) var isSubprogram: Bool
        /// The kind of program that its section names; nil for a name that libbpf does not know.
        package let kind: ProgramKind?
        /// References of its instructions, by offset.
        package internal(set) var references: [Reference] = []

        /// Whether a loader loads it: a leading `?` in the section's name prevents that.
        package var isAutoloaded: Bool { !section.hasPrefix("?") }
        /// The section's name as libbpf reports it.
        package var sectionName: String { isAutoloaded ? section : String(section.dropFirst()) }
        /// The part of the section's name after the first slash: a function, a hook, a tracepoint.
        package var target: String? {
            guard let slash = sectionName.firstIndex(of: "/") else { return nil }
            return String(sectionName[sectionName.index(after: slash)...])
        }
    }

    /// A symbol that other objects may refer to.
    package struct Definition: Sendable, Equatable {
        package let name: String
        package let section: String
        /// Bytes from the start of the section.
        package let offset: Int
        /// Another definition may replace it.
        package let isWeak: Bool
    }

    /// The target of an instruction's symbol reference.
    package struct Reference: Sendable, Equatable {
        /// The instruction's index in its function.
        package let instruction: Int
        package let target: Target

        package enum Target: Sendable, Equatable {
            /// A map's descriptor.
            case map(Int)
            /// A variable: `offset` bytes into the value of the map for a data section.
            case data(map: Int, offset: Int)
            /// A variable of an arena: `offset` bytes into the section.
            case arena(offset: Int)
            /// A call of a function.
            case call(function: Int)
            /// A function's address.
            case address(function: Int)
            /// The value or the address of an external symbol.
            case externalVariable(Int)
            /// A call of an external function.
            case externalCall(Int)
        }
    }

    package struct Map: Sendable {
        /// The variable's name; the section's for a data section.
        package let name: String
        package let section: String
        package let sectionIndex: Int
        /// Bytes from the start of the section.
        package let offset: Int
        package let definition: MapDefinition
        /// Size of its declaration there.
        let size: Int
        /// The offset of the slots of `values` in the declaration.
        let slotsOffset: Int?
        /// The initial contents of a map of maps or a program array.
        package internal(set) var slots: [Slot] = []
        /// The initial values of its variables; nil for a declared map.
        package let contents: Contents?

        package var isInternal: Bool { contents != nil }
    }

    /// A variable of a `.struct_ops` section: libbpf creates a map with its contents.
    package struct OperationsMap: Sendable, Equatable {
        package let name: String
        package let section: String
        /// Of its struct, in bytes.
        package let size: UInt32
    }

    package struct Slot: Sendable, Equatable {
        package let index: Int
        package let target: Target

        package enum Target: Sendable, Equatable {
            case map(Int)
            case function(Int)
        }
    }

    /// A data section.
    package struct Contents: Sendable {
        package enum Kind: Sendable, Equatable { case data, readOnly, zero, kconfig, perCPU }
        package let kind: Kind
        package let size: Int
        /// Its bytes; nil if they are zero (`.bss`) or not known yet (`.kconfig`).
        package let bytes: ByteView?
        package let variables: [Variable]
    }

    /// A section of variables in an arena, the memory that programs and user space share.
    package struct Arena: Sendable, Equatable {
        package let section: String
        package let size: UInt64
        package let variables: [Variable]
    }

    package struct Variable: Sendable, Equatable {
        package let name: String
        package let type: TypeID
        /// Bytes from the start of the section.
        package let offset: Int
        package let size: Int
        /// Declared `static` or `__hidden`: not visible outside the object.
        package let isStatic: Bool
        /// Declared `__hidden`.
        package var isHidden = false
    }

    /// A symbol without a definition.
    package struct Extern: Sendable, Equatable {
        package let name: String
        /// Its index in the symbol table.
        let symbol: Int
        package let isWeak: Bool
        package let kind: Kind

        package enum Kind: Sendable, Equatable {
            /// `__kconfig`: `offset` bytes into the map `.kconfig`.
            case kconfig(KconfigType, offset: Int)
            /// `__ksym`, a variable; typeless when it is declared `void`.
            case kernelVariable(isTyped: Bool)
            /// `__ksym`, a function: a kfunc.
            case kernelFunction
            /// Another object has to define it.
            case unresolved
        }
    }
}
