// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject

/// What a preload module holds, as the file `NAME.manifest` in its folder tells it: what it was made of and how, and
/// what of it the kernel will show once it is loaded. A selftest is written of nothing else.
///
/// The file has one thing a line, a keyword and values parted by tabs, in the order of the members here. Lines that start
/// with `#` are for people.
package struct ModuleManifest: Sendable, Equatable {
    /// The object's name, an identifier of C.
    package var name: String
    /// The module's, as the kernel lists it; its file is MODULE.ko.
    package var module: String
    package var mode: Mode
    /// The BPF object beside the manifest, if there is one.
    package var object: String?
    /// What `kbtf gen module` was called with besides the object and the folder, a word each.
    package var options: [String]
    /// Iterators that are published in bpffs through the kernel's own preload hook.
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

    /// What becomes of the programs when the module goes.
    package enum Mode: String, Sendable, CaseIterable {
        /// They go with it.
        case attach
        /// Links keep them running.
        case stayLinks = "stay-links"
        /// The module cannot be unloaded.
        case stayModule = "stay-module"
        /// As `attach`; on a kernel with a preload list they are pinned in bpffs as well.
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
        /// As the object has it: "lsm/file_open".
        package var section: String

        package init(
            identifier: String, type: UInt32, expectedAttachType: UInt32, link: Link,
            section: String
        ) {
            self.identifier = identifier
            self.type = type
            self.expectedAttachType = expectedAttachType
            self.link = link
            self.section = section
        }
    }

    /// The link by which the module attaches a program.
    package enum Link: String, Sendable, CaseIterable {
        case rawTracepoint = "raw_tracepoint"
        case tracing
        case iterator
        /// None: the program is loaded only.
        case none
    }

    package struct Map: Sendable, Equatable {
        /// What the kernel calls it.
        package var kernelName: String
        package var values: MapValues

        package init(kernelName: String, values: MapValues) {
            self.kernelName = kernelName
            self.values = values
        }
    }
}

extension ModuleManifest {
    /// What `skeleton` holds, in a module of that name.
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
                    section: $0.section)
            },
            maps: skeleton.maps.map { Map(kernelName: $0.kernelName, values: $0.values) })
    }
}

extension ModuleManifest.Link {
    /// What the module makes of it. Where somebody would have to name a target first, it attaches nothing.
    package init(_ attachment: LightSkeleton.Attachment) {
        switch attachment {
        case .rawTracepoint: self = .rawTracepoint
        case .tracing: self = .tracing
        case .iterator: self = .iterator
        case .link, .none: self = .none
        }
    }
}
