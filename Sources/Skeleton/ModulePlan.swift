// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// What a module made of a light skeleton does with its programs and maps: everything that can be wrong with the
/// wishes is settled here, and texts are written of it.
package struct ModulePlan: Sendable, Equatable {
    package let skeleton: LightSkeleton
    package let mode: ModuleManifest.Mode
    /// As MODULE_LICENSE takes it.
    package let license: String
    /// Attached when the module is loaded, in this order.
    package let attached: [LightSkeleton.Program]
    /// Loaded, and held for whoever attaches them, or calls them from others.
    package let held: [LightSkeleton.Program]
    /// Links for the kernel's own preload hook: none, or two.
    package let published: [Publication]

    /// An iterator, and the file in bpffs that it is to be read by.
    package struct Publication: Sendable, Equatable {
        package let program: String
        package let file: String

        package init(program: String, file: String) {
            self.program = program
            self.file = file
        }
    }

    /// - Parameters:
    ///   - license: the object's, or what stands in its place.
    ///   - unattached: programs that are to be loaded only.
    ///   - published: iterators for the kernel's own preload hook; a nil file is named after the program.
    package init(
        _ skeleton: LightSkeleton, mode: ModuleManifest.Mode, license: String,
        unattached: [String] = [], published: [(program: String, file: String?)] = []
    ) throws(ModuleError) {
        self.skeleton = skeleton
        self.mode = mode
        self.license = license
        try Self.checkLicense(license)
        try Self.checkName(skeleton.name)
        for name in unattached where !skeleton.programs.contains(where: { $0.identifier == name }) {
            throw ModuleError("--no-attach \(name): the object has no program of that name")
        }
        attached = skeleton.programs.filter { !unattached.contains($0.identifier) }
        held = skeleton.programs.filter { unattached.contains($0.identifier) && $0.isLoaded }
        try Self.checkAttachments(attached)
        self.published = try Self.publications(
            published, of: attached, in: skeleton.name)
    }

    /// What the module holds, in the folder of which `object` is a file.
    package func manifest(object: String?, options: [String]) -> ModuleManifest {
        ModuleManifest(
            of: skeleton, module: skeleton.name, mode: mode, object: object, options: options,
            unattached: held.map(\.identifier),
            published: published.map { .init(program: $0.program, file: $0.file) })
    }

    // MARK: What is refused

    /// The licenses that give a module the kernel's GPL symbols, which it needs (include/linux/license.h).
    package static let licenses = [
        "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
        "Dual MPL/GPL",
    ]

    private static func checkLicense(_ license: String) throws(ModuleError) {
        guard licenses.contains(license) else {
            throw ModuleError(
                "license '\(license)': a module of it may not use what bpf exports",
                hint: "--license with one of: \(licenses.joined(separator: ", "))")
        }
    }

    /// Names of modules have 55 bytes at most (MODULE_NAME_LEN on 64-bit machines).
    private static func checkName(_ name: String) throws(ModuleError) {
        guard CIdentifier.isValid(name) else {
            throw ModuleError("'\(name)' is no name in C", hint: "--name NAME")
        }
        guard name.utf8.count <= 55 else {
            throw ModuleError(
                "'\(name)': modules have names of at most 55 bytes, this has \(name.utf8.count)",
                hint: "--name NAME")
        }
    }

    private static func checkAttachments(
        _ programs: [LightSkeleton.Program]
    ) throws(ModuleError) {
        let obstacles = programs.compactMap { program in
            program.attachment.obstacleForModules.map { "\(program.identifier): \($0)" }
        }
        if let first = obstacles.first {
            let names = programs.filter { $0.attachment.obstacleForModules != nil }.map {
                "--no-attach \($0.identifier)"
            }
            throw ModuleError(
                obstacles.count == 1
                    ? "a module cannot attach program \(first)"
                    : "a module cannot attach \(obstacles.count) programs: "
                        + obstacles.joined(separator: "; "),
                hint: "\(names.joined(separator: " ")) to load without attaching")
        }
        guard !programs.isEmpty else {
            throw ModuleError("no program to attach: a module of it would do nothing")
        }
    }

    /// The kernel pins exactly two links there, and takes both for iterators without looking: any other would
    /// corrupt its memory.
    private static func publications(
        _ wishes: [(program: String, file: String?)], of programs: [LightSkeleton.Program],
        in object: String
    ) throws(ModuleError) -> [Publication] {
        guard !wishes.isEmpty else { return [] }
        guard wishes.count == 2 else {
            throw ModuleError(
                "--publish: the kernel publishes exactly two iterators, not \(wishes.count)",
                hint: "--publish FIRST,SECOND")
        }
        var publications: [Publication] = []
        for wish in wishes {
            guard let program = programs.first(where: { $0.identifier == wish.program }) else {
                throw ModuleError("--publish \(wish.program): no program of that name is attached")
            }
            guard program.attachment == .iterator else {
                throw ModuleError(
                    "--publish \(wish.program): \(program.section) is no iterator, and the kernel takes it for one"
                )
            }
            let file = wish.file ?? PinName.link(program.identifier, in: object)
            try PinName.check(file, of: wish.program)
            publications.append(Publication(program: wish.program, file: file))
        }
        guard publications[0].program != publications[1].program else {
            throw ModuleError("--publish: \(publications[0].program) twice")
        }
        guard publications[0].file != publications[1].file else {
            throw ModuleError("--publish: two files '\(publications[0].file)'")
        }
        return publications
    }
}

/// Why no module is made of an object.
package struct ModuleError: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// What can be done about it.
    package let hint: String?

    package init(_ description: String, hint: String? = nil) {
        self.description = description
        self.hint = hint
    }
}

extension LightSkeleton.Attachment {
    /// A module can attach it.
    package var isForModules: Bool { obstacleForModules == nil }

    /// Why the module cannot attach it, where nobody is there to name a target.
    var obstacleForModules: String? {
        switch self {
        case .rawTracepoint, .tracing, .iterator: nil
        case .link(let target): "it needs a target, \(target.description), which a module has not"
        case .none(let reason): reason
        }
    }
}

extension LightSkeleton.Target {
    fileprivate var description: String {
        switch self {
        case .cgroup, .cgroupOfIterator: "a cgroup"
        case .interface: "a network device"
        case .netns: "a network namespace"
        case .perfEvent: "a perf event"
        case .map: "a map"
        }
    }
}
