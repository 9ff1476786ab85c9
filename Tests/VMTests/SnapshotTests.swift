// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import Bytes
import Glibc
import HostIO
import TestSupport
import Testing

@testable import VM

/// The parts of saved machines: keys, what is kept, the channel, QEMU's control socket.
@Suite struct SnapshotTests {
    private func key(
        _ machine: Machine = Machine(.x86, acceleration: .tcg), kernel: String = "kernel",
        initramfs: [String] = ["init"], qemu: String? = nil, boot: String = "1", size: Int = 64
    ) -> SnapshotKey {
        func view(_ text: String) -> ByteView { ByteView(Array(text.utf8)) }
        return SnapshotKey(
            machine: machine, kernel: view(kernel), initramfs: initramfs.map { view($0) },
            qemu: qemu, boot: boot, channelSize: size)
    }

    /// Whatever a machine depends on distinguishes its key.
    @Test func keys() throws {
        let scratch = try Scratch()
        let (one, other) = (try scratch.write("one", "1"), try scratch.write("other", "1"))
        let keys = [
            key(), key(kernel: "kernel2"), key(initramfs: ["init2"]), key(initramfs: ["in", "it"]),
            key(qemu: one), key(qemu: other), key(boot: "2"), key(size: 128),
            key(Machine(.x86, acceleration: .kvm)), key(Machine(.arm64, acceleration: .tcg)),
            key(Machine(.x86, acceleration: .tcg, processors: 2)),
            key(Machine(.x86, acceleration: .tcg, memory: 512)),
            key(Machine(.x86, acceleration: .tcg, kernelArguments: ["a b"])),
            key(Machine(.x86, acceleration: .tcg, kernelArguments: ["a\nb"])),
        ]
        #expect(Set(keys.map(\.text)).count == keys.count)
        #expect(Set(keys.map(\.name)).count == keys.count)
        #expect(key() == key())
        #expect(key().name.utf8.count == 16)
        // A newer QEMU under the same name.
        let before = key(qemu: one)
        try scratch.write("one", "2")
        #expect(key(qemu: one) != before)
    }

    /// A disk is read only when a guest has work: which one does not matter, but whether there is.
    @Test func disks() throws {
        let scratch = try Scratch()
        func machine(_ name: String) throws -> Machine {
            Machine(
                .x86, acceleration: .tcg,
                disk: try DiskImage(try scratch.write(name, "hsqs" + name)))
        }
        #expect(key(try machine("a")) == key(try machine("b")))
        #expect(key(try machine("a")) != key())
    }

    private func write(_ store: SnapshotStore, _ key: SnapshotKey, bytes: Int = 1) throws {
        let isDone = try store.write(key) { folder throws(HostError) in
            let memory = try OpenFile(creating: "\(folder)/memory", size: 1 << 20)
            try PrivateFile.replace(
                "\(folder)/devices", with: [ByteView([UInt8](repeating: 1, count: bytes))])
            try Snapshot.finish(folder, key, memory: memory, log: [1])
            return true
        }
        #expect(isDone)
    }

    private func isThere(_ store: SnapshotStore, _ key: SnapshotKey) -> Bool {
        if case .snapshot = store.find(key) { true } else { false }
    }

    /// Those used last are kept.
    @Test func bounded() throws {
        let scratch = try Scratch()
        let store = SnapshotStore(folder: scratch("s"), capacity: 3)
        let keys = (0..<5).map { key(boot: "\($0)") }
        for (index, key) in keys.enumerated() {
            try write(store, key)
            // Times of their own, whatever the file system's resolution.
            set(scratch("s/\(key.name)"), seconds: index)
            if index == 2 { set(scratch("s/\(keys[0].name)"), seconds: 100) }
        }
        #expect(keys.map { isThere(store, $0) } == [true, false, false, true, true])
        let names = try Directory.list(scratch("s"))
        #expect(names.count == 4)
    }

    @Test func boundedByBytes() throws {
        let scratch = try Scratch()
        let store = SnapshotStore(folder: scratch("s"), mostBytes: 3 << 20)
        let keys = (0..<4).map { key(boot: "\($0)") }
        for (index, key) in keys.enumerated() {
            try write(store, key, bytes: 1 << 20)
            set(scratch("s/\(key.name)"), seconds: index)
        }
        #expect(keys.map { isThere(store, $0) } == [false, false, true, true])
        // One that is too large by itself is kept: it was asked for.
        let large = key(boot: "large")
        try write(store, large, bytes: 4 << 20)
        #expect(isThere(store, large))
        #expect(try Directory.list(scratch("s")).count == 2)
    }

    /// Directories of killed processes go, those of others that live stay, and so does everything
    /// that is not ours.
    @Test func leftBehind() throws {
        let scratch = try Scratch()
        let store = SnapshotStore(folder: scratch("s"))
        let (dead, alive) = (key(boot: "dead"), key(boot: "alive"))
        try scratch.write("s/.\(dead.name).kbtf-1234abcd/memory", "x")
        try scratch.write("s/.\(alive.name).kbtf-1234abcd/memory", "x")
        try scratch.write("s/notes/memory", "x")
        guard let lock = FileLock(scratch("s/lock"), number: alive.number) else {
            Issue.record("no lock")
            return
        }
        try write(store, key())
        #expect(
            try Directory.list(scratch("s"))
                == [".\(alive.name).kbtf-1234abcd", key().name, "lock", "notes"].sorted())
        withExtendedLifetime(lock) {}
    }

    /// A process that removes a snapshot does not disturb those that start from it.
    @Test func removedWhileUsed() throws {
        let scratch = try Scratch()
        let store = SnapshotStore(folder: scratch("s"))
        try write(store, key())
        guard case .snapshot(let snapshot) = store.find(key()) else {
            Issue.record("there is none")
            return
        }
        store.remove(key())
        #expect(!isThere(store, key()))
        #expect(snapshot.log.array == [1])
        #expect(snapshot.memory.state.split(separator: ":").dropFirst(2).first == "1048576")
    }

    /// Two keys with one digest are not each other's.
    @Test func sameName() throws {
        let scratch = try Scratch()
        let store = SnapshotStore(folder: scratch("s"))
        try write(store, key())
        let other = key(boot: "2")
        #expect(Glibc.rename(scratch("s/\(key().name)"), scratch("s/\(other.name)")) == 0)
        #expect(!isThere(store, other))
        try write(store, other)
        #expect(isThere(store, other))
    }

    private func set(_ path: String, seconds: Int) {
        var times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
    }

    @Test func locks() throws {
        let scratch = try Scratch()
        let path = scratch("lock")
        do {
            guard let first = FileLock(path, number: 10) else {
                Issue.record("no lock")
                return
            }
            // The same process, as another one.
            #expect(!isFree(path, 10))
            #expect(isFree(path, .max))
            withExtendedLifetime(first) {}
        }
        #expect(isFree(path, 10))
        #expect(!isFree(scratch("nowhere/lock"), 10))
    }

    private func isFree(_ path: String, _ number: UInt64) -> Bool {
        guard let lock = FileLock(path, number: number) else { return false }
        _ = consume lock
        return true
    }

    // MARK: The channel

    @Test(arguments: [false, true]) func channel(isBigEndian: Bool) throws {
        let random = [UInt8](1...64)
        let archive = [ByteView([7, 8]), ByteView([9])]
        let contents = GuestChannel(
            archive: archive, time: 1_700_000_000_123_456_789, random: random,
            isBigEndian: isBigEndian
        ).contents.flatMap(\.array)
        func word(_ at: Int) -> UInt64 {
            let bytes = contents[at..<at + 8]
            return (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(0) {
                $0 << 8 | UInt64($1)
            }
        }
        #expect((0..<4).map { word($0 * 8) } == [1, 3, 1_700_000_000, 123_456_789])
        #expect(Array(contents[32..<96]) == random)
        #expect(contents.count == 4099)
        #expect(Array(contents[4096...]) == [7, 8, 9])
    }

    @Test func channelSizes() {
        #expect(GuestChannel.size(for: [ByteView([1])]) == 64 << 20)
        let large = ByteView([UInt8](repeating: 0, count: 64 << 20))
        #expect(GuestChannel.size(for: [large]) == 512 << 20)
        #expect(
            GuestChannel.size(for: [ByteView]([large]) + Array(repeating: large, count: 7)) == nil)
        #expect(GuestChannel.random() != GuestChannel.random())
    }

    // MARK: QEMU's control socket

    private func take(_ monitor: inout QemuMonitor, _ text: String) -> [String] {
        monitor.take(Array(text.utf8)).map { happening in
            switch happening {
            case .send(let bytes): "send " + String(decoding: bytes.dropLast(), as: UTF8.self)
            case .migration(let status): "migration " + status
            case .refused(let reason): "refused " + reason
            }
        }
    }

    @Test func dialog() {
        var monitor = QemuMonitor.saving(to: "/a'b/c")
        #expect(take(&monitor, "{\"QMP\": {\"vers") == [])
        #expect(take(&monitor, "ion\": {}}}\n") == [#"send {"execute":"qmp_capabilities"}"#])
        #expect(
            take(&monitor, "{\"return\": {}}\r\n") == [
                #"send {"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"x-ignore-shared","state":true},{"capability":"events","state":true}]}}"#
            ])
        #expect(
            take(&monitor, "{\"return\": {}}\n") == [
                #"send {"execute":"migrate","arguments":{"uri":"exec:exec cat >'/a'\\''b/c'"}}"#
            ])
        #expect(
            take(
                &monitor,
                "{\"return\": {}}\n{\"event\": \"STOP\"}\nnonsense\n\n"
                    + "{\"timestamp\": {}, \"event\": \"MIGRATION\", \"data\": {\"status\": \"completed\"}}\n"
            ) == ["migration completed"])
        #expect(
            take(&monitor, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n")
                == ["refused no"])
    }

    @Test func dialogOfOneThatGoesOn() {
        var monitor = QemuMonitor.goingOn()
        let sent = take(&monitor, "{\"QMP\": {}}\n{\"return\": {}}\n{\"return\": {}}\n")
        #expect(sent.last == #"send {"execute":"migrate-incoming","arguments":{"uri":"fd:6"}}"#)
        #expect(sent.count == 3)
    }

    @Test func commandLine() {
        let machine = Machine(.x86, acceleration: .tcg, memory: 512)
        func words(_ goesOn: Bool) -> String {
            machine.command(
                kernel: "k", initramfs: "i",
                saving: SavedState(channelSize: 1 << 26, goesOn: goesOn)
            ).joined(separator: " ")
        }
        let (saved, on) = (words(false), words(true))
        #expect(
            saved.contains(
                "memory-backend-file,id=memory,size=512M,mem-path=/proc/self/fd/4,share=on"))
        #expect(saved.contains("id=control,fd=6"))
        // What was saved is never written to.
        #expect(!on.contains("share=on"))
        #expect(on.contains("mem-path=/proc/self/fd/4,share=off"))
        #expect(on.contains("mem-path=/proc/self/fd/5,share=off"))
        #expect(on.contains("id=control,fd=7"))
        #expect(on.contains("-incoming defer"))
        #expect(machine.command(kernel: "k", initramfs: "i").allSatisfy { !$0.contains("ivshmem") })
    }
}
