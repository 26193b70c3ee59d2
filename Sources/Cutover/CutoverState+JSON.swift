import JSONText

extension CutoverState {
    package var json: JSONValue {
        var members: JSONObject = ["turn": .number(turn)]
        if let mark { members["mark"] = ["turn": .number(mark.turn), "home": .string(mark.home)] }
        if let intent { members["intent"] = intent.json }
        if !moved.isEmpty { members["moved"] = .array(moved.map(\.json)) }
        if !aliases.isEmpty { members["aliases"] = .array(aliases.map { .string($0) }) }
        if !leftBehind.isEmpty { members["left_behind"] = .array(leftBehind.map { .string($0) }) }
        if let rolledOverAt { members["rolled_over_at"] = .number(rolledOverAt) }
        if let readersDue { members["readers_due"] = readersDue.json }
        if let end { members["end"] = .string(end.rawValue) }
        if let ending { members["ending"] = ending.json }
        return .object(members)
    }

    /// nil: this version does not understand it. Nothing of it may be left out: what is not understood could be a move.
    package init?(json: JSONValue) {
        self.init()
        guard let turn = json["turn"]?.size, turn >= 0, turn < 1 << 40 else { return nil }
        self.turn = turn
        if let told = json["mark"] {
            guard let turn = told["turn"]?.size, let home = told["home"]?.string else { return nil }
            mark = Mark(turn: turn, home: home)
        }
        if let told = json["intent"] {
            guard let known = Intent(json: told) else { return nil }
            intent = known
        }
        for told in json["moved"]?.array ?? [] {
            guard let move = AliasMove(json: told) else { return nil }
            moved.append(move)
        }
        aliases = (json["aliases"]?.array ?? []).compactMap(\.string)
        leftBehind = (json["left_behind"]?.array ?? []).compactMap(\.string)
        rolledOverAt = json["rolled_over_at"]?.time
        if let told = json["readers_due"] {
            guard let known = ReadersDue(json: told) else { return nil }
            readersDue = known
        }
        if let told = json["end"]?.string {
            guard let known = Position(rawValue: told) else { return nil }
            end = known
        }
        if let told = json["ending"] {
            guard let known = Ending(json: told) else { return nil }
            ending = known
        }
    }
}

extension CutoverState.ReadersDue {
    package var json: JSONValue {
        var members: JSONObject = ["kind": .string(kind.rawValue), "since": .number(since)]
        if let failure { members["failure"] = .string(failure) }
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let kind = json["kind"]?.string.flatMap(CutoverState.Kind.init), let since = json["since"]?.time else {
            return nil
        }
        self.init(kind: kind, since: since, failure: json["failure"]?.string)
    }
}

extension CutoverState.Intent {
    package var json: JSONValue {
        var members: JSONObject = [
            "kind": .string(kind.rawValue), "turn": .number(turn), "moves": .array(moves.map(\.json)),
            "home": .string(home), "by": .string(by), "began": .number(began),
        ]
        members["process"] = process
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let kind = json["kind"]?.string.flatMap(CutoverState.Kind.init), let turn = json["turn"]?.size,
            let told = json["moves"]?.array, let home = json["home"]?.string, let by = json["by"]?.string,
            let began = json["began"]?.time
        else { return nil }
        let moves = told.compactMap(AliasMove.init)
        guard moves.count == told.count else { return nil }
        self.init(
            kind: kind, turn: turn, moves: moves, home: home, by: by, began: began,
            process: json["process"])
    }
}

extension AliasMove {
    package var json: JSONValue {
        ["alias": .string(alias), "from": .array(from.map(\.json)), "to": .array(to.map(\.json))]
    }

    package init?(json: JSONValue) {
        guard let alias = json["alias"]?.string, let from = json["from"]?.array, let to = json["to"]?.array else {
            return nil
        }
        self.init(alias, from: from.compactMap(Place.init), to: to.compactMap(Place.init))
        guard self.from.count == from.count, self.to.count == to.count else { return nil }
    }
}

extension AliasMove.Place {
    package var json: JSONValue {
        [
            "index": .string(index), "uuid": uuid.map { .string($0) } ?? .null, "definition": .object(definition),
        ]
    }

    package init?(json: JSONValue) {
        guard let index = json["index"]?.string, let definition = json["definition"]?.object else { return nil }
        self.init(index, uuid: json["uuid"]?.string, definition)
    }
}
