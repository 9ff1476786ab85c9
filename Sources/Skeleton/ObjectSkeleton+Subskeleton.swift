// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// The header of a subskeleton: maps, programs and variables of an object that became part of
// another one. Names are those of bpftool's, as in the header of a skeleton.

extension ObjectSkeleton {
    /// The text of the header: C and C++, for programs and libraries with libbpf. The members of
    /// data sections are pointers.
    package var subskeleton: String {
        let guardName = "__\(name.uppercased())_SUBSKEL_H__"
        return CWriter.header(guardedBy: guardName, from: "gen subskeleton") { c in
            writeIncludes(&c)
            writeTypes(&c)
            writeOperationsTypes(&c)
            writeSubstruct(&c)
            writeSubdestroy(&c)
            writeSubopen(&c)
            c.directive("#ifdef __cplusplus")
            c.line(
                "struct \(name) *\(name)::open(const struct bpf_object *src) { return \(name)__open(src); }"
            )
            c.line("void \(name)::destroy(struct \(name) *skel) { \(name)__destroy(skel); }")
            c.directive("#endif /* __cplusplus */")
        }
    }

    private func writeSubstruct(_ c: inout CWriter) {
        c.scope("struct \(name)", tail: ";\n") { c in
            c.line("struct bpf_object *obj;")
            c.line("struct bpf_object_subskeleton *subskel;")
            writeMembers("bpf_map", maps.map(\.identifier), "maps", &c)
            writeMembers("bpf_program", programs, "progs", &c)
            writeOperations(&c)
            for map in maps {
                guard let contents = map.contents, !contents.members.isEmpty else { continue }
                c.scope("struct \(name)__\(map.identifier)", tail: " \(map.identifier);") { c in
                    c.lines(contents.members)
                }
            }
            c.line()
            c.directive("#ifdef __cplusplus")
            c.line("static inline struct \(name) *open(const struct bpf_object *src);")
            c.line("static inline void destroy(struct \(name) *skel);")
            c.directive("#endif /* __cplusplus */")
        }
    }

    private func writeSubdestroy(_ c: inout CWriter) {
        c.function("static inline void", "\(name)__destroy(struct \(name) *skel)") { c in
            c.line("if (!skel)")
            c.line("\treturn;")
            c.line("if (skel->subskel)")
            c.line("\tbpf_object__destroy_subskeleton(skel->subskel);")
            c.line("free(skel);")
        }
    }

    private func writeSubopen(_ c: inout CWriter) {
        let variables = maps.flatMap { map in
            (map.contents?.variables ?? []).map { (map.identifier, $0.name) }
        }
        c.function(
            "static inline struct \(name) *", "\(name)__open(const struct bpf_object *src)"
        ) { c in
            c.line("struct bpf_object_subskeleton *s;")
            c.line("struct \(name) *obj;")
            if !maps.isEmpty {
                c.line("struct bpf_map_skeleton *map;")
                c.line("size_t size = sizeof(*map) > 32 ? sizeof(*map) : 32;")
            }
            c.line("int err = -ENOMEM;")
            c.line()
            c.line("obj = (struct \(name) *)calloc(1, sizeof(*obj));")
            c.line("if (!obj)")
            c.line("\tgoto fail;")
            c.line("s = (struct bpf_object_subskeleton *)calloc(1, sizeof(*s));")
            c.line("if (!s)")
            c.line("\tgoto fail;")
            c.line("obj->subskel = s;")
            c.line("s->sz = sizeof(*s);")
            c.line("s->obj = src;")
            if !variables.isEmpty {
                writeTable("var", variables.count, &c)
                for (index, (map, variable)) in variables.enumerated() {
                    c.line()
                    c.line("s->vars[\(index)].name = \(CLiteral.string(variable));")
                    c.line("s->vars[\(index)].map = &obj->maps.\(map);")
                    c.line("s->vars[\(index)].addr = (void **)&obj->\(map).\(variable);")
                }
            }
            if !maps.isEmpty {
                writeMapTable(&c)
                for (index, map) in maps.enumerated() { writeName(of: map, index, &c) }
            }
            if !programs.isEmpty {
                writeTable("prog", programs.count, &c)
                for (index, program) in programs.enumerated() {
                    c.line()
                    c.line("s->progs[\(index)].name = \(CLiteral.string(program));")
                    c.line("s->progs[\(index)].prog = &obj->progs.\(program);")
                }
            }
            c.line()
            c.line("err = bpf_object__open_subskeleton(s);")
            c.line("if (err)")
            c.line("\tgoto fail;")
            writeOperationsValues(&c)
            c.line("return obj;")
            c.directive("fail:")
            c.line("\(name)__destroy(obj);")
            c.line("errno = -err;")
            c.line("return NULL;")
        }
    }
}
