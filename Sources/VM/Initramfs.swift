// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import Bytes

/// The file system that a guest starts with: its init, modules, tests, and the task list.
package struct Initramfs: Sendable {
    /// The archive, in pieces.
    package let chunks: [ByteView]
    /// An archive with what the machine boots with: its init.
    let boot: [ByteView]
    /// An archive with its work: modules, tests, and the list.
    let work: [ByteView]
    /// The number of results that the guest will report.
    package let plan: Int

    /// - Parameters:
    ///   - initProgram: the init compiled from selftests/guest.
    ///   - parameters: for modules, by name: `debug=1`.
    ///   - output: bytes of files that the guest sends at most; nil if it sends none.
    ///   - disk: the guest's root, mounted once the drivers among the modules are loaded.
    ///   - busybox: commands for a guest without a disk.
    ///   - programs: of the host's, likewise.
    ///   - shell: gets the console when the modules are loaded; tests come along but do not run.
    package init(
        initProgram: ByteView, modules: ModuleSet, parameters: [String: String] = [:],
        tests: GuestFiles?, output: Int? = nil, disk: DiskImage? = nil, busybox: Busybox? = nil,
        programs: HostPrograms? = nil, shared: SharedFolder? = nil, shell: GuestShell? = nil
    ) throws(VMError) {
        var archive = CpioWriter()
        var list = ""
        var plan = 0
        // Before busybox, whose commands take no other's place.
        for file in programs?.files ?? [] {
            try archive.add(file.path, mode: 0o755, .file(file.bytes))
        }
        for link in programs?.links ?? [] {
            try archive.add(link.path, mode: 0o777, .link(link.target))
        }
        if let busybox {
            try archive.add(Busybox.path, mode: 0o755, .file(busybox.bytes))
            try archive.add("/bin/sh", mode: 0o777, .link("busybox"))
            list += "busybox\t\(Busybox.path)\n"
        }
        for entry in shared?.entries ?? [] {
            try archive.add(entry.path, mode: entry.mode, entry.kind)
        }
        for (index, entry) in modules.entries.enumerated() {
            if let disk, index == modules.driverCount { list += Initramfs.rootLine(disk) }
            let info = entry.info
            let path = "/modules/\(info.name).ko"
            try archive.add(path, mode: 0o644, .file(info.bytes))
            guard entry.isWanted else {
                list += "needed\t\(info.name)\t\(path)\n"
                continue
            }
            list += "module\t\(info.name)\t\(path)\t\(parameters[info.name] ?? "")\n"
            plan += 1
            guard let btf = info.btf else { continue }
            // For BTF with a distilled base the kernel shows what it derived from it.
            if info.isDistilled {
                list += "btf\t\(info.name)\t-\n"
            } else {
                try archive.add("/kbtf/btf/\(info.name)", mode: 0o644, .file(btf))
                list += "btf\t\(info.name)\t/kbtf/btf/\(info.name)\n"
            }
            plan += 1
        }
        if let disk, modules.driverCount == modules.entries.count {
            list += Initramfs.rootLine(disk)
        }
        // In the root that tests see.
        if let output { list += "output\t\(output)\n" }
        for file in tests?.files ?? [] {
            try archive.add(file.path, mode: file.mode, .file(file.bytes))
        }
        if let shell { list += shell.task }
        for test in shell == nil ? tests?.tests ?? [] : [] {
            if let reason = test.denied {
                list += "skip\t\(test.name)\t\(reason)\n"
            } else {
                let words = ["test", test.name, "\(test.seconds)", test.path] + test.arguments
                list += words.joined(separator: "\t") + "\n"
            }
            plan += 1
        }
        try archive.add("kbtf/list", mode: 0o644, .file(ByteView(Array(list.utf8))))
        try archive.finish()
        work = archive.chunks
        var start = CpioWriter()
        // The kernel opens it before init can mount anything.
        try start.add("dev/console", mode: 0o600, .characterDevice(major: 5, minor: 1))
        try start.add("init", mode: 0o755, .file(initProgram))
        chunks = start.chunks + work
        try start.finish()
        boot = start.chunks
        self.plan = plan
    }

    private static func rootLine(_ disk: DiskImage) -> String {
        "root\t\(DiskImage.device)\t\(disk.type)\n"
    }
}
