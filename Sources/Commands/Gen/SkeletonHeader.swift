// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import Console
import HostIO
import Skeleton

/// A header of `gen skeleton`, as it is asked for.
struct SkeletonHeader: Equatable {
    /// The object's.
    let path: String
    /// The name from the command line; nil: the file's.
    let name: String?
    /// Write a light skeleton.
    let usesLoader: Bool
    /// With what a kernel module needs to preload the programs.
    let preloads: Bool
    /// Define the structs of variables.
    var definesTypes = false
    var kernel = TargetKernel()

    /// - Throws: `Failure` for an object that cannot be read, or has no such skeleton.
    func print(to output: Stream, _ talk: Talk) throws {
        guard usesLoader else {
            return try output.print(
                ObjectSkeletonSource(
                    path: path, name: name, definesTypes: definesTypes, isSubskeleton: false
                ).read().header)
        }
        let input = try LoaderInput(path, kernel: kernel, talk: talk)
        let license = preloads ? try input.license() : nil
        let skeleton = try SkeletonSource(
            input: input, name: name, definesTypes: definesTypes
        ).read()
        if input.object.license == nil {
            talk.note(
                "\(path): no license: kernels let its programs call no helpers that are GPL only")
        }
        for program in skeleton.programs {
            guard case .none(let reason) = program.attachment else { continue }
            talk.note(
                "\(path): program \(program.identifier) (\(program.section)) will not be attached: \(reason)"
            )
        }
        if let license {
            try output.print(preloadHeader(skeleton, license: license))
        } else {
            try output.print(skeleton.header())
        }
    }

    /// Programs that cannot be attached are held, and pinned as programs.
    private func preloadHeader(
        _ skeleton: LightSkeleton, license: String
    ) throws(Failure) -> String {
        do throws(ModuleError) {
            let plan = try ModulePlan(
                skeleton, mode: .preload, license: license,
                unattached: skeleton.programs.filter { !$0.attachment.isForModules }.map(
                    \.identifier))
            return PreloadHeader(plan, manifest: plan.manifest(object: nil, options: [])).text
        } catch { throw Failure("\(path): \(error)", hint: error.hint) }
    }
}
