// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CDw
import Glibc

/// A file's debug information as libdw sees it. Relocatable files go through libdwfl, which applies
/// their relocations; every section is put at address 0, as our reader does.
@safe
struct LibDW: ~Copyable {
    // SAFETY: both are open until `deinit`; `dwarf` belongs to the session when there is one.
    let dwarf: OpaquePointer
    private let session: OpaquePointer?
    private let fd: Int32
    private let callbacks: UnsafeMutablePointer<Dwfl_Callbacks>?

    /// Opens `path`.
    /// - Returns: nil, and why in `fault`, when libdw finds no debug information.
    static func open(_ path: String, relocatable: Bool, _ fault: inout String) -> LibDW? {
        if relocatable { return session(path, &fault) }
        // SAFETY: the path is NUL-terminated for the call.
        let fd = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else {
            fault = "cannot open"
            return nil
        }
        guard let dwarf = unsafe dwarf_begin(fd, DWARF_C_READ) else {
            fault = unsafe String(cString: dwarf_errmsg(-1))
            close(fd)
            return nil
        }
        return unsafe LibDW(dwarf: dwarf, session: nil, fd: fd, callbacks: nil)
    }

    private static func session(_ path: String, _ fault: inout String) -> LibDW? {
        let callbacks = UnsafeMutablePointer<Dwfl_Callbacks>.allocate(capacity: 1)
        unsafe callbacks.initialize(to: Dwfl_Callbacks())
        // The module's name is its path. libdwfl closes what it is given.
        unsafe callbacks.pointee.find_elf = { _, _, name, _, fileName, elf in
            guard let name = unsafe name, let fileName = unsafe fileName, let elf = unsafe elf
            else {
                return -1
            }
            let fd = unsafe Glibc.open(name, O_RDONLY | O_CLOEXEC)
            guard fd >= 0 else { return -1 }
            unsafe fileName.pointee = strdup(name)
            unsafe elf.pointee = LibDW.openAtZero(fd)
            return fd
        }
        unsafe callbacks.pointee.find_debuginfo = { _, _, _, _, _, _, _, _ in -1 }
        unsafe callbacks.pointee.section_address = { _, _, _, _, _, _, _, address in
            unsafe address?.pointee = 0
            return 0
        }
        guard let session = unsafe dwfl_begin(callbacks) else {
            fault = "dwfl_begin"
            unsafe callbacks.deallocate()
            return nil
        }
        var bias: Dwarf_Addr = 0
        // SAFETY: the session is open; the module belongs to it.
        if let module = unsafe dwfl_report_module(session, path, 0, 1 << 40),
            unsafe dwfl_report_end(session, nil, nil) == 0,
            let dwarf = unsafe dwfl_module_getdwarf(module, &bias)
        {
            return unsafe LibDW(dwarf: dwarf, session: session, fd: -1, callbacks: callbacks)
        }
        fault = unsafe String(cString: dwfl_errmsg(-1))
        unsafe dwfl_end(session)
        unsafe callbacks.deallocate()
        return nil
    }

    /// The ELF file with all sections at address 0: Debian's 6.12 modules give some another
    /// address, which libdwfl adds to what relocations refer to.
    private static func openAtZero(_ fd: Int32) -> OpaquePointer? {
        _ = elf_version(UInt32(EV_CURRENT))
        // SAFETY: the descriptor stays open as long as the handle; headers are copies.
        guard let elf = unsafe elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, nil) else { return nil }
        var section = unsafe elf_nextscn(elf, nil)
        while let current = unsafe section {
            var header = GElf_Shdr()
            if unsafe gelf_getshdr(current, &header) != nil, header.sh_addr != 0 {
                header.sh_addr = 0
                _ = unsafe gelf_update_shdr(current, &header)
            }
            unsafe section = unsafe elf_nextscn(elf, current)
        }
        return unsafe elf
    }

    private init(
        dwarf: OpaquePointer, session: OpaquePointer?, fd: Int32,
        callbacks: UnsafeMutablePointer<Dwfl_Callbacks>?
    ) {
        unsafe self.dwarf = dwarf
        unsafe self.session = session
        self.fd = fd
        unsafe self.callbacks = callbacks
    }

    deinit {
        if let session = unsafe session {
            unsafe dwfl_end(session)
            unsafe callbacks?.deallocate()
        } else {
            _ = unsafe dwarf_end(dwarf)
            close(fd)
        }
    }
}
