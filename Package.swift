// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// kbtf: BTF for Linux kernels and modules. ARCHITECTURE.md draws the rooms and who may import whom.
import PackageDescription

/// Tests spend their time in libraries, which are therefore optimised in debug builds as well, with
/// the checks of a debug build.
let optimised = SwiftSetting.unsafeFlags(
    ["-O", "-Xfrontend", "-assert-config", "-Xfrontend", "Debug"], .when(configuration: .debug))

/// What every target under Sources is held to: Swift 6, memory safety spelled out, no silent
/// imports, no warnings.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
    optimised,
]

/// Tests leave memory-safety marks out: `#expect` expands to code that cannot carry them.
let strictTests: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strictTests)
}

let package = Package(
    name: "kbtf",
    products: [
        .executable(name: "kbtf", targets: ["kbtf"]),
        .executable(name: "kbtf-vm", targets: ["kbtf-vm"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .systemLibrary(name: "CElf"),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CDw"),
        .systemLibrary(name: "CBpf"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CLzma"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CLz4"),
        room("Bytes"),
        room("Tables", ["Bytes"]),
        room("HostIO", ["Bytes", "CMalloc", "CLinux"]),
        room("ELF", ["Bytes", "Tables", "HostIO", "CElf", "CZlib", "CZstd"]),
        room("DWARF", ["Bytes", "Tables", "HostIO", "ELF"]),
        room("BTF", ["Bytes", "Tables"]),
        room("BTFIDs", ["Bytes", "Tables", "ELF", "BTF"]),
        room("DWARFToBTF", ["Bytes", "Tables", "HostIO", "ELF", "DWARF", "BTF", "BTFIDs"]),
        room("KernelTree", ["Bytes", "HostIO", "ELF", "BTF", "CZlib", "CLzma", "CZstd", "CLz4"]),
        room("BPFObject", ["Bytes", "Tables", "ELF", "BTF"]),
        room("Attaching", ["Bytes", "ELF", "BTF", "BPFObject"]),
        room("CEmit", ["BTF"]),
        room(
            "Skeleton", ["BPFObject", "CEmit"],
            // C that selftests are made of, kept as C.
            resources: [
                .embedInCode("Selftest/preload_test.h"),
                .embedInCode("Selftest/preload_test.c"),
                .embedInCode("Selftest/report.h"),
                .embedInCode("Selftest/report.c"),
                .embedInCode("Selftest/checks.h"),
                .embedInCode("Selftest/ktap.c"),
                .embedInCode("Selftest/kernel.c"),
                .embedInCode("Selftest/object.c"),
                .embedInCode("Selftest/helpers.c"),
                .embedInCode("Selftest/holdings.c"),
                .embedInCode("Selftest/pins.c"),
                .embedInCode("Selftest/runs.c"),
                .embedInCode("Selftest/activity.h"),
                .embedInCode("Selftest/activity.c"),
            ]),
        room("BPFLoad", ["Bytes", "HostIO", "ELF", "BTF", "BPFObject", "CBpf"]),
        room("Report", ["Bytes", "BTF"]),
        room("Diagnosis"),
        room("VM", ["Bytes", "HostIO", "ELF", "KernelTree", "Diagnosis"]),
        room(
            "Console",
            [
                "Bytes", "HostIO", "KernelTree",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        room(
            "Commands",
            [
                "Bytes", "HostIO", "ELF", "DWARF", "BTF", "BTFIDs", "DWARFToBTF", "KernelTree",
                "BPFObject", "Attaching", "CEmit", "Skeleton", "BPFLoad", "Report", "Diagnosis",
                "Console",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        room(
            "VMCommands",
            [
                "Bytes", "HostIO", "KernelTree", "VM", "Console", "Commands",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "kbtf", dependencies: ["HostIO", "Console", "Commands"], swiftSettings: strict),
        .executableTarget(
            name: "kbtf-vm", dependencies: ["HostIO", "Console", "VMCommands"],
            swiftSettings: strict),
        .executableTarget(
            name: "kbtf-conformance",
            dependencies: [
                "Bytes", "HostIO", "ELF", "DWARF", "BTF", "BTFIDs", "BPFObject", "CDw",
                "TestSupport",
            ],
            path: "Tests/Conformance/kbtf-conformance", swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Bytes", "HostIO", "ELF", "DWARF", "BTF"],
            path: "Tests/TestSupport", swiftSettings: strictTests + [optimised]),
        tests("BytesTests", ["Bytes", "TestSupport"]),
        tests("TablesTests", ["Bytes", "Tables", "HostIO", "TestSupport"]),
        tests("HostIOTests", ["Bytes", "HostIO", "TestSupport"]),
        tests("ELFTests", ["Bytes", "HostIO", "ELF", "CZlib", "CZstd", "TestSupport"]),
        tests("DWARFTests", ["Bytes", "HostIO", "ELF", "DWARF", "TestSupport"]),
        tests("BTFTests", ["Bytes", "HostIO", "ELF", "BTF", "TestSupport"]),
        tests("BTFIDsTests", ["Bytes", "HostIO", "ELF", "DWARF", "BTF", "BTFIDs", "TestSupport"]),
        tests(
            "DWARFToBTFTests",
            ["Bytes", "HostIO", "ELF", "DWARF", "BTF", "DWARFToBTF", "TestSupport"]),
        tests(
            "KernelTreeTests",
            [
                "Bytes", "HostIO", "ELF", "BTF", "KernelTree", "CZlib", "CLzma", "CZstd", "CLz4",
                "TestSupport",
            ]),
        tests("BPFObjectTests", ["Bytes", "ELF", "BTF", "BPFObject", "CBpf", "TestSupport"]),
        tests(
            "BPFLoadTests",
            ["Bytes", "HostIO", "BTF", "BPFObject", "BPFLoad", "CBpf", "TestSupport"]),
        tests("AttachingTests", ["Bytes", "ELF", "BTF", "BPFObject", "Attaching", "TestSupport"]),
        tests("ReportTests", ["Bytes", "BTF", "Report", "TestSupport"]),
        tests("DiagnosisTests", ["Diagnosis"]),
        tests("CEmitTests", ["Bytes", "BTF", "CEmit", "TestSupport"]),
        tests("SkeletonTests", ["Bytes", "BTF", "BPFObject", "CEmit", "Skeleton", "TestSupport"]),
        .testTarget(
            name: "VMTests",
            dependencies: ["Bytes", "HostIO", "ELF", "KernelTree", "VM", "TestSupport"],
            exclude: ["Data"], swiftSettings: strictTests),
        .testTarget(
            name: "KbtfTests",
            dependencies: [
                "Bytes", "HostIO", "ELF", "BTF", "KernelTree", "VM", "Console", "Commands",
                "VMCommands", "TestSupport",
            ], exclude: ["Data"], swiftSettings: strictTests),
    ],
    swiftLanguageModes: [.v6]
)
