import JSONText

// Partial updates: merges a part of a document into the document (promise P4 in `docs/architecture.md`).
extension Transformer {
    /// Transforms `partial`, merges it into `base`, and appends the result to `out` as one line of JSON. `partial` is a
    /// part of a document before the steps; `base` is a whole document after the steps, or nil when there is none.
    ///
    /// - deep: objects are merged member by member. Any other value, also null, replaces the old one. A field of
    ///   `keyToValue` is merged by key, if only objects lead to it: the pairs of the keys in the partial map are
    ///   replaced, and the others stay. For a null in the map, the option `null` of the step decides: it removes the
    ///   pairs of the key, or leaves one pair with null.
    /// - shallow: each field at the top level replaces the whole field of the base, also a flattened one.
    ///
    /// The base does not tell whether its pairs `a.b` came from an object `a`, from a key with a dot, or from objects
    /// in an array. The merge assumes an object. Of members with the same name, the last counts. To merge the same part
    /// twice gives the same as once. When it throws, `out` is as before.
    public func merge(
        base: Bytes?, partial: Bytes, mode: MergeMode, into out: ByteBuffer
    ) throws(TransformError) {
        begin()
        isMerging = base != nil
        try guarded(out, partial.count &+ (base?.count ?? 0)) { () throws(TransformError) in
            let root = try read(partial)
            try runSteps(root)
            if arena[root].step == Node.holdsReserved { try refuseReserved(root) }
            guard let base else {
                try emit(root, into: out)
                return
            }
            let target = try readBase(base)
            try mergeObjects(target, root, isDeep: mode == .deep)
            try emit(target, into: out)
        }
    }

    private func readBase(_ text: Bytes) throws(TransformError) -> Int32 {
        do throws(TransformError) {
            base = text
            var newlines = false
            let mark = Int32(truncatingIfNeeded: arena.count)
            let root = try scan(.base, eager: -1, &newlines)
            guard newlines else { return root }
            compactedBase.removeAll()
            Compaction.append(text, into: compactedBase)
            base = compactedBase.bytes
            arena.truncate(to: mark)
            return try scan(.base, eager: -1, &newlines)
        } catch {
            throw TransformError(
                reason: "bad_base", detail: "the indexed document cannot be merged into: \(error.detail)")
        }
    }

    /// Merges the members of `partial` into `target`. Both are objects.
    private func mergeObjects(_ target: Int32, _ partial: Int32, isDeep: Bool) throws(TransformError) {
        let keyMark = keys.count
        let low = members.count
        try sortedMembers(of: target)
        let middle = members.count
        try sortedMembers(of: partial)
        let high = members.count
        var one = low
        var other = middle
        while other < high {
            if one < middle, isLess(members[one], members[other]) {
                one += 1
            } else if one < middle, isSameKey(members[one], members[other]) {
                try mergeValues(members[one].node, members[other].node, isDeep: isDeep)
                one += 1
                other += 1
            } else {
                var added = arena[members[other].node]
                added.next = -1
                if added.shape != .erased { arena.add(added, to: target) }
                other += 1
            }
        }
        members.truncate(to: low)
        keys.count = keyMark
    }

    private func mergeValues(_ target: Int32, _ partial: Int32, isDeep: Bool) throws(TransformError) {
        if isDeep {
            if arena[partial].shape == .map {
                if try mergePairs(target, partial) { return }
            } else if isObject(partial), isObject(target) {
                try mergeObjects(target, partial, isDeep: true)
                return
            }
        }
        arena.setValue(of: target, to: arena[partial].shape == .erased ? Node(shape: .gone) : arena[partial])
    }

    private func isObject(_ node: Int32) -> Bool {
        switch arena[node].shape {
        case .object: true
        case .raw: firstByte(arena[node].text) == UInt8(ascii: "{")
        default: false
        }
    }

    /// Makes every member of the object a node and adds all to the list, sorted by key. Of members with the same key,
    /// the last counts.
    private func sortedMembers(of object: Int32) throws(TransformError) {
        let low = members.count
        if arena[object].shape == .raw {
            _ = try expand(object, everyMember: true)
        } else {
            try splitRuns(object)
        }
        var child = arena[object].first
        while child >= 0 {
            let member = arena[child]
            if member.shape != .gone {
                let key: TextRange
                do throws(JSONError) { key = try plain(member.key) } catch { throw TransformError(error) }
                members.add(Pair(prefix: prefix(of: key), key: key, value: .none, kind: .absent, node: child))
            }
            child = member.next
        }
        members.sort(from: low, to: members.count, self)
        members.truncate(to: dropDuplicates(members, from: low, to: members.count))
    }

    private func plain(_ key: TextRange) throws(JSONError) -> TextRange {
        for byte in slice(key) where byte == UInt8(ascii: "\\") { return try joined(.none, key) }
        return key
    }

    /// Makes nodes of the members in runs.
    private func splitRuns(_ object: Int32) throws(TransformError) {
        var child = arena[object].first
        arena.pointer(object).pointee.first = -1
        arena.pointer(object).pointee.last = -1
        while child >= 0 {
            var member = arena[child]
            let next = member.next
            if member.shape == .run {
                var scan = Scan(
                    text: pointer(member.text.source), end: Int(member.text.end), source: member.text.source, of: self)
                scan.everyMember = true
                scan.again = knownEnds
                scan.low = Int(member.text.start)
                do throws(JSONError) {
                    _ = try scan.members(object, Int(member.text.start), -1, JSONScanner.maxDepth)
                } catch {
                    throw TransformError(error)
                }
            } else {
                member.next = -1
                arena.add(member, to: object)
            }
            child = next
        }
    }
}
