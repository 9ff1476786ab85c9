// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ArgumentParser

/// The options of `kbtf vm run`. kbtf completes them, without being linked with what they are for.
package struct VMRunArguments: ParsableArguments {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boot kernels, load modules, run tests, and tell what came of it.",
        discussion: """
            Boots each kernel in a virtual machine (QEMU) with an initramfs made for it, loads the modules \
            with all they need, compares /sys/kernel/btf with the BTF in their files, and runs the tests. \
            Nobody needs to be root, and nothing stays behind.

            With --image debian the guest has a whole system around these: tests may be scripts, and modules be \
            loaded by modprobe. It is read from a disk that stays as it is; what the guest writes is gone with it.

            The results are KTAP on standard output. The exit status is 0 when everything passed and no kernel \
            complained; 1 when not, or when an input is wrong; 2 when the command line is wrong; and 69 when \
            QEMU or this machine failed.

            Examples:
              kbtf vm run --module foo.ko
              kbtf vm run --kernel 6.1.0-56-cloud-amd64 --module foo.ko --test ./foo_test
              kbtf vm run --kernel linux-6.12 --kernel linux-7.2 --test tests/ -j 2 --junit out.xml
              kbtf vm run --image debian --module foo.ko --test ./foo_test.sh
            """)

    @Option(
        help: ArgumentHelp(
            "A release, an image, or a folder a kernel package was unpacked in (repeatable; default: what the first module is for, or the running kernel).",
            valueName: "KERNEL"), completion: .file())
    package var kernel: [String] = []

    @Option(
        help: ArgumentHelp("Load this module; the order counts (repeatable).", valueName: "FILE"),
        completion: .file())
    package var module: [String] = []

    @Option(
        help: ArgumentHelp(
            "Parameters for a module: 'foo: debug=1 size=4' (repeatable).",
            valueName: "MODULE:WORDS"))
    package var parameters: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run this static program, or all programs in this folder (repeatable).",
            valueName: "FILE|DIR"), completion: .file())
    package var test: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the guest has besides modules and tests: nothing (initramfs), the Debian system that 'make image' made for its kernel (debian), or the one on a disk (ext4, squashfs, erofs). An initramfs of yours is booted as it is, and KTAP taken from its console.",
            valueName: "initramfs|debian|FILE"), completion: .file())
    package var image = "initramfs"

    @Option(
        help: ArgumentHelp("Tests to skip: a name and a reason a line.", valueName: "FILE"),
        completion: .file())
    package var denylist: String?

    @OptionGroup(title: "Machine") package var machine: VMMachineOptions
    @OptionGroup(title: "Limits") package var limits: VMLimitOptions
    @OptionGroup(title: "Output") package var output: VMOutputOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("How many guests to run at once.", valueName: "N")
    )
    package var jobs = 1

    package init() {}
}

/// What the virtual machine is like.
package struct VMMachineOptions: ParsableArguments {
    package enum Accelerator: String, ExpressibleByArgument, CaseIterable { case auto, kvm, tcg }

    @Option(
        help: ArgumentHelp(
            "Who runs the guest's instructions: the processor (kvm), QEMU (tcg), or whichever works (auto).",
            valueName: "auto|kvm|tcg"))
    package var accel = Accelerator.auto

    @Option(help: ArgumentHelp("Memory of each guest, in MiB.", valueName: "MIB"))
    package var memory = 1024

    @Option(help: ArgumentHelp("Processors of each guest.", valueName: "N"))
    package var cpus = 1

    @Option(
        help: ArgumentHelp(
            "More words for the kernel's command line (repeatable).", valueName: "WORDS"))
    package var append: [String] = []

    @Option(
        help: ArgumentHelp(
            "Look for kernels under this folder too, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    package var sysroot: [String] = []

    package func validate() throws {
        if !(64...(1 << 20)).contains(memory) {
            throw ValidationError("--memory takes 64 to 1048576 MiB")
        }
        if !(1...255).contains(cpus) { throw ValidationError("--cpus takes 1 to 255") }
    }

    package init() {}
}

/// When to stop waiting.
package struct VMLimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What a guest may take in all, in seconds.", valueName: "S"))
    package var timeout = 300

    @Option(
        help: ArgumentHelp("What a guest may take until its init runs, in seconds.", valueName: "S")
    )
    package var bootTimeout = 120

    @Option(help: ArgumentHelp("What each test may take, in seconds.", valueName: "S"))
    package var testTimeout = 45

    @Option(help: ArgumentHelp("What a guest may print, in MiB.", valueName: "MIB"))
    package var logLimit = 8

    @Option(
        help: ArgumentHelp(
            "Expect kernel warnings (WARNING:) whose first lines hold this text; they fail nothing (repeatable).",
            valueName: "TEXT"))
    package var allowWarning: [String] = []

    package func validate() throws {
        for (name, value) in [
            ("timeout", timeout), ("boot-timeout", bootTimeout), ("test-timeout", testTimeout),
        ] where !(1...1_000_000).contains(value) {
            throw ValidationError("--\(name) takes 1 to 1000000 seconds")
        }
        if allowWarning.contains("") {
            throw ValidationError(
                "--allow-warning takes a text, not nothing: every line holds that")
        }
        if !(1...1024).contains(logLimit) {
            throw ValidationError("--log-limit takes 1 to 1024 MiB")
        }
    }

    package init() {}
}

/// Where the results go.
package struct VMOutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    package var json = false

    @Option(
        help: ArgumentHelp("Write the results as JUnit XML, too.", valueName: "FILE"),
        completion: .file())
    package var junit: String?

    @Option(
        help: ArgumentHelp("Write what came on the consoles.", valueName: "FILE"),
        completion: .file())
    package var log: String?

    @Option(
        help: ArgumentHelp(
            "Leave initramfs and QEMU's command line in this folder.", valueName: "DIR"),
        completion: .directory)
    package var keep: String?

    @Flag(name: [.short, .long], help: "Say nothing but errors, print no results.")
    package var quiet = false

    @Flag(name: [.short, .long], help: "Show the consoles, and what tests printed that passed.")
    package var verbose = false

    package init() {}
}
