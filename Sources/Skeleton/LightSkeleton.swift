// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import CEmit

/// The contents of a light skeleton: the loader program, its data, and the descriptions of maps and
/// programs. The text is generated from these values alone.
package struct LightSkeleton: Sendable, Equatable {
    /// The object's name, a C identifier.
    package var name: String
    /// The struct of the header, and the start of the names of its functions and types: the
    /// object's name, unless that may be taken where the header is included.
    package var prefix: String
    /// In the order of the loader's context, which is the order of the object's maps.
    package var maps: [Map]
    /// In the order of the loader's context, which is the order of the object's programs.
    package var programs: [Program]
    /// The initial contents of the loader's own map.
    package var data: [UInt8]
    /// The loader: a program of type BPF_PROG_TYPE_SYSCALL, eight bytes per instruction.
    package var instructions: [UInt8]
    package var byteOrder: ByteOrder
    /// The object's variables, also those that are not members.
    package var declared: [DeclaredVariable]

    package init(
        name: String, prefix: String? = nil, maps: [Map], programs: [Program], data: [UInt8],
        instructions: [UInt8], byteOrder: ByteOrder, declared: [DeclaredVariable] = []
    ) {
        self.name = name
        self.prefix = prefix ?? name
        self.maps = maps
        self.programs = programs
        self.data = data
        self.instructions = instructions
        self.byteOrder = byteOrder
        self.declared = declared
    }

    /// The machine that the loader is for.
    package enum ByteOrder: Sendable, Equatable {
        case little
        case big
    }

    package struct Map: Sendable, Equatable {
        /// The member of the skeleton: an identifier. For a data section, its name without the dot
        /// and the object's name.
        package var identifier: String
        /// Its name in the kernel: at most 15 bytes.
        package var kernelName: String
        package var values: MapValues
        /// The initial values of a data section's variables, and their struct. nil for other maps.
        package var contents: Contents?

        package init(
            identifier: String, kernelName: String, values: MapValues, contents: Contents? = nil
        ) {
            self.identifier = identifier
            self.kernelName = kernelName
            self.values = values
            self.contents = contents
        }
    }

    /// A data section that C code may read and write through a pointer.
    package struct Contents: Sendable, Equatable {
        /// As long as the map's value.
        package var bytes: [UInt8]
        /// Members of the struct with the variables, one line of C each, without indentation.
        package var members: [String]
        /// Definitions of types used by the members, one line of C each.
        package var types: [String]
        /// Programs must not write to it: its pages belong to the loader until it is frozen.
        package var isReadOnly: Bool
        /// Each CPU gets a copy of it, of which C code sees only these initial values.
        package var isPerCPU: Bool
        /// The offsets of the members, for the compiler to verify.
        package var variables: [Variable]

        package init(
            bytes: [UInt8], members: [String], types: [String], isReadOnly: Bool,
            isPerCPU: Bool = false, variables: [Variable] = []
        ) {
            self.bytes = bytes
            self.members = members
            self.types = types
            self.isReadOnly = isReadOnly
            self.isPerCPU = isPerCPU
            self.variables = variables
        }
    }

    package struct Variable: Sendable, Equatable {
        package var name: String
        /// Bytes from the start of the section.
        package var offset: UInt32
        /// In bytes.
        package var size: UInt32
        /// nil if it has parts.
        package var scalar: CScalar?
        /// `const` without `volatile`: the programs were compiled with its initial value.
        package var isFolded: Bool

        package init(
            name: String, offset: UInt32, size: UInt32, scalar: CScalar? = nil,
            isFolded: Bool = false
        ) {
            self.name = name
            self.offset = offset
            self.size = size
            self.scalar = scalar
            self.isFolded = isFolded
        }
    }

    package struct Program: Sendable, Equatable {
        /// The member of the skeleton: the function's name.
        package var identifier: String
        /// BPF_PROG_TYPE_*.
        package var type: UInt32
        /// BPF_*: enum bpf_attach_type.
        package var expectedAttachType: UInt32
        /// The name in the object: "lsm/file_open".
        package var section: String
        package var attachment: Attachment
        /// Whether the loader loads it: false if its section's name begins with `?`.
        package var isLoaded: Bool
        /// The helpers that it may call, by number (enum bpf_func_id).
        package var helpers: [UInt32]

        package init(
            identifier: String, type: UInt32, expectedAttachType: UInt32, section: String,
            attachment: Attachment, isLoaded: Bool = true, helpers: [UInt32] = []
        ) {
            self.identifier = identifier
            self.type = type
            self.expectedAttachType = expectedAttachType
            self.section = section
            self.attachment = attachment
            self.isLoaded = isLoaded
            self.helpers = helpers
        }
    }

    /// How the generated code attaches a program.
    package enum Attachment: Sendable, Equatable {
        /// BPF_RAW_TRACEPOINT_OPEN by the tracepoint's name.
        case rawTracepoint(String)
        /// BPF_RAW_TRACEPOINT_OPEN without a name: the target was given at load time (tracing,
        /// LSM).
        case tracing
        /// BPF_LINK_CREATE without a target: iterators.
        case iterator
        /// BPF_LINK_CREATE with a target that the user sets in the skeleton first (a cgroup, an
        /// interface...).
        case link(Target)
        /// Not through the kernel's loader commands; the reason, for readers of the text.
        case none(reason: String)
    }

    /// The target for LINK_CREATE, set by the user as `targets.<program>_<suffix>`. A program whose
    /// target is 0 is not attached.
    package enum Target: Sendable, Equatable {
        case cgroup
        /// A network device.
        case interface
        /// A network namespace.
        case netns
        /// A descriptor from perf_event_open(2): for a kprobe, a tracepoint, a counter.
        case perfEvent
        /// The map that an iterator walks.
        case map
        /// The cgroup where an iterator starts.
        case cgroupOfIterator

        package var suffix: String {
            switch self {
            case .cgroup, .cgroupOfIterator: "cgroup_fd"
            case .interface: "ifindex"
            case .netns: "netns_fd"
            case .perfEvent: "perf_event_fd"
            case .map: "map_fd"
            }
        }
    }
}
