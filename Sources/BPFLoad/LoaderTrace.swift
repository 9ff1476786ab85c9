// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

package import BPFObject
package import Bytes
import CBpf
import Glibc

/// The steps of loading an object with libbpf, recorded as a program instead of being executed.
///
/// libbpf opens the object and "loads" it in its generator mode: each bpf() call becomes
/// instructions of a loader program. No bpf() call is made here, and no privileges are needed.
package struct LoaderTrace: Sendable, Equatable {
    /// The initial contents of the loader's own map.
    package let data: [UInt8]
    /// The loader program, eight bytes per instruction.
    package let instructions: [UInt8]
    /// In the order of the loader's context.
    package let maps: [Map]
    /// In the order of the loader's context.
    package let programs: [Program]
    /// The object's BTF as completed by libbpf: data sections have sizes, variables have offsets.
    /// Raw BTF in this machine's byte order; nil if the object has none.
    package let types: [UInt8]?

    package struct Map: Sendable, Equatable {
        /// As in the object: `counts`, `.data.cust`; `NAME.bss` for the unnamed data sections.
        package let name: String
        package let values: MapValues
        /// The initial contents of a data section, as long as the value.
        package internal(set) var initialValue: [UInt8]?
        /// The value's type in `types`: its DATASEC for a data section. 0: none.
        package let valueType: UInt32

        package init(
            name: String, values: MapValues, initialValue: [UInt8]?, valueType: UInt32
        ) {
            self.name = name
            self.values = values
            self.initialValue = initialValue
            self.valueType = valueType
        }

        /// The variables of `.percpu`.
        package var isPerCPU: Bool {
            values.isInternal && values.type == MapType.perCPUArray
        }
    }

    package struct Program: Sendable, Equatable {
        /// The function's name.
        package let name: String
        package let section: String
        /// BPF_PROG_TYPE_*.
        package let type: UInt32
        /// enum bpf_attach_type.
        package let expectedAttachType: UInt32
        /// Whether the loader loads it; false for sections that start with `?`.
        package let isLoaded: Bool
    }

    /// - Parameters:
    ///   - object: the whole file.
    ///   - path: its name in errors.
    ///   - name: the object's name, from which libbpf derives the names of maps. It reaches the
    ///     kernel.
    ///   - facts: what libbpf would otherwise look up on this machine.
    /// - Throws: `LibBPFError` if libbpf rejects the object or cannot generate a loader for it.
    package static func run(
        object: ByteView, path: String, name: String, facts: HostFacts
    ) throws(LibBPFError) -> LoaderTrace {
        var log: [String] = []
        let noted: LoaderTrace
        do throws(Refusal) {
            noted = try LibBPFLog.collecting(into: &log) { () throws(Refusal) in
                // SAFETY: both end with NUL, and are there until the object is closed.
                try unsafe Array(name.utf8CString).withUnsafeBufferPointer { name throws(Refusal) in
                    try unsafe Array(facts.kconfig.utf8CString).withUnsafeBufferPointer {
                        config throws(Refusal) in
                        try unsafe trace(
                            object, name: name.baseAddress!, kconfig: config.baseAddress!)
                    }
                }
            }
        } catch {
            throw LibBPFError(file: path, step: error.step, code: error.code, log: log)
        }
        return try noted.corrected(by: facts, path: path)
    }

    /// A failed call of libbpf.
    struct Refusal: Error {
        let step: String
        let code: Int32

        /// - Parameter result: a negative errno value, as libbpf returns.
        init(_ step: String, _ result: Int32) {
            self.step = step
            code = result < 0 ? -result : EINVAL
        }
    }

    /// Opens an object, and closes it behind `body`.
    ///
    /// - Parameter kconfig: nil for the configuration of this machine.
    @unsafe
    static func opened<Value>(
        _ object: ByteView, name: UnsafePointer<CChar>, kconfig: UnsafePointer<CChar>? = nil,
        _ body: (OpaquePointer) throws(Refusal) -> Value
    ) throws(Refusal) -> Value {
        var options = unsafe bpf_object_open_opts()
        unsafe options.sz = MemoryLayout<bpf_object_open_opts>.stride
        unsafe options.object_name = name
        unsafe options.kconfig = kconfig
        // SAFETY: libbpf copies the names it keeps, and refers to the bytes of the file, which stay
        // valid until the object is closed.
        return try unsafe object.withUnsafeBytes { bytes throws(Refusal) in
            guard
                let handle = unsafe bpf_object__open_mem(
                    bytes.baseAddress, bytes.count, &options)
            else { throw Refusal("open", -errno) }
            defer { unsafe bpf_object__close(handle) }
            return try unsafe body(handle)
        }
    }

    @unsafe
    private static func trace(
        _ object: ByteView, name: UnsafePointer<CChar>, kconfig: UnsafePointer<CChar>
    ) throws(Refusal) -> LoaderTrace {
        try unsafe opened(object, name: name, kconfig: kconfig) { handle throws(Refusal) in
            let arenas = try unsafe Arenas(of: handle)
            var output = unsafe gen_loader_opts()
            unsafe output.sz = MemoryLayout<gen_loader_opts>.stride
            let begun = unsafe bpf_object__gen_loader(handle, &output)
            guard begun == 0 else { throw Refusal("generate a loader for", begun) }
            let loaded = unsafe bpf_object__load(handle)
            guard loaded == 0 else { throw Refusal("generate a loader for", loaded) }
            // SAFETY: the bytes belong to the object, and are copied before it is closed.
            let data = try unsafe arenas.placed(in: copy(output.data, Int(output.data_sz)))
            return unsafe LoaderTrace(
                data: data,
                instructions: copy(output.insns, Int(output.insns_sz)),
                maps: maps(of: handle), programs: programs(of: handle), types: types(of: handle))
        }
    }

    @unsafe
    static func maps(of object: OpaquePointer) -> [Map] {
        var maps: [Map] = []
        var next = unsafe bpf_object__next_map(object, nil)
        while let map = unsafe next {
            var size = 0
            // An arena's is memory that only user space would fill in.
            let initial =
                unsafe bpf_map__type(map).rawValue == MapType.arena
                ? nil : bpf_map__initial_value(map, &size)
            unsafe maps.append(
                Map(
                    name: text(bpf_map__name(map)),
                    values: MapValues(
                        type: bpf_map__type(map).rawValue, keySize: bpf_map__key_size(map),
                        valueSize: bpf_map__value_size(map),
                        maxEntries: bpf_map__max_entries(map), flags: bpf_map__map_flags(map),
                        isInternal: bpf_map__is_internal(map)),
                    initialValue: initial.map { unsafe copy($0, size) },
                    valueType: bpf_map__btf_value_type_id(map)))
            unsafe next = bpf_object__next_map(object, map)
        }
        return maps
    }

    @unsafe
    static func programs(of object: OpaquePointer) -> [Program] {
        var programs: [Program] = []
        var next = unsafe bpf_object__next_program(object, nil)
        while let program = unsafe next {
            unsafe programs.append(
                Program(
                    name: text(bpf_program__name(program)),
                    section: text(bpf_program__section_name(program)),
                    type: bpf_program__type(program).rawValue,
                    expectedAttachType: bpf_program__expected_attach_type(program).rawValue,
                    isLoaded: bpf_program__autoload(program)))
            unsafe next = bpf_object__next_program(object, program)
        }
        return programs
    }

    @unsafe
    static func types(of object: OpaquePointer) -> [UInt8]? {
        guard let btf = unsafe bpf_object__btf(object) else { return nil }
        var size: UInt32 = 0
        return unsafe btf__raw_data(btf, &size).map { unsafe copy($0, Int(size)) }
    }

    @unsafe
    private static func copy(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    @unsafe
    private static func text(_ characters: UnsafePointer<CChar>?) -> String {
        unsafe characters.map { unsafe String(cString: $0) } ?? ""
    }
}
