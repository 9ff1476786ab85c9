// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

@testable import Skeleton

/// A skeleton for modules: its loader loads nothing.
enum ModuleSketch {
    static func program(
        _ name: String, _ attachment: LightSkeleton.Attachment, section: String = "lsm/x",
        isLoaded: Bool = true
    ) -> LightSkeleton.Program {
        LightSkeleton.Program(
            identifier: name, type: 29, expectedAttachType: 27, section: section,
            attachment: attachment, isLoaded: isLoaded)
    }

    static func iterator(_ name: String) -> LightSkeleton.Program {
        program(name, .iterator, section: "iter/bpf_map")
    }

    static func map(_ name: String, isInternal: Bool = false) -> LightSkeleton.Map {
        LightSkeleton.Map(
            identifier: name, kernelName: name, type: 2, keySize: 4, valueSize: 8, maxEntries: 1,
            flags: 0, isInternal: isInternal)
    }

    static func skeleton(
        _ name: String = "demo", programs: [LightSkeleton.Program],
        maps: [LightSkeleton.Map] = []
    ) -> LightSkeleton {
        LightSkeleton(
            name: name, maps: maps, programs: programs, data: [1, 2, 3, 4, 5, 6, 7, 8],
            instructions: [0x95, 0, 0, 0, 0, 0, 0, 0], byteOrder: .little)
    }
}
