// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject

/// The contents of a preload module, stored in its directory as `NAME.manifest`: what it was
/// generated from and how, and which of its objects the kernel will show once it is loaded. A
/// selftest is generated from nothing else.
///
/// The file has one item per line, a keyword and values separated by tabs, in the order of the
/// members here. Lines that start with `#` are comments.
package struct ModuleManifest: Sendable, Equatable {
    /// The object's name, a C identifier.
    package var name: String
    /// The module's name, as listed by the kernel; its file is MODULE.ko.
    package var module: String
    package var mode: Mode
    /// The BPF object beside the manifest, if any.
    package var object: String?
    /// The arguments of `kbtf gen module` besides the object and the directory, one word each.
    package var options: [String]
    /// Iterators published in bpffs through the kernel's own preload hook.
    package var published: [Publication]
    package var programs: [Program]
    package var maps: [Map]

    package init(
        name: String, module: String, mode: Mode, object: String? = nil, options: [String] = [],
        published: [Publication] = [], programs: [Program], maps: [Map]
    ) {
        self.name = name
        self.module = module
        self.mode = mode
        self.object = object
        self.options = options
        self.published = published
        self.programs = programs
        self.maps = maps
    }

    /// What happens to the programs on rmmod.
    package enum Mode: String, Sendable, CaseIterable {
        /// They are removed with it.
        case attach
        /// Links keep them running.
        case stayLinks = "stay-links"
        /// The module cannot be unloaded.
        case stayModule = "stay-module"
        /// Like `attach`; on a kernel with a preload list they are also pinned in bpffs.
        case preload
    }

    package struct Publication: Sendable, Equatable {
        package var program: String
        /// Its name in bpffs.
        package var file: String

        package init(program: String, file: String) {
            self.program = program
            self.file = file
        }
    }

    /// A program that the loader loads.
    package struct Program: Sendable, Equatable {
        /// The function's name. The kernel shows its first 15 bytes.
        package var identifier: String
        /// BPF_PROG_TYPE_*.
        package var type: UInt32
        /// BPF_*: enum bpf_attach_type.
        package var expectedAttachType: UInt32
        package var link: Link
        /// The name in the object: "lsm/file_open".
        package var section: String
        /// The helpers that it may call, by number (enum bpf_func_id).
        package var helpers: [UInt32]

        package init(
            identifier: String, type: UInt32, expectedAttachType: UInt32, link: Link,
            section: String, helpers: [UInt32] = []
        ) {
            self.identifier = identifier
            self.type = type
            self.expectedAttachType = expectedAttachType
            self.link = link
            self.section = section
            self.helpers = helpers
        }
    }

    /// The link through which the module attaches a program.
    package enum Link: String, Sendable, CaseIterable {
        case rawTracepoint = "raw_tracepoint"
        case tracing
        case iterator
        /// None: the program is loaded only.
        case none
    }

    package struct Map: Sendable, Equatable {
        /// Its name in the kernel.
        package var kernelName: String
        package var values: MapValues

        package init(kernelName: String, values: MapValues) {
            self.kernelName = kernelName
            self.values = values
        }
    }
}

extension ModuleManifest {
    /// The contents of `skeleton`, in a module with this name.
    ///
    /// - Parameter unattached: programs that the module loads without attaching them.
    package init(
        of skeleton: LightSkeleton, module: String, mode: Mode, object: String?, options: [String],
        unattached: [String] = [], published: [Publication] = []
    ) {
        self.init(
            name: skeleton.name, module: module, mode: mode, object: object, options: options,
            published: published,
            programs: skeleton.programs.filter(\.isLoaded).map {
                Program(
                    identifier: $0.identifier, type: $0.type,
                    expectedAttachType: $0.expectedAttachType,
                    link: unattached.contains($0.identifier) ? .none : Link($0.attachment),
                    section: $0.section, helpers: $0.helpers)
            },
            maps: skeleton.maps.map { Map(kernelName: $0.kernelName, values: $0.values) })
    }
}

extension ModuleManifest.Link {
    /// The link that the module creates. It attaches nothing that needs a target from the user.
    package init(_ attachment: LightSkeleton.Attachment) {
        switch attachment {
        case .rawTracepoint: self = .rawTracepoint
        case .tracing: self = .tracing
        case .iterator: self = .iterator
        case .link, .none: self = .none
        }
    }
}
