import JSONText

// Partial documents (docs/architecture.md, P4).
extension Transformer {
    /// Brings `partial`, a part of a document in its old form, into the new form, merges it into `base`, a whole
    /// document in the new form (nil: there is none), and appends the result to `out` as one line of JSON.
    ///
    /// - deep: objects merge member by member; all else, null too, replaces. A `keyToValue` field that is reached
    ///   through objects only merges by key: the pairs of the keys that the partial map names are replaced, the others
    ///   stay. A null there does what the step's `null` says: it removes the key's pairs, or leaves one with null.
    /// - shallow: fields of the top level replace those of the base whole, flattened ones too.
    ///
    /// What the merge cannot know, because the new form does not say it: whether the pairs `a.b` of the base came from
    /// an object `a`, a key with a dot, or objects in an array. They are taken as coming from an object.
    /// Of duplicate keys the last wins. The same merge twice is the same as once. `out` is as before when it throws.
    public func merge(
        base: Bytes?, partial: Bytes, mode: MergeMode, into out: ByteBuffer
    ) throws(TransformError) {
        begin()
        isMerging = base != nil
        try guarded(out) { () throws(TransformError) in
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

    /// Merges the members of `partial` into `target`; both are objects.
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

    /// Makes every member of the object a node and lists them by key; of duplicates the last stays.
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

    /// Puts members in the place of runs of members.
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

    // MARK: By key

    /// Merges a raw map into the base's pairs; false when the base has something else there.
    private func mergePairs(_ target: Int32, _ partial: Int32) throws(TransformError) -> Bool {
        let pairs = arena[target].text
        guard arena[target].shape == .raw, firstByte(pairs) == UInt8(ascii: "[") else { return false }
        let step = program.steps[Int(arena[partial].step)]
        let keyMark = keys.count
        let low = leaves.count
        removals.removeAll()
        do throws(JSONError) {
            guard try arrayContent(pairs) == .pairs else { return false }
            try collect(arena[partial].text, .none, step, notingRemovals: true)
            removals.sort(from: 0, to: removals.count, self)
            try keepPairs(pairs)
        } catch {
            throw flattenFailure(error, step)
        }
        leaves.sort(from: low, to: leaves.count, self)
        try writePairs(PairRow(base: leaves.base + low, count: leaves.count - low), step, to: target)
        leaves.truncate(to: low)
        keys.count = keyMark
        return true
    }

    /// Adds the base's pairs to the leaves, except those that the partial map replaces.
    private func keepPairs(_ pairs: TextRange) throws(JSONError) {
        let text = pointer(pairs.source)
        let end = Int(pairs.end)
        var newlines = false
        var at = JSONScanner.space(text, Int(pairs.start) &+ 1, end, &newlines)
        while at < end, text[at] == UInt8(ascii: "{") {
            let after = try JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines)
            let pair = range(pairs.source, at, after)
            if let content = try pairKey(pair) {
                let mark = keys.count
                let key = try keyPart(of: content)
                if isReplaced(key) {
                    keys.count = mark
                } else {
                    leaves.add(Pair(prefix: prefix(of: key), key: key, value: pair, kind: .absent))
                }
            }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
    }

    /// The key in `key:value`: what stands before the first colon without a backslash, its backslashes taken out.
    private func keyPart(of content: TextRange) throws(JSONError) -> TextRange {
        let whole = try joined(.none, content)
        let text = keys.base
        var from = Int(whole.start)
        var to = from
        while from < Int(whole.end), text[from] != UInt8(ascii: ":") {
            if text[from] == UInt8(ascii: "\\"), from &+ 1 < Int(whole.end) { from &+= 1 }
            text[to] = text[from]
            from &+= 1
            to &+= 1
        }
        keys.count = to
        return range(.keys, Int(whole.start), to)
    }

    /// Whether the partial map names the key: itself, or a part before a dot to which it gives something that is not
    /// an object.
    private func isReplaced(_ key: TextRange) -> Bool {
        if isNamed(key, asObjectToo: true) { return true }
        let text = pointer(key.source)
        var at = Int(key.start)
        while at < Int(key.end) {
            if text[at] == UInt8(ascii: "."),
                isNamed(range(key.source, Int(key.start), at), asObjectToo: false)
            {
                return true
            }
            at &+= 1
        }
        return false
    }

    private func isNamed(_ key: TextRange, asObjectToo: Bool) -> Bool {
        let probe = Pair(prefix: prefix(of: key), key: key, value: .none, kind: .absent)
        var low = 0
        var high = removals.count
        while low < high {
            let middle = (low &+ high) / 2
            if isLess(removals[middle], probe) { low = middle &+ 1 } else { high = middle }
        }
        while low < removals.count, isSameKey(removals[low], probe) {
            if asObjectToo || removals[low].kind != .object { return true }
            low &+= 1
        }
        return false
    }
}
