// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

/// The contents of an ordinary skeleton: a BPF object, and what libbpf finds in it. The text is
/// generated from these values alone.
package struct ObjectSkeleton: Sendable, Equatable {
    /// A C identifier.
    package var name: String
    /// The whole file.
    package var object: [UInt8]
    /// In the order of libbpf's list.
    package var maps: [Map]
    /// In the order of libbpf's list.
    package var programs: [String]

    package init(name: String, object: [UInt8], maps: [Map], programs: [String]) {
        self.name = name
        self.object = object
        self.maps = maps
        self.programs = programs
    }

    package struct Map: Sendable, Equatable {
        /// The member of the skeleton: an identifier. For a data section, its name without the dot
        /// and the object's name.
        package var identifier: String
        /// By which libbpf finds it.
        package var name: String
        /// The variables of a data section that C code may read and write; nil for other maps.
        package var contents: Contents?
        /// For a struct_ops map: the struct whose members the code may set before it is loaded.
        package var operations: Operations?

        /// The member of the skeleton that points to the contents.
        var contentsMember: String { contents?.isArena == true ? "arena" : identifier }

        package init(
            identifier: String, name: String, contents: Contents? = nil,
            operations: Operations? = nil
        ) {
            self.identifier = identifier
            self.name = name
            self.contents = contents
            self.operations = operations
        }
    }

    /// A data section, or the variables of an arena.
    package struct Contents: Sendable, Equatable {
        /// The section has no map of its own, and its member is called `arena`.
        package var isArena: Bool
        /// Members of the struct with the variables, one line of C each, without indentation.
        package var members: [String]
        /// Definitions of types used by the members, one line of C each.
        package var types: [String]
        /// For the compiler to verify.
        package var variables: [LightSkeleton.Variable]

        package init(
            isArena: Bool = false, members: [String], types: [String] = [],
            variables: [LightSkeleton.Variable] = []
        ) {
            self.isArena = isArena
            self.members = members
            self.types = types
            self.variables = variables
        }
    }

    /// The struct of a struct_ops map, as libbpf holds it until the map is loaded: functions are
    /// programs, numbers are themselves.
    package struct Operations: Sendable, Equatable {
        /// The name of the struct.
        package var type: String
        /// One line of C each.
        package var members: [String]

        package init(type: String, members: [String]) {
            self.type = type
            self.members = members
        }
    }
}
