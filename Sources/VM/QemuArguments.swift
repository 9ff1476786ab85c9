// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

internal import Bytes

/// How QEMU executes the guest's instructions.
package enum Acceleration: String, Sendable {
    /// On the processor, through /dev/kvm.
    case kvm
    /// Translated by QEMU. Works everywhere.
    case tcg
}

/// The virtual machine itself.
package struct Machine: Sendable {
    package var architecture: Architecture
    package var acceleration: Acceleration
    package var processors: Int
    /// Memory in MiB.
    package var memory: Int
    /// Additional words for the kernel's command line.
    package var kernelArguments: [String]
    /// The guest's disk.
    package var disk: DiskImage?
    /// Somebody sits at the console: Ctrl-A X ends QEMU, all other keys are the guest's.
    package var isInteractive = false

    package init(
        _ architecture: Architecture, acceleration: Acceleration, processors: Int = 1,
        memory: Int = 1024, kernelArguments: [String] = [], disk: DiskImage? = nil
    ) {
        self.architecture = architecture
        self.acceleration = acceleration
        self.processors = processors
        self.memory = memory
        self.kernelArguments = kernelArguments
        self.disk = disk
    }

    /// QEMU's command line.
    package func command(kernel: String, initramfs: String) -> [String] {
        command(kernel: kernel, initramfs: initramfs, state: [])
    }

    /// QEMU's command line for a machine that is saved, or goes on from where it was saved.
    func command(kernel: String, initramfs: String, saving state: SavedState) -> [String] {
        command(kernel: kernel, initramfs: initramfs, state: state.arguments(self))
    }

    private func command(kernel: String, initramfs: String, state: [String]) -> [String] {
        [architecture.qemu] + architecture.board
            // Only the devices named here, no window, and a reboot (such as after a panic) ends it.
            + ["-nodefaults", "-display", "none", "-no-reboot"]
            + accelerationArguments
            + ["-m", "\(memory)", "-smp", "\(processors)"]
            + ["-chardev", "stdio,id=console,signal=off" + (isInteractive ? ",mux=on" : "")]
            + architecture.consoleDevice
            + diskArguments + state
            + ["-kernel", kernel, "-initrd", initramfs]
            + ["-append", commandLine]
    }

    /// The kernel's command line.
    package var commandLine: String {
        var words = [
            "console=\(architecture.console)",
            // Every kernel message, once: it costs little, and a failure needs it.
            "ignore_loglevel",
            // End at once instead of leaving a guest in an unknown state.
            "panic=-1", "oops=panic",
            // The guest's lines go through /dev/kmsg and would be rate-limited.
            "printk.devkmsg=on",
        ]
        if acceleration == .tcg {
            // A translated guest on a busy host stalls for seconds; its watchdogs would raise false
            // alarms, and the deadline catches hangs anyway.
            words += ["nowatchdog", "rcupdate.rcu_cpu_stall_suppress=1"] + architecture.patience
        }
        return (words + kernelArguments).joined(separator: " ")
    }

    private var diskArguments: [String] {
        guard let disk else { return [] }
        // As JSON, for a comma in the path ends nothing there.
        var backend = JSONWriter()
        backend.object { json in
            json.field("node-name", "disk")
            json.field("driver", "raw")
            json.field("read-only", true)
            json.object("file") { json in
                json.field("driver", "file")
                json.field("filename", disk.path)
            }
        }
        return [
            "-blockdev", String(decoding: backend.bytes, as: UTF8.self), "-device",
            "\(architecture.diskDevice),drive=disk",
        ]
    }

    private var accelerationArguments: [String] {
        switch acceleration {
        case .kvm: ["-accel", "kvm", "-cpu", "host"]
        case .tcg:
            [
                "-accel", architecture.hasThreads ? "tcg,thread=multi" : "tcg",
                "-cpu", architecture.emulatedProcessor,
            ]
        }
    }
}
