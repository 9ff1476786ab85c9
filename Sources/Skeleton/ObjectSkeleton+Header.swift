// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// The header of an ordinary skeleton. Its functions, structs and members have the names of
// bpftool's, so that code written for one compiles with the other.

extension ObjectSkeleton {
    /// The text of the header: C and C++, for programs with libbpf.
    package var header: String {
        CWriter.header(guardedBy: LightSkeleton.headerGuard(name), from: "gen skeleton") { c in
            writeIncludes(&c)
            c.directive("#define BPF_SKEL_SUPPORTS_MAP_AUTO_ATTACH 1")
            c.line()
            writeTypes(&c)
            writeOperationsTypes(&c)
            writeStruct(&c)
            writeDestroy(&c)
            writeBytes(&c)
            writeCreate(&c)
            writeOpen(&c)
            writeLoad(&c)
            writeClass(&c)
            writeChecks(&c)
        }
    }

    func writeIncludes(_ c: inout CWriter) {
        for name in ["errno", "stdbool", "stddef", "stdint", "stdlib"] {
            c.directive("#include <\(name).h>")
        }
        c.directive("#include <bpf/libbpf.h>")
        c.line()
    }

    /// What the variables of data sections need.
    func writeTypes(_ c: inout CWriter) {
        for map in maps {
            guard let types = map.contents?.types, !types.isEmpty else { continue }
            c.lines(types)
            c.line()
        }
    }

    private func writeStruct(_ c: inout CWriter) {
        c.scope("struct \(name)", tail: ";\n") { c in
            c.line("struct bpf_object_skeleton *skeleton;")
            c.line("struct bpf_object *obj;")
            writeMembers("bpf_map", maps.map(\.identifier), "maps", &c)
            writeOperations(&c)
            writeMembers("bpf_program", programs, "progs", &c)
            writeMembers("bpf_link", programs + linkedMaps.map(\.identifier), "links", &c)
            for map in maps {
                guard let contents = map.contents else { continue }
                let member = map.contentsMember
                c.scope("struct \(name)__\(member)", tail: " *\(member);") { c in
                    c.lines(contents.members)
                }
            }
            c.line()
            c.directive("#ifdef __cplusplus")
            c.line(
                "static inline struct \(name) *open(const struct bpf_object_open_opts *opts = nullptr);"
            )
            c.line("static inline struct \(name) *open_and_load();")
            c.line("static inline int load(struct \(name) *skel);")
            c.line("static inline int attach(struct \(name) *skel);")
            c.line("static inline void detach(struct \(name) *skel);")
            c.line("static inline void destroy(struct \(name) *skel);")
            c.line("static inline const void *elf_bytes(size_t *sz);")
            c.directive("#endif /* __cplusplus */")
        }
    }

    /// Maps that are attached like programs. A program of the same name keeps its link.
    private var linkedMaps: [Map] {
        maps.filter { $0.operations != nil && !programs.contains($0.identifier) }
    }

    private func writeDestroy(_ c: inout CWriter) {
        c.function("static inline void", "\(name)__destroy(struct \(name) *obj)") { c in
            c.line("if (!obj)")
            c.line("\treturn;")
            c.line("if (obj->skeleton)")
            c.line("\tbpf_object__destroy_skeleton(obj->skeleton);")
            c.line("free(obj);")
        }
    }

    private func writeBytes(_ c: inout CWriter) {
        // Longer than ISO C requires compilers to accept; all of them do.
        c.directive("#pragma GCC diagnostic push")
        c.directive("#pragma GCC diagnostic ignored \"-Woverlength-strings\"")
        c.function("static inline const void *", "\(name)__elf_bytes(size_t *sz)") { c in
            c.blob("data", object)
            c.line()
            c.line("*sz = sizeof(data) - 1;")
            c.line("return (const void *)data;")
        }
        c.directive("#pragma GCC diagnostic pop")
        c.line()
    }

    // MARK: The description for libbpf

    private func writeCreate(_ c: inout CWriter) {
        c.function("static inline int", "\(name)__create_skeleton(struct \(name) *obj)") { c in
            c.line("struct bpf_object_skeleton *s;")
            if !maps.isEmpty {
                c.line("struct bpf_map_skeleton *map;")
                // libbpf takes the size of a description from here, and may know more members.
                c.line("size_t size = sizeof(*map) > 32 ? sizeof(*map) : 32;")
            }
            c.line()
            c.line("s = (struct bpf_object_skeleton *)calloc(1, sizeof(*s));")
            c.line("if (!s)")
            c.line("\treturn -ENOMEM;")
            c.line("s->sz = sizeof(*s);")
            c.line("s->name = \(CLiteral.string(name));")
            c.line("s->obj = &obj->obj;")
            if !maps.isEmpty {
                writeMapTable(&c)
                for (index, map) in maps.enumerated() { write(map, index, &c) }
            }
            if !programs.isEmpty {
                writeTable("prog", programs.count, &c)
                for (index, program) in programs.enumerated() {
                    c.line()
                    c.line("s->progs[\(index)].name = \(CLiteral.string(program));")
                    c.line("s->progs[\(index)].prog = &obj->progs.\(program);")
                    c.line("s->progs[\(index)].link = &obj->links.\(program);")
                }
            }
            c.line()
            c.line("s->data = \(name)__elf_bytes(&s->data_sz);")
            c.line("obj->skeleton = s;")
            c.line("return 0;")
            if !maps.isEmpty || !programs.isEmpty {
                c.directive("fail:")
                c.line("bpf_object__destroy_skeleton(s);")
                c.line("return -ENOMEM;")
            }
        }
    }

    private func write(_ map: Map, _ index: Int, _ c: inout CWriter) {
        writeName(of: map, index, &c)
        if map.contents != nil { c.line("map->mmaped = (void **)&obj->\(map.contentsMember);") }
        if linkedMaps.contains(map) {
            c.directive(Self.hasMapLinks)
            c.line("map->link = &obj->links.\(map.identifier);")
            c.directive("#endif")
        }
    }

    /// Allocates `s->maps`, whose elements have `size` bytes.
    func writeMapTable(_ c: inout CWriter) {
        c.line()
        c.line("s->map_cnt = \(maps.count);")
        c.line("s->map_skel_sz = size;")
        c.line("s->maps = (struct bpf_map_skeleton *)calloc(\(maps.count), size);")
        c.line("if (!s->maps)")
        c.line("\tgoto fail;")
    }

    /// Makes `map` the element with that index.
    func writeName(of map: Map, _ index: Int, _ c: inout CWriter) {
        c.line()
        c.line("map = (struct bpf_map_skeleton *)((char *)s->maps + \(index) * size);")
        c.line("map->name = \(CLiteral.string(map.name));")
        c.line("map->map = &obj->maps.\(map.identifier);")
    }

    /// libbpf 1.5 attaches struct_ops maps of a skeleton.
    private static let hasMapLinks =
        "#if LIBBPF_MAJOR_VERSION > 1 || LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION >= 5"

    // MARK: Functions

    private func writeOpen(_ c: inout CWriter) {
        c.function(
            "static inline struct \(name) *",
            "\(name)__open_opts(const struct bpf_object_open_opts *opts)"
        ) { c in
            c.line("struct \(name) *obj;")
            c.line("int err;")
            c.line()
            c.line("obj = (struct \(name) *)calloc(1, sizeof(*obj));")
            c.scope("if (!obj)") { c in
                c.line("errno = ENOMEM;")
                c.line("return NULL;")
            }
            c.line("err = \(name)__create_skeleton(obj);")
            c.line("if (!err)")
            c.line("\terr = bpf_object__open_skeleton(obj->skeleton, opts);")
            c.scope("if (err)") { c in
                c.line("\(name)__destroy(obj);")
                c.line("errno = -err;")
                c.line("return NULL;")
            }
            writeOperationsValues(&c)
            c.line("return obj;")
        }
        c.function("static inline struct \(name) *", "\(name)__open(void)") { c in
            c.line("return \(name)__open_opts(NULL);")
        }
    }

    private func writeLoad(_ c: inout CWriter) {
        c.function("static inline int", "\(name)__load(struct \(name) *obj)") { c in
            c.line("return bpf_object__load_skeleton(obj->skeleton);")
        }
        c.function("static inline struct \(name) *", "\(name)__open_and_load(void)") { c in
            c.line("struct \(name) *obj = \(name)__open();")
            c.line("int err;")
            c.line()
            c.line("if (!obj)")
            c.line("\treturn NULL;")
            c.line("err = \(name)__load(obj);")
            c.scope("if (err)") { c in
                c.line("\(name)__destroy(obj);")
                c.line("errno = -err;")
                c.line("return NULL;")
            }
            c.line("return obj;")
        }
        c.function("static inline int", "\(name)__attach(struct \(name) *obj)") { c in
            c.line("return bpf_object__attach_skeleton(obj->skeleton);")
        }
        c.function("static inline void", "\(name)__detach(struct \(name) *obj)") { c in
            c.line("bpf_object__detach_skeleton(obj->skeleton);")
        }
    }

    /// The static methods of the C++ struct.
    private func writeClass(_ c: inout CWriter) {
        c.directive("#ifdef __cplusplus")
        c.line(
            "struct \(name) *\(name)::open(const struct bpf_object_open_opts *opts) { return \(name)__open_opts(opts); }"
        )
        c.line("struct \(name) *\(name)::open_and_load() { return \(name)__open_and_load(); }")
        c.line("int \(name)::load(struct \(name) *skel) { return \(name)__load(skel); }")
        c.line("int \(name)::attach(struct \(name) *skel) { return \(name)__attach(skel); }")
        c.line("void \(name)::detach(struct \(name) *skel) { \(name)__detach(skel); }")
        c.line("void \(name)::destroy(struct \(name) *skel) { \(name)__destroy(skel); }")
        c.line("const void *\(name)::elf_bytes(size_t *sz) { return \(name)__elf_bytes(sz); }")
        c.directive("#endif /* __cplusplus */")
        c.line()
    }

    /// Variables must be where the programs expect them, whatever the compiler and machine.
    private func writeChecks(_ c: inout CWriter) {
        c.directive("#ifdef __cplusplus")
        c.directive("#define _Static_assert static_assert")
        c.directive("#endif")
        c.function(
            "__attribute__((unused)) static void",
            "\(name)__assert(struct \(name) *s __attribute__((unused)))"
        ) { c in
            for map in maps {
                for variable in map.contents?.variables ?? [] {
                    let section = "s->\(map.contentsMember)"
                    let member = "\(section)->\(variable.name)"
                    c.line(
                        "_Static_assert(sizeof(\(member)) == \(variable.size), \"size of '\(variable.name)'\");"
                    )
                    c.line(
                        "_Static_assert(__builtin_offsetof(__typeof__(*\(section)), \(variable.name)) == \(variable.offset), \"offset of '\(variable.name)'\");"
                    )
                }
            }
        }
        c.directive("#ifdef __cplusplus")
        c.directive("#undef _Static_assert")
        c.directive("#endif")
    }
}

/// Allocates `s->progs` or `s->vars`.
func writeTable(_ what: String, _ count: Int, _ c: inout CWriter) {
    c.line()
    c.line("s->\(what)_cnt = \(count);")
    c.line("s->\(what)_skel_sz = sizeof(*s->\(what)s);")
    c.line("s->\(what)s = (struct bpf_\(what)_skeleton *)calloc(\(count), sizeof(*s->\(what)s));")
    c.line("if (!s->\(what)s)")
    c.line("\tgoto fail;")
}

/// `struct { struct TYPE *a; ... } name;`, if there are any.
func writeMembers(_ type: String, _ members: [String], _ name: String, _ c: inout CWriter) {
    guard !members.isEmpty else { return }
    c.scope("struct", tail: " \(name);") { c in
        for member in members { c.line("struct \(type) *\(member);") }
    }
}
