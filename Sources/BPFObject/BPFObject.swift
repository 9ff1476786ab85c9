// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BTF
package import Bytes
import ELF

/// What a relocatable object of BPF programs holds, read as libbpf reads it: functions and maps stand in
/// the order that libbpf gives them, so that their numbers are those of a loader that it generates.
///
/// All that is kept was checked: sections lie inside the file, relocations inside their functions, types and
/// names exist. What a loader cannot do with it is another question, see `loaderObstacles`.
package struct BPFObject: Sendable {
    /// How errors call the file.
    package let file: String
    package let isBigEndian: Bool
    /// The text of the section `license`; nil without one.
    package let license: String?
    /// The number in the section `version`, LINUX_VERSION_CODE; nil without one.
    package let kernelVersion: UInt32?
    package let btf: BTF
    package let extendedInfo: ExtendedInfo
    /// Programs and subprograms, by section and place in it.
    package let functions: [Function]
    /// Those of `.maps` first, then one for each section of data, then `.kconfig`.
    package let maps: [Map]
    /// What lies in an arena from the start; nil without a section of such variables.
    package let arena: Arena?
    /// Symbols that others are to define.
    package let externs: [Extern]
    /// Global symbols that it defines, but for those of `license` and `version`.
    package let definitions: [Definition]
    /// It has sections or programs of `struct_ops`, whose maps are not among `maps`.
    package let structOps: [String]

    /// Reads an object that was compiled, or linked of such.
    /// - Parameter path: how errors call it.
    /// - Throws: `BPFObjectError` for what is no BPF object or a damaged one, and for what libbpf no longer
    ///   or never took: maps in a section `maps`, COMMON symbols, static programs, data in sections that it
    ///   does not know.
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
    }

    /// Functions that are loaded by themselves, in the order of a loader's context.
    package var programs: [Function] { functions.filter { !$0.isSubprogram } }

    /// The section that `function` is in, as an error is to name it.
    func error(
        in function: Function, at offset: Int = 0, _ message: String, hint: String? = nil
    ) -> BPFObjectError {
        BPFObjectError(
            file: file, section: function.section, offset: function.offset + offset, message,
            hint: hint)
    }
}

extension BPFObject {
    /// A function: a program, or one that programs call.
    package struct Function: Sendable {
        package let name: String
        /// As in the file, also with a `?` before it.
        package let section: String
        package let sectionIndex: Int
        /// Bytes from the start of the section.
        package let offset: Int
        /// Its instructions, in the file's byte order.
        package let code: ByteView
        package let isWeak: Bool
        package let isStatic: Bool
        /// It lies in `.text`, to be called by programs.
        package internal(set) var isSubprogram: Bool
        /// What sort of program its section says it is; nil for a name that libbpf does not know.
        package let kind: ProgramKind?
        /// What its instructions refer to, by place.
        package internal(set) var references: [Reference] = []

        /// Whether a loader loads it: a `?` before the section's name asks for the contrary.
        package var isAutoloaded: Bool { !section.hasPrefix("?") }
        /// The section's name as libbpf gives it to others.
        package var sectionName: String { isAutoloaded ? section : String(section.dropFirst()) }
        /// What stands behind the first slash of the section's name: a function, a hook, a tracepoint.
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
        /// Another definition may take its place.
        package let isWeak: Bool
    }

    /// What an instruction refers to by a symbol.
    package struct Reference: Sendable, Equatable {
        /// The instruction's number in its function.
        package let instruction: Int
        package let target: Target

        package enum Target: Sendable, Equatable {
            /// A map's descriptor.
            case map(Int)
            /// A variable: `offset` bytes into the value of a map made for a section of data.
            case data(map: Int, offset: Int)
            /// A variable of an arena: `offset` bytes into the section.
            case arena(offset: Int)
            /// A call of a function.
            case call(function: Int)
            /// A function's address.
            case address(function: Int)
            /// The value or the address of what others define.
            case externalVariable(Int)
            /// A call of what others define.
            case externalCall(Int)
        }
    }

    package struct Map: Sendable {
        /// The variable's name; the section's for a section of data.
        package let name: String
        package let section: String
        package let sectionIndex: Int
        /// Bytes from the start of the section.
        package let offset: Int
        package let definition: MapDefinition
        /// Bytes that its declaration takes there.
        let size: Int
        /// Where the declaration has the slots of `values`.
        let slotsOffset: Int?
        /// What a map of maps, or an array of programs, holds from the start.
        package internal(set) var slots: [Slot] = []
        /// What its variables start with; nil for a map that was declared.
        package let contents: Contents?

        package var isInternal: Bool { contents != nil }
    }

    package struct Slot: Sendable, Equatable {
        package let index: Int
        package let target: Target

        package enum Target: Sendable, Equatable {
            case map(Int)
            case function(Int)
        }
    }

    /// A section of data.
    package struct Contents: Sendable {
        package enum Kind: Sendable, Equatable { case data, readOnly, zero, kconfig }
        package let kind: Kind
        package let size: Int
        /// Its bytes; nil where they are zero (`.bss`) or not known yet (`.kconfig`).
        package let bytes: ByteView?
        package let variables: [Variable]
    }

    /// A section of variables that lie in an arena, the memory that programs and user space share.
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
        /// Declared `static` or `__hidden`: nobody outside of the object knows it.
        package let isStatic: Bool
        /// Declared `__hidden`.
        package var isHidden = false
    }

    /// A symbol without a definition.
    package struct Extern: Sendable, Equatable {
        package let name: String
        /// Its number in the symbol table.
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
            /// Something that another object is to define.
            case unresolved
        }
    }
}
