// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import BPFObject
import CEmit

// The header of a light skeleton. Its functions, structs and members have the names of bpftool's,
// so that code written for one compiles with the other.

extension LightSkeleton {
    /// The text of the header: C and C++, for user space and for kernel modules.
    ///
    /// - Parameter methods: C code for the end of the header, which may use everything before it.
    package func header(methods: String = "") -> String {
        CWriter.header(guardedBy: Self.headerGuard(name), from: "gen skeleton") { c in
            // libbpf's file uses errno and the string functions without including their headers.
            c.directive("#ifndef __KERNEL__")
            for name in ["errno", "stdbool", "stddef", "stdint", "string"] {
                c.directive("#include <\(name).h>")
            }
            c.directive("#endif")
            c.directive("#include <bpf/skel_internal.h>")
            c.line()
            c.withoutMacros(membersOfFunctions) { c in
                c.line()
                c.withoutMacros(membersOfContents) { c in
                    c.line()
                    writeTypes(&c)
                    writeStruct(&c)
                }
                c.line()
                writeFunctions(&c)
                writeChecks(&c)
            }
            if !methods.isEmpty {
                c.line()
                for line in methods.split(separator: "\n", omittingEmptySubsequences: false)
                    .dropLast(
                        methods.hasSuffix("\n") ? 1 : 0)
                {
                    c.directive(String(line))
                }
            }
        }
    }

    private func writeFunctions(_ c: inout CWriter) {
        for program in programs { writeAttach(of: program, &c) }
        writeAttachAll(&c)
        writeDetach(&c)
        writeDestroy(&c)
        // Longer than ISO C requires compilers to accept; all of them do.
        c.directive("#pragma GCC diagnostic push")
        c.directive("#pragma GCC diagnostic ignored \"-Woverlength-strings\"")
        writeOpen(&c)
        writeLoad(&c)
        c.directive("#pragma GCC diagnostic pop")
        c.line()
        writeOpenAndLoad(&c)
    }

    /// The header's include guard.
    static func headerGuard(_ name: String) -> String { "__\(name.uppercased())_SKEL_H__" }

    private func writeTypes(_ c: inout CWriter) {
        for map in maps {
            guard let types = map.contents?.types, !types.isEmpty else { continue }
            c.lines(types)
            c.line()
        }
    }

    private func writeStruct(_ c: inout CWriter) {
        c.scope("struct \(prefix)", tail: ";\n") { c in
            // Read and written by the loader program, so the order of members is fixed.
            c.line("struct bpf_loader_ctx ctx;")
            if !maps.isEmpty {
                c.scope("struct", tail: " maps;") { c in
                    for map in maps { c.line("struct bpf_map_desc \(map.identifier);") }
                }
            }
            if !programs.isEmpty {
                c.scope("struct", tail: " progs;") { c in
                    for program in programs {
                        c.line("struct bpf_prog_desc \(program.identifier);")
                    }
                }
                c.scope("struct", tail: " links;") { c in
                    for program in programs { c.line("int \(program.identifier)_fd;") }
                }
            }
            let aimed = programs.filter { $0.target != nil }
            if !aimed.isEmpty {
                c.line("/* Set before attaching. A program whose target is 0 is not attached. */")
                c.scope("struct", tail: " targets;") { c in
                    for program in aimed { c.line("int \(program.targetMember);") }
                }
            }
            for map in maps {
                guard let contents = map.contents else { continue }
                c.scope(
                    "struct \(prefix)__\(map.identifier)", tail: " *\(map.identifier);"
                ) { c in c.lines(contents.members) }
            }
        }
    }

    // MARK: Attaching

    private func writeAttach(of program: Program, _ c: inout CWriter) {
        let id = program.identifier
        c.function("static inline int", "\(prefix)__\(id)__attach(struct \(prefix) *skel)") { c in
            switch program.attachment {
            case .none(let reason):
                c.line("/* Not attached: \(comment(reason)). */")
                c.line("(void)skel;")
                c.line("return 0;")
                return
            case .rawTracepoint(let tracepoint):
                c.line("int fd = skel_raw_tracepoint_open(\(CLiteral.string(tracepoint)),")
                c.line("\t\t\t\t  skel->progs.\(id).prog_fd);")
            case .tracing:
                c.line("int fd = skel_raw_tracepoint_open(NULL, skel->progs.\(id).prog_fd);")
            case .iterator:
                c.line("int fd = skel_link_create(skel->progs.\(id).prog_fd, 0,")
                c.line("\t\t\t  (enum bpf_attach_type)\(program.expectedAttachType));")
            case .link(let target):
                writeLink(program, to: target, &c)
            }
            c.line()
            c.line("if (fd > 0)")
            c.line("\tskel->links.\(id)_fd = fd;")
            c.line("return fd;")
        }
    }

    private func writeLink(_ program: Program, to target: Target, _ c: inout CWriter) {
        let id = program.identifier
        let member = "skel->targets.\(program.targetMember)"
        let type = "(enum bpf_attach_type)\(program.attachTypeOfLink)"
        guard target == .map || target == .cgroupOfIterator else {
            c.line("int fd = 0;")
            c.line()
            c.line("if (\(member))")
            c.line("\tfd = skel_link_create(skel->progs.\(id).prog_fd, \(member),")
            c.line("\t\t\t      \(type));")
            return
        }
        c.line("union bpf_iter_link_info info;")
        c.line("union bpf_attr attr;")
        c.line("int fd;")
        c.line()
        c.line("if (!\(member))")
        c.line("\treturn 0;")
        c.line("memset(&info, 0, sizeof(info));")
        if target == .map {
            c.line("info.map.map_fd = \(member);")
        } else {
            c.line("info.cgroup.cgroup_fd = \(member);")
            // By number, because the kernel renamed it. Descendants in pre-order.
            c.line("info.cgroup.order = (enum bpf_cgroup_iter_order)2;")
        }
        c.line("memset(&attr, 0, sizeof(attr));")
        c.line("attr.link_create.prog_fd = skel->progs.\(id).prog_fd;")
        c.line("attr.link_create.attach_type = \(program.expectedAttachType);")
        c.line("attr.link_create.iter_info = (__u64)(unsigned long)&info;")
        c.line("attr.link_create.iter_info_len = sizeof(info);")
        c.line("fd = skel_sys_bpf(BPF_LINK_CREATE, &attr,")
        c.line("\t\t  offsetofend(union bpf_attr, link_create.iter_info_len));")
    }

    private func writeAttachAll(_ c: inout CWriter) {
        c.function("static inline int", "\(prefix)__attach(struct \(prefix) *skel)") { c in
            c.line("int ret = 0;")
            c.line()
            if programs.isEmpty { c.line("(void)skel;") }
            for program in programs {
                c.line("ret = ret < 0 ? ret : \(prefix)__\(program.identifier)__attach(skel);")
            }
            c.line("return ret < 0 ? ret : 0;")
        }
    }

    private func writeDetach(_ c: inout CWriter) {
        c.function("static inline void", "\(prefix)__detach(struct \(prefix) *skel)") { c in
            if programs.isEmpty { c.line("(void)skel;") }
            for program in programs {
                // Detaching twice must not close a descriptor that was reused meanwhile.
                c.line("skel_closenz(skel->links.\(program.identifier)_fd);")
                c.line("skel->links.\(program.identifier)_fd = 0;")
            }
        }
    }

    private func writeDestroy(_ c: inout CWriter) {
        c.function("static inline void", "\(prefix)__destroy(struct \(prefix) *skel)") { c in
            c.line("if (!skel)")
            c.line("\treturn;")
            c.line("\(prefix)__detach(skel);")
            for program in programs {
                c.line("skel_closenz(skel->progs.\(program.identifier).prog_fd);")
            }
            for map in maps {
                let id = map.identifier
                if map.contents != nil {
                    c.line("skel_free_map_data(skel->\(id), skel->maps.\(id).initial_value,")
                    c.line("\t\t   \(map.mappedSize));")
                }
                c.line("skel_closenz(skel->maps.\(id).map_fd);")
            }
            c.line("skel_free(skel);")
        }
    }

    // MARK: Opening and loading

    private func writeOpen(_ c: inout CWriter) {
        c.function("static inline struct \(prefix) *", "\(prefix)__open(void)") { c in
            for map in maps {
                guard let contents = map.contents else { continue }
                c.blob("\(map.identifier)_bytes", contents.bytes)
            }
            c.line("struct \(prefix) *skel;")
            c.line()
            c.line("skel = (struct \(prefix) *)skel_alloc(sizeof(*skel));")
            c.line("if (!skel)")
            c.line("\treturn NULL;")
            var parts = ["sizeof(skel->ctx)"]
            if !maps.isEmpty { parts.append("sizeof(skel->maps)") }
            if !programs.isEmpty { parts.append("sizeof(skel->progs)") }
            c.line("skel->ctx.sz = \(parts.joined(separator: " + "));")
            for map in maps {
                guard let contents = map.contents else { continue }
                let id = map.identifier
                c.line("skel->\(id) = (__typeof__(skel->\(id)))")
                c.line(
                    "\tskel_prep_map_data(\(id)_bytes, \(map.mappedSize), \(contents.bytes.count));"
                )
                c.line("if (!skel->\(id))")
                c.line("\tgoto cleanup;")
                c.line("skel->maps.\(id).initial_value = (__u64)(unsigned long)skel->\(id);")
            }
            c.line("return skel;")
            if maps.contains(where: { $0.contents != nil }) {
                c.directive("cleanup:")
                c.line("\(prefix)__destroy(skel);")
                c.line("return NULL;")
            }
        }
    }

    private func writeLoad(_ c: inout CWriter) {
        c.function("static inline int", "\(prefix)__load(struct \(prefix) *skel)") { c in
            c.blob("data", data)
            c.blob("insns", instructions)
            c.line("struct bpf_load_and_run_opts opts;")
            c.line("int err;")
            c.line()
            c.line("memset(&opts, 0, sizeof(opts));")
            c.line("opts.ctx = &skel->ctx;")
            c.line("opts.data = data;")
            c.line("opts.data_sz = sizeof(data) - 1;")
            c.line("opts.insns = insns;")
            c.line("opts.insns_sz = sizeof(insns) - 1;")
            c.line("err = bpf_load_and_run(&opts);")
            c.line("if (err < 0)")
            c.line("\treturn err;")
            for map in maps {
                guard let contents = map.contents else { continue }
                let id = map.identifier
                if contents.isPerCPU {
                    writeProtection(of: map, &c)
                    continue
                }
                let protection = contents.isReadOnly ? "PROT_READ" : "PROT_READ | PROT_WRITE"
                c.line("skel->\(id) = (__typeof__(skel->\(id)))")
                c.line("\tskel_finalize_map_data(&skel->maps.\(id).initial_value,")
                c.line("\t\t\t       \(map.mappedSize), \(protection),")
                c.line("\t\t\t       skel->maps.\(id).map_fd);")
                c.line("if (!skel->\(id))")
                c.line("\treturn -ENOMEM;")
            }
            c.line("return 0;")
        }
    }

    /// After the load, initial values of per-CPU variables can no longer be changed.
    private func writeProtection(of map: Map, _ c: inout CWriter) {
        let id = map.identifier
        c.directive("#ifdef __KERNEL__")
        c.line("skel_free_map_data(skel->\(id), skel->maps.\(id).initial_value,")
        c.line("\t\t   \(map.mappedSize));")
        c.line("skel->maps.\(id).initial_value = ~0ULL;")
        c.line("skel->\(id) = NULL;")
        c.directive("#else")
        c.line("if (mprotect(skel->\(id), \(map.mappedSize), PROT_READ))")
        c.line("\treturn -errno;")
        c.directive("#endif")
    }

    private func writeOpenAndLoad(_ c: inout CWriter) {
        c.function("static inline struct \(prefix) *", "\(prefix)__open_and_load(void)") { c in
            c.line("struct \(prefix) *skel;")
            c.line()
            c.line("skel = \(prefix)__open();")
            c.line("if (!skel)")
            c.line("\treturn NULL;")
            c.scope("if (\(prefix)__load(skel))") { c in
                c.line("\(prefix)__destroy(skel);")
                c.line("return NULL;")
            }
            c.line("return skel;")
        }
    }

    /// Variables must be where the programs expect them, whatever the compiler and machine.
    private func writeChecks(_ c: inout CWriter) {
        let checked = maps.filter { $0.contents?.variables.isEmpty == false }
        guard !checked.isEmpty else { return }
        c.directive("#ifdef __cplusplus")
        c.directive("#define \(prefix)__check(e) static_assert(e, #e)")
        c.directive("#else")
        c.directive("#define \(prefix)__check(e) _Static_assert(e, #e)")
        c.directive("#endif")
        c.function(
            "static inline void",
            "\(prefix)__assert(struct \(prefix) *s __attribute__((__unused__)))"
        ) { c in
            c.withoutMacros(variableNames) { c in
                for map in checked {
                    for variable in map.contents?.variables ?? [] {
                        let member = "s->\(map.identifier)->\(variable.name)"
                        c.line("\(prefix)__check(sizeof(\(member)) == \(variable.size));")
                        c.line(
                            "\(prefix)__check(__builtin_offsetof(__typeof__(*s->\(map.identifier)), \(variable.name)) == \(variable.offset));"
                        )
                    }
                }
            }
        }
        c.directive("#undef \(prefix)__check")
    }
}

extension LightSkeleton.Map {
    /// Whole pages for an array's values, which the kernel places at multiples of eight bytes. For
    /// the smallest page size; kernels with larger pages round up.
    package var mappedSize: UInt64 {
        let spaced = (UInt64(values.valueSize) + 7) / 8 * 8
        return (spaced * UInt64(max(values.maxEntries, 1)) + 4095) / 4096 * 4096
    }
}

extension LightSkeleton.Program {
    /// The target that the user has to name before the program can be attached.
    package var target: LightSkeleton.Target? {
        if case .link(let target) = attachment { target } else { nil }
    }

    /// Its member of `targets`.
    var targetMember: String { "\(identifier)_\(target?.suffix ?? "fd")" }

    /// Programs on perf events are loaded without an attach type and linked with one of their own.
    var attachTypeOfLink: UInt32 {
        target == .perfEvent ? AttachType.perfEvent.rawValue : expectedAttachType
    }
}

/// Text for a C comment: on one line and without the end of a comment.
private func comment(_ text: String) -> String {
    String(text.map { $0 == "*" || $0.isNewline ? "_" : $0 })
}
