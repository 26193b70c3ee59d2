/// Refusals that come from the command topic.
extension Refusal {
    private static let raiseEpoch = "raise commands.epoch, then replay"

    /// The log ends before an offset up to which everything was applied. `low` and `high`: the log's first offset, and
    /// the offset after its last record.
    package static func logWentBackwards(
        topic: String, partition: Int32, applied: Int64, low: Int64, high: Int64
    ) -> Refusal {
        Refusal(
            "log_went_backwards",
            "topic \(topic) partition \(partition) went backwards: everything before offset \(applied) has been "
                + "applied, but the log reaches from \(low) to \(high) only. The topic was recreated, or it lost its "
                + "tail in an unclean election: \(raiseEpoch)")
    }

    /// Another record has the offset of one that was applied. `before` and `now`: the two records in words.
    package static func recordReplaced(
        topic: String, partition: Int32, before: String, now: String, low: Int64, high: Int64
    ) -> Refusal {
        Refusal(
            "record_replaced",
            "topic \(topic) partition \(partition) is not the log that was read before: the record that was applied at "
                + "\(before) is another one now, \(now); the log reaches from \(low) to \(high). The topic was "
                + "recreated, or an unclean election took applied records back: \(raiseEpoch)")
    }

    /// `read`: how far each partition had been read.
    package static func topicDeleted(_ topic: String, read: [Int32: Int64]) -> Refusal {
        let read = read.sorted { $0.key < $1.key }.prefix(8).map { "partition \($0.key) up to offset \($0.value)" }
        return Refusal(
            "topic_deleted",
            "topic \(topic) was deleted while it was read: \(read.joined(separator: ", ")) had been read, and now "
                + "there is no such topic. If it is made again, raise commands.epoch, copy and replay")
    }

    /// Keys have moved between partitions, so offsets order nothing any more.
    package static func partitionsChanged(topic: String, before: Int, now: Int) -> Refusal {
        Refusal(
            "partitions_changed",
            "topic \(topic) had \(before) partitions when it was read and has \(now) now: keys have moved between "
                + "partitions, so offsets no longer order one id's commands. Raise commands.epoch once everything "
                + "before has been applied, or take versions from a timestamp, a field or a header (commands.version)")
    }

    /// One id has commands in two partitions, under `version: offset` or with partial updates.
    ///
    /// - Parameters:
    ///   - orderedByOthers: whether versions from elsewhere would order them: there are no partial updates.
    ///   - more: further ids of which the same was found.
    package static func idInTwoPartitions(
        _ id: String, topic: String, orderedByOthers: Bool, one: Place, other: Place, more: [String] = []
    ) -> Refusal {
        let ids = ([id] + more).map { "\"\($0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\"" }
        let others = more.isEmpty ? "" : ", and so have \(more.count) more ids"
        return Refusal(
            "id_in_two_partitions",
            "id \(id) has commands in two partitions of \(topic): \(one.text) and \(other.text)\(others). "
                + (orderedByOthers
                    ? "Offsets do not order them: take versions from a timestamp, a field or a header "
                        + "(commands.version)"
                    : "Partial updates, and rows that keep a column, must come after what they build on, and nothing "
                        + "orders records of two partitions: give each id one partition, or write whole documents")
                + ". If the stray records are few, and the command with the greater offset may stay of each, write in "
                + "the recipe: `accept: [{ rail: one_partition, ids: [\(ids.joined(separator: ", "))], why: \"...\" "
                + "}]`, beside the ids that stand there; then look at these documents yourself")
    }

    /// The log begins after the offset that is read next. `reader`: who is to read there, in words.
    package static func retentionOvertook(
        topic: String, partition: Int32, reader: String, wanted: Int64, low: Int64, high: Int64
    ) -> Refusal {
        Refusal(
            "retention_overtook",
            "topic \(topic) partition \(partition): \(reader) is to go on at offset \(wanted), but the log reaches "
                + "from \(low) to \(high). Retention overtook it: copy and replay again")
    }

    /// The log has lost commands that the group was still to apply, and a replay would begin after them.
    package static func replayLeavesOut(
        topic: String, partition: Int32, group: String, committed: Int64, start: Int64
    ) -> Refusal {
        Refusal(
            "replay_leaves_out",
            "topic \(topic) partition \(partition): group \(group) has committed offset \(committed), but the replay "
                + "would begin at \(start): the commands between were never applied, and a copy cannot make up for "
                + "them where the group has written since. Begin at or before \(committed) (replay.from), or delete "
                + "the target index, then init, copy and replay")
    }

    /// Another process has ended the replay, or has begun another one. What is read from here on may be older than a
    /// delete whose tombstone is purged by then.
    package static var replayIsOver: Refusal {
        Refusal(
            "replay_is_over",
            "another process has ended this replay, or has begun another one: this one ends. What it has written stays "
                + "right")
    }

    /// Another copy has begun. Its slices are others, and its pages come through the same alias.
    package static var copyIsOver: Refusal {
        Refusal(
            "copy_is_over",
            "another copy has begun meanwhile, in another process: this one ends. What it has written stays right")
    }

    /// The recipe's start lies before the log's beginning.
    package static func startIsGone(topic: String, partition: Int32, wanted: Int64, low: Int64) -> Refusal {
        Refusal(
            "start_is_gone",
            "topic \(topic) partition \(partition) no longer reaches back to the start asked for: offset \(wanted) is "
                + "wanted, the log begins at \(low). What lay between is lost to a replay: start later (replay.from) "
                + "and copy again, or restore the log")
    }

    /// The recipe's start lies after the log's end.
    package static func startIsBeyondEnd(topic: String, partition: Int32, wanted: Int64, high: Int64) -> Refusal {
        Refusal(
            "start_is_beyond_end",
            "topic \(topic) partition \(partition) is to start at offset \(wanted), but the log ends at \(high)")
    }

    /// A compacted topic may have removed deletes that were not read. `compacted`: topic and settings in words;
    /// `since`: when it was last read.
    package static func deletesForgotten(
        _ compacted: String, partition: Int32, from: Int64, gap: Range<Int64>, since: String
    ) -> Refusal {
        let missing =
            gap.count == 1 ? "offset \(gap.lowerBound)" : "offsets \(gap.lowerBound) to \(gap.upperBound - 1)"
        return Refusal(
            "compaction",
            "\(compacted). Partition \(partition) has not been read from offset \(from) on, \(since), and there is no "
                + "record at \(missing): a delete may have been there, and its document would live for ever. Raise "
                + "delete.retention.ms until copy and replay fit into it, or let `follow` run beside the copy; then "
                + "delete the target index, and init, copy and replay again")
    }

    /// The dead-letter topic is compacted, so letters of the same key would replace each other.
    package static func deadLettersCompacted(_ topic: String, policy: String) -> Refusal {
        Refusal(
            "dead_letters_compacted",
            "topic \(topic) has cleanup.policy=\(policy), which would throw letters away that have the same key: set "
                + "it to delete, or name another dead_letters.topic")
    }

    /// An event says that a whole table was emptied.
    package static func truncated(topic: String, at place: Place) -> Refusal {
        Refusal(
            "truncated",
            "the record at \(place.text) of topic \(topic) says that its table was truncated: every document of it is "
                + "to go, and the event names none. Nothing from there on was applied. Delete the table's documents "
                + "from the target by hand and say commands.debezium.truncate: ignore, or begin a new migration with "
                + "replay.from behind it")
    }
}
