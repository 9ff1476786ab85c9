// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import ArgumentParser

/// The options of `kbtf vm run`. kbtf itself only completes them and is not linked with the
/// code that runs guests.
package struct VMRunArguments: ParsableArguments {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Boot kernels, load modules, run tests, and report the results.",
        discussion: """
            Boots each kernel in a virtual machine (QEMU) with an initramfs made for it, loads \
            the modules and their dependencies, compares /sys/kernel/btf with the BTF in their \
            files, and runs the tests. It needs no root and leaves nothing behind but a cache.

            With --image debian the guest has a complete system: tests may be scripts, and \
            modules may be loaded with modprobe. The disk is not modified; what the guest writes \
            is lost with it.

            Without it, --busybox gives the guest a shell and its usual commands for tests that \
            are scripts, and --program others, such as bash. --shell gives the console to a shell instead of running the tests.

            With --shard, several machines share a run: each does its part of the kernels and \
            tests, and 'kbtf vm merge' puts the results together.

            The results are printed as KTAP on standard output. The exit status is 0 if \
            everything passed and no kernel complained; 1 if not, or if an input is wrong; 2 if \
            the command line is wrong; and 69 if QEMU or this machine failed.

            Examples:
              kbtf vm run --module foo.ko
              kbtf vm run --kernel 6.1.0-56-cloud-amd64 --module foo.ko --test ./foo_test
              kbtf vm run --kernel linux-6.12 --kernel linux-7.2 --test tests/ -j 2 --junit out.xml
              kbtf vm run --kernel 6.1.0-57-amd64 --kernel 6.12.7-amd64 --rebase --module foo.ko
              kbtf vm run --image debian --module foo.ko --test ./foo_test.sh
              kbtf vm run --busybox /bin/busybox --share data/ --module foo.ko --test ./foo_test.sh
              kbtf vm run --kernel linux-7.2 --module foo.ko --shell
              kbtf vm run --targets targets.toml --shard 2/8 >part2.ktap
            """)

    @Option(
        help: ArgumentHelp(
            "A release, an image, a package (.deb, .rpm, .tar), a package's name, or a directory with an unpacked kernel or packages (repeatable; default: the first module's kernel, or the running one).",
            valueName: "KERNEL"), completion: .file())
    package var kernel: [String] = []

    @Option(
        help: ArgumentHelp(
            "Load this module; the order counts. {release} stands for the kernel's (repeatable).",
            valueName: "FILE"),
        completion: .file())
    package var module: [String] = []

    @Flag(
        help: "Rebase each module's BTF onto each kernel, in the guest's copy; the file stays.")
    package var rebase = false

    @Option(
        help: ArgumentHelp(
            "With --rebase: the base of modules with split BTF (default: their own kernel, if it is found).",
            valueName: "OLDBASE"), completion: .file())
    package var from: String?

    @Flag(
        help: "Load modules for other kernels and machines, too: the kernel judges them, not kbtf.")
    package var anyKernel = false

    @Flag(help: "Download packages that --kernel names, with apt, unless the cache has them.")
    package var fetch = false

    @Option(
        help: ArgumentHelp(
            "Parameters for a module: 'foo: debug=1 size=4' (repeatable).",
            valueName: "MODULE:WORDS"))
    package var parameters: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run this static program, or all programs in this directory (repeatable).",
            valueName: "FILE|DIR"), completion: .file())
    package var test: [String] = []

    @Option(
        help: ArgumentHelp(
            "Arguments for a test: 'foo_test: -v 4' (repeatable).", valueName: "TEST:WORDS"))
    package var arguments: [String] = []

    @Option(
        help: ArgumentHelp(
            "Run the targets of this file: kernels, each with its own options (TOML).",
            valueName: "FILE"), completion: .file())
    package var targets: String?

    @Option(
        help: ArgumentHelp(
            "Run only part K of N of the kernels and tests, for N jobs of a CI system.",
            valueName: "K/N"))
    package var shard: String?

    @Option(
        help: ArgumentHelp(
            "What the guest has besides modules and tests: nothing (initramfs), the Debian system that 'make image' made for its kernel (debian), or the one on a disk (ext4, squashfs, erofs). An initramfs of yours is booted as it is, and KTAP taken from its console.",
            valueName: "initramfs|debian|FILE"), completion: .file())
    package var image = "initramfs"

    @Option(
        help: ArgumentHelp(
            "Without a disk: give the guest this static busybox as /bin/sh and its other commands.",
            valueName: "FILE"), completion: .file())
    package var busybox: String?

    @Option(
        help: ArgumentHelp(
            "Without a disk: give the guest this program of the host's, with the libraries it needs, at its own path (repeatable).",
            valueName: "PROGRAM"), completion: .file())
    package var program: [String] = []

    @Option(
        help: ArgumentHelp(
            "Give the guest a copy of this directory at /shared.", valueName: "DIR"),
        completion: .directory)
    package var share: String?

    @Flag(
        help:
            "Load the modules, then give the console to a shell in the guest; tests come along to /tests but do not run."
    )
    package var shell = false

    @Option(
        help: ArgumentHelp("Tests to skip: a name and a reason per line.", valueName: "FILE"),
        completion: .file())
    package var denylist: String?

    @OptionGroup(title: "Machine") package var machine: VMMachineOptions
    @OptionGroup(title: "Limits") package var limits: VMLimitOptions
    @OptionGroup(title: "Output") package var output: VMOutputOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("Guests to run in parallel.", valueName: "N")
    )
    package var jobs = 1

    package init() {}
}

/// Options for the virtual machine.
package struct VMMachineOptions: ParsableArguments {
    package enum Accelerator: String, ExpressibleByArgument, CaseIterable { case auto, kvm, tcg }

    @Option(
        help: ArgumentHelp(
            "How to execute the guest's instructions: on the processor (kvm), in QEMU (tcg), or whichever works (auto).",
            valueName: "auto|kvm|tcg"))
    package var accel = Accelerator.auto

    @Flag(
        help:
            "Boot each guest, instead of starting it from a machine that was saved after its boot.")
    package var noSnapshot = false

    @Option(help: ArgumentHelp("Memory of each guest, in MiB.", valueName: "MIB"))
    package var memory = 1024

    @Option(help: ArgumentHelp("Processors of each guest.", valueName: "N"))
    package var cpus = 1

    @Option(
        help: ArgumentHelp(
            "Additional words for the kernel's command line (repeatable).", valueName: "WORDS"))
    package var append: [String] = []

    @Option(
        help: ArgumentHelp(
            "Also search for kernels below this directory, after / (repeatable; KBTF_SYSROOT adds more).",
            valueName: "DIR"), completion: .directory)
    package var sysroot: [String] = []

    package func validate() throws {
        if !(64...(1 << 20)).contains(memory) {
            throw ValidationError("--memory must be 64 to 1048576 MiB")
        }
        if !(1...255).contains(cpus) { throw ValidationError("--cpus must be 1 to 255") }
    }

    package init() {}
}

/// Time and output limits.
package struct VMLimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Time limit for a guest, in seconds.", valueName: "S"))
    package var timeout = 300

    @Option(
        help: ArgumentHelp("Time limit until a guest's init runs, in seconds.", valueName: "S")
    )
    package var bootTimeout = 120

    @Option(help: ArgumentHelp("Time limit for each test, in seconds.", valueName: "S"))
    package var testTimeout = 45

    @Option(help: ArgumentHelp("Limit for a guest's output, in MiB.", valueName: "MIB"))
    package var logLimit = 8

    @Option(
        help: ArgumentHelp(
            "Expect kernel warnings (WARNING:) whose first lines contain this text; they do not fail the run (repeatable).",
            valueName: "TEXT"))
    package var allowWarning: [String] = []

    package func validate() throws {
        for (name, value) in [
            ("timeout", timeout), ("boot-timeout", bootTimeout), ("test-timeout", testTimeout),
        ] where !(1...1_000_000).contains(value) {
            throw ValidationError("--\(name) must be 1 to 1000000 seconds")
        }
        if allowWarning.contains("") {
            throw ValidationError(
                "--allow-warning requires a text: every line contains the empty one")
        }
        if !(1...1024).contains(logLimit) {
            throw ValidationError("--log-limit must be 1 to 1024 MiB")
        }
    }

    package init() {}
}

/// Destinations for the results.
package struct VMOutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    package var json = false

    @Option(
        help: ArgumentHelp("Also write the results as JUnit XML.", valueName: "FILE"),
        completion: .file())
    package var junit: String?

    @Option(
        help: ArgumentHelp("Save the consoles' output.", valueName: "FILE"),
        completion: .file())
    package var log: String?

    @Option(
        help: ArgumentHelp(
            "Keep initramfs and QEMU's command line in this directory.", valueName: "DIR"),
        completion: .directory)
    package var keep: String?

    @Option(
        help: ArgumentHelp(
            "Write files that tests leave in /output to KERNEL/ in this directory.",
            valueName: "DIR"),
        completion: .directory)
    package var output: String?

    @Flag(name: [.short, .long], help: "Print errors only, not results.")
    package var quiet = false

    @Flag(name: [.short, .long], help: "Show the consoles, and the output of tests that passed.")
    package var verbose = false

    package init() {}
}
