// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

import CEmit

// struct_ops maps in the headers of skeletons and subskeletons.

extension ObjectSkeleton {
    /// Definitions of the structs that `struct_ops` points to.
    func writeOperationsTypes(_ c: inout CWriter) {
        for map in maps {
            guard let operations = map.operations else { continue }
            c.scope(operations.tag(of: map, name), tail: ";\n") { c in
                c.lines(operations.members)
            }
        }
    }

    /// The member `struct_ops`, if there are such maps.
    func writeOperations(_ c: inout CWriter) {
        let operations = maps.filter { $0.operations != nil }
        guard !operations.isEmpty else { return }
        c.scope("struct", tail: " struct_ops;") { c in
            for map in operations {
                c.line("\(map.operations?.tag(of: map, name) ?? "") *\(map.identifier);")
            }
        }
    }

    /// Lets it point to what libbpf holds, once the object is open.
    func writeOperationsValues(_ c: inout CWriter) {
        for map in maps where map.operations != nil {
            let member = "obj->struct_ops.\(map.identifier)"
            c.line("\(member) = (__typeof__(\(member)))")
            c.line("\tbpf_map__initial_value(obj->maps.\(map.identifier), NULL);")
        }
    }
}

extension ObjectSkeleton.Operations {
    /// `struct OBJECT__MAP__TYPE`
    fileprivate func tag(of map: ObjectSkeleton.Map, _ object: String) -> String {
        "struct \(object)__\(map.identifier)__\(type)"
    }
}
