// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import HostIO

/// The part of QEMU's command line that saves a machine, or starts from what was saved.
///
/// The guest's memory is a file. QEMU saves everything else by migration (x-ignore-shared leaves
/// out memory in shared files), and a machine that goes on maps the file privately: nothing is
/// copied, and any number of guests may share it.
///
/// A second memory, the channel, is on a device (ivshmem) that needs no driver: the guest's init
/// maps it. It has one file per guest.
struct SavedState {
    /// What QEMU has open, in this order.
    enum File: Int {
        case initramfs, memory, channel
        /// The devices' state, only for a machine that goes on.
        case devices
    }

    /// The channel's size in bytes.
    let channelSize: Int
    /// It was saved and goes on.
    let goesOn: Bool

    static func path(_ file: File) -> String { ChildProcess.path(ofFile: file.rawValue) }

    /// The migration's address of the devices' state.
    static let devicesAddress =
        "fd:\(ChildProcess.firstDescriptor + File.devices.rawValue)"

    private var controlDescriptor: Int {
        ChildProcess.firstDescriptor + (goesOn ? File.devices : File.channel).rawValue + 1
    }

    func arguments(_ machine: Machine) -> [String] {
        func memory(_ id: String, _ size: String, _ file: File) -> [String] {
            [
                "-object",
                "memory-backend-file,id=\(id),size=\(size),mem-path=\(SavedState.path(file)),"
                    + "share=\(goesOn ? "off" : "on")",
            ]
        }
        return memory("memory", "\(machine.memory)M", .memory)
            + ["-machine", "memory-backend=memory"]
            + memory("channel", "\(channelSize)", .channel)
            // Without master=on such a machine cannot be saved.
            + ["-device", "ivshmem-plain,memdev=channel,master=on"]
            + ["-chardev", "socket,id=control,fd=\(controlDescriptor)"]
            + ["-mon", "chardev=control,mode=control"]
            + (goesOn ? ["-incoming", "defer"] : [])
    }
}
