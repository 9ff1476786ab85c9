// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

/// What a module around a light skeleton does with its programs and maps. All requests are
/// validated here; the texts are generated from the result.
package struct ModulePlan: Sendable, Equatable {
    package let skeleton: LightSkeleton
    package let mode: ModuleManifest.Mode
    /// The value of MODULE_LICENSE.
    package let license: String
    /// Attached when the module is loaded, in this order.
    package let attached: [LightSkeleton.Program]
    /// Loaded and held, for others to attach or to call.
    package let held: [LightSkeleton.Program]
    /// Links for the kernel's own preload hook: none or two.
    package let published: [Publication]
    package let parameters: [ModuleParameter]

    /// An iterator, and the file in bpffs through which it is read.
    package struct Publication: Sendable, Equatable {
        package let program: String
        package let file: String

        package init(program: String, file: String) {
            self.program = program
            self.file = file
        }
    }

    /// - Parameters:
    ///   - license: the object's, or its replacement.
    ///   - unattached: programs that are loaded only.
    ///   - published: iterators for the kernel's own preload hook; a nil file is named after the
    ///     program.
    ///   - parameters: what the user may set when the module is loaded.
    package init(
        _ skeleton: LightSkeleton, mode: ModuleManifest.Mode, license: String,
        unattached: [String] = [], published: [(program: String, file: String?)] = [],
        parameters: [ModuleParameter.Wish] = []
    ) throws(ModuleError) {
        self.skeleton = skeleton
        self.mode = mode
        self.license = license
        try Self.checkLicense(license)
        try Self.checkName(skeleton.name)
        for name in unattached where !skeleton.programs.contains(where: { $0.identifier == name }) {
            throw ModuleError("--no-attach \(name): the object has no program with that name")
        }
        attached = skeleton.programs.filter { !unattached.contains($0.identifier) }
        held = skeleton.programs.filter { unattached.contains($0.identifier) && $0.isLoaded }
        try Self.checkAttachments(attached)
        self.published = try Self.publications(
            published, of: attached, in: skeleton.name)
        var accepted: [ModuleParameter] = []
        for wish in parameters {
            guard !accepted.contains(where: { $0.name == wish.name }) else {
                throw ModuleError("--param \(wish.name): twice")
            }
            let parameter = try ModuleParameter(wish, in: skeleton)
            if let other = accepted.first(where: { $0.sets(parameter.target) }) {
                throw ModuleError(
                    "--param \(wish.name)=\(wish.map ?? ""): \(other.name) sets that map's size already"
                )
            }
            accepted.append(parameter)
        }
        self.parameters = accepted
    }

    /// The module's contents; `object` is a file in its directory.
    package func manifest(object: String?, options: [String]) -> ModuleManifest {
        ModuleManifest(
            of: skeleton, module: skeleton.name, mode: mode, object: object, options: options,
            unattached: held.map(\.identifier),
            published: published.map { .init(program: $0.program, file: $0.file) })
    }

    // MARK: What is refused

    /// The licenses that give a module access to the kernel's GPL symbols, which it needs
    /// (include/linux/license.h).
    package static let licenses = [
        "GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL",
        "Dual MPL/GPL",
    ]

    private static func checkLicense(_ license: String) throws(ModuleError) {
        guard licenses.contains(license) else {
            throw ModuleError(
                "license '\(license)' does not give a module access to the kernel's GPL symbols",
                hint: "--license with one of: \(licenses.joined(separator: ", "))")
        }
    }

    /// Module names have at most 55 bytes (MODULE_NAME_LEN on 64-bit machines).
    private static func checkName(_ name: String) throws(ModuleError) {
        guard CIdentifier.isValid(name) else {
            throw ModuleError("'\(name)' is not a valid C identifier", hint: "--name NAME")
        }
        guard name.utf8.count <= 55 else {
            throw ModuleError(
                "'\(name)' has \(name.utf8.count) bytes, but module names have at most 55",
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
                hint: names.count == programs.count
                    ? nil : "\(names.joined(separator: " ")) to load without attaching")
        }
        guard !programs.isEmpty else {
            throw ModuleError("no program to attach: the module would do nothing")
        }
    }

    /// The kernel pins exactly two links there, and assumes that both are iterators: any other
    /// would corrupt its memory.
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
                throw ModuleError(
                    "--publish \(wish.program): no program with that name is attached")
            }
            guard program.attachment == .iterator else {
                throw ModuleError(
                    "--publish \(wish.program): \(program.section) is not an iterator, but the kernel would treat it as one"
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
            throw ModuleError("--publish: duplicate file '\(publications[0].file)'")
        }
        return publications
    }
}

/// Why no module can be generated from an object.
package struct ModuleError: Error, Equatable, CustomStringConvertible {
    package let description: String
    /// The remedy.
    package let hint: String?

    package init(_ description: String, hint: String? = nil) {
        self.description = description
        self.hint = hint
    }
}

extension LightSkeleton.Attachment {
    /// A module can attach it.
    package var isForModules: Bool { obstacleForModules == nil }

    /// Why the module cannot attach it without a target from the user.
    var obstacleForModules: String? {
        switch self {
        case .rawTracepoint, .tracing, .iterator: nil
        case .link(let target):
            "it needs a target, \(target.description), which a module does not have"
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
