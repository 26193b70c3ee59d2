import JSONText

// Runs the steps on the document's nodes.
extension Transformer {
    func runSteps(_ root: Int32) throws(TransformError) {
        var index = 0
        while index < program.steps.count {
            let step = program.steps[index]
            switch step.kind {
            case .keep: try keep(root, step.keepRoot)
            case .rename, .copy: try move(root, step, level: 0)
            case .set: try set(root, step, level: 0)
            case .keyToValue, .remove, .change:
                try walk(root, step, Int32(truncatingIfNeeded: index), level: 0)
            }
            index &+= 1
        }
    }

    @inline(__always) func name(_ path: PathRange, _ level: Int32) -> Int32 {
        program.pathNames[Int(path.start &+ level)]
    }

    /// An error about the field that a step names.
    func failure(_ reason: String, _ step: CompiledStep, _ what: String) -> TransformError {
        var names: [String] = []
        for level in 0..<step.path.count {
            let plain = program.names[Int(name(step.path, level))].plain
            names.append(
                String(decoding: program.constants.slice(Int(plain.start)..<Int(plain.end)), as: UTF8.self))
        }
        return TransformError(reason: reason, detail: "field \"\(JSONPath(names: names))\" \(what)")
    }

    /// Finds the step's field, through arrays, and applies the step to each.
    func walk(_ node: Int32, _ step: CompiledStep, _ index: Int32, level: Int32) throws(TransformError) {
        switch try open(node) {
        case .object:
            let member = arena.member(of: node, named: name(step.path, level))
            guard member >= 0 else { return }
            if level &+ 1 < step.path.count {
                try walk(member, step, index, level: level &+ 1)
            } else {
                try apply(step, index, to: member)
            }
        case .array:
            var element = arena[node].first
            while element >= 0 {
                if arena[element].shape != .run { try walk(element, step, index, level: level) }
                element = arena[element].next
            }
        default: return
        }
    }

    private func apply(_ step: CompiledStep, _ index: Int32, to member: Int32) throws(TransformError) {
        switch step.kind {
        case .remove: arena.pointer(member).pointee.shape = .gone
        case .keyToValue: try keyToValue(member, step, index)
        case .change(let change): try self.change(member, change, step)
        // These are not about a single field.
        case .rename, .copy, .keep, .set: return
        }
    }

    // MARK: keep

    /// Removes what `branch` does not name. Objects and arrays on the way to a kept path stay, even empty ones.
    private func keep(_ node: Int32, _ branch: Int32) throws(TransformError) {
        let isObject = arena[node].shape == .object
        var child = arena[node].first
        while child >= 0 {
            let kept = isObject ? program.index.branch(under: branch, name: arena[child].name) : branch
            if kept < 0 || arena[child].shape == .run {
                // A run in an object has no name that is kept. A run in an array has no object to look into.
                arena.pointer(child).pointee.shape = .gone
            } else if !isObject || !program.index.isEnd(kept), arena[child].shape != .gone {
                let shape = try open(child)
                if shape == .object || shape == .array {
                    try keep(child, kept)
                } else {
                    // This replaces what the base has under the name, and nothing within it is kept.
                    arena.pointer(child).pointee.shape = isMerging ? .erased : .gone
                }
            }
            child = arena[child].next
        }
    }

    // MARK: rename, copy

    /// Finds the objects in which both paths begin.
    private func move(_ node: Int32, _ step: CompiledStep, level: Int32) throws(TransformError) {
        switch try open(node) {
        case .object:
            if level == step.common {
                try moveWithin(node, step)
                return
            }
            let member = arena.member(of: node, named: name(step.path, level))
            if member >= 0 { try move(member, step, level: level &+ 1) }
        case .array:
            var element = arena[node].first
            while element >= 0 {
                if arena[element].shape != .run { try move(element, step, level: level) }
                element = arena[element].next
            }
        default: return
        }
    }

    private func moveWithin(_ object: Int32, _ step: CompiledStep) throws(TransformError) {
        var holder = object
        var level = step.common
        while level &+ 1 < step.path.count {
            let parent = holder
            holder = arena.member(of: parent, named: name(step.path, level))
            guard holder >= 0 else {
                try passErasure(of: name(step.path, level), in: parent, step, to: object)
                return
            }
            switch try open(holder) {
            case .object: break
            case .array where hasObjects(holder):
                throw failure(
                    "path_through_array", step, "is inside an array; it can only be moved within the same object")
            default:
                // This replaces the parent in the base, so what was moved out of it goes too.
                if isMerging { try place(Node(shape: .erased), in: object, step, step.target, from: step.common) }
                return
            }
            level &+= 1
        }
        let member = arena.member(of: holder, named: name(step.path, level))
        guard member >= 0 else {
            try passErasure(of: name(step.path, level), in: holder, step, to: object)
            return
        }
        if step.kind == .copy {
            try place(clone(member), in: object, step, step.target, from: step.common)
        } else {
            let value = arena[member]
            arena.pointer(member).pointee.shape = .gone
            try place(value, in: object, step, step.target, from: step.common)
        }
    }

    /// When an update erases a field, the field's new name is erased too.
    private func passErasure(
        of name: Int32, in holder: Int32, _ step: CompiledStep, to object: Int32
    ) throws(TransformError) {
        guard isMerging else { return }
        var child = arena[holder].first
        while child >= 0 {
            if arena[child].name == name, arena[child].shape == .erased {
                try place(Node(shape: .erased), in: object, step, step.target, from: step.common)
                return
            }
            child = arena[child].next
        }
    }

    private func hasObjects(_ array: Int32) -> Bool {
        var element = arena[array].first
        while element >= 0 {
            if arena[element].shape != .run, arena[element].shape != .gone { return true }
            element = arena[element].next
        }
        return false
    }

    /// A copy of `node`'s value. A step that changes the copy does not change `node`.
    private func clone(_ node: Int32) -> Node {
        var copy = arena[node]
        guard copy.shape == .object || copy.shape == .array else { return copy }
        var child = copy.first
        let holder = arena.add(Node(shape: copy.shape))
        while child >= 0 {
            var element = clone(child)
            let next = arena[child].next
            element.next = -1
            arena.add(element, to: holder)
            child = next
        }
        copy.first = arena[holder].first
        copy.last = arena[holder].last
        return copy
    }

    // MARK: set

    private func set(_ node: Int32, _ step: CompiledStep, level: Int32) throws(TransformError) {
        switch try open(node) {
        case .object:
            let member = arena.member(of: node, named: name(step.path, level))
            if level &+ 1 == step.path.count {
                if step.ifMissing, member >= 0, !isNull(member) { return }
                try place(Node(shape: .raw, text: step.constant), in: node, step, step.path, from: level)
            } else if member < 0 || isNull(member) {
                try place(Node(shape: .raw, text: step.constant), in: node, step, step.path, from: level)
            } else {
                try set(member, step, level: level &+ 1)
            }
        case .array:
            var element = arena[node].first
            while element >= 0 {
                let shape = arena[element].shape
                if shape != .run, shape != .gone { try set(element, step, level: level) }
                element = arena[element].next
            }
        default:
            throw failure("not_an_object", step, "cannot be set: what should hold it is not an object")
        }
    }

    @inline(__always) func isNull(_ node: Int32) -> Bool {
        arena[node].shape == .raw && firstByte(arena[node].text) == UInt8(ascii: "n")
    }

    /// Sets the field at `path` to the value. `object` is what the path's first `level` names lead to; objects that are
    /// missing on the rest of the way are made.
    private func place(
        _ value: Node, in object: Int32, _ step: CompiledStep, _ path: PathRange, from level: Int32
    ) throws(TransformError) {
        var holder = object
        var level = level
        while level &+ 1 < path.count {
            let name = name(path, level)
            var member = arena.member(of: holder, named: name)
            if member < 0 {
                if value.shape == .erased { return }
                member = addMember(named: name, Node(shape: .object), to: holder)
            } else if isNull(member) {
                arena.setValue(of: member, to: Node(shape: .object))
            } else {
                let shape = try open(member)
                guard shape == .object else {
                    throw shape == .array
                        ? failure("path_through_array", step, "cannot be moved into the objects of an array")
                        : failure("not_an_object", step, "cannot be moved: what should hold it is not an object")
                }
            }
            holder = member
            level &+= 1
        }
        let name = name(path, level)
        let member = arena.member(of: holder, named: name)
        if member >= 0 {
            arena.setValue(of: member, to: value)
        } else {
            _ = addMember(named: name, value, to: holder)
        }
    }

    private func addMember(named name: Int32, _ value: Node, to object: Int32) -> Int32 {
        var member = value
        member.name = name
        member.key = program.names[Int(name)].escaped
        member.next = -1
        return arena.add(member, to: object)
    }
}
