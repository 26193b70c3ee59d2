import Foundation
import JSONText

extension Recipe {
    /// `verify`. No part of the work: it changes nothing that is written.
    package struct Verify: Sendable, Equatable {
        /// What an empty array and an absent field are to each other.
        package enum EmptyArray: String, Sendable, CaseIterable { case distinct, absent }

        /// What it means that there is nothing to compare.
        package enum Empty: String, Sendable, CaseIterable { case refuse, accept }

        /// What it means that documents of the old side cannot be copied.
        package enum Uncopied: String, Sendable, CaseIterable { case refuse, accept }

        /// Paths that are not compared.
        package var ignore: [JSONPath] = []
        package var emptyArray = EmptyArray.distinct
        /// Paths whose values no receipt may hold.
        package var redact: [JSONPath] = []
        /// Whole documents of both sides that a receipt holds for people to read.
        package var sample = 0
        /// Examples of each kind of finding that a receipt holds.
        package var reportLimit = 100
        /// Documents a second and side; nil: unlimited.
        package var documentsPerSecond: Int?
        /// Bytes of documents a second and side; nil: unlimited.
        package var bytesPerSecond: Int?
        /// Parts of each index; nil: as many as suit it.
        package var slices: Int?
        /// Documents per page.
        package var page: Int
        /// How long no document may settle before the others are reported as settling, in milliseconds.
        package var settle: Int64 = 60_000
        /// How long a side may give nothing before its slice counts as unread, in milliseconds.
        package var patience: Int64 = 120_000
        /// A date field of both sides; nil: the only one that both have.
        package var histogram: JSONPath?
        /// Where files go that memory has no room for; nil: ``defaultFolder(_:)``.
        package var folder: String?
        package var empty = Empty.refuse
        package var uncopied = Uncopied.refuse

        package init(page: Int) { self.page = page }

        package mutating func limit(_ rate: RecipeRate) {
            switch rate {
            case .documents(let count): documentsPerSecond = count
            case .bytes(let count): bytesPerSecond = count
            }
        }
    }

    /// Where `verify` keeps files unless the recipe names a folder: `$XDG_STATE_HOME/crossfade/<name>`, or else
    /// `~/.local/state/crossfade/<name>`. nil: neither variable is a path.
    package func defaultFolder(_ environment: [String: String]) -> String? {
        func path(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        guard let home = path("XDG_STATE_HOME") ?? path("HOME").map({ $0 + "/.local/state" }) else { return nil }
        return home + "/crossfade/" + name
    }

    /// Why `verify` will not be able to keep its files, as far as that can be told without making anything; nil: it
    /// will.
    package func folderTrouble(_ environment: [String: String]) -> String? {
        guard let path = verify.folder ?? defaultFolder(environment) else {
            return "`verify` will have no folder for its progress: name one in verify.folder, or set HOME"
        }
        // The folder itself, or the nearest one above it that is there: the rest is made.
        var place = URL(fileURLWithPath: path, isDirectory: true)
        while access(place.path, F_OK) != 0, errno == ENOENT || errno == ENOTDIR, place.path != "/" {
            place.deleteLastPathComponent()
        }
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder)
        let ending = "; name another in verify.folder"
        if isThere, !isFolder.boolValue {
            return "`verify` keeps its progress in \(path), and \(place.path) is a file" + ending
        }
        guard access(place.path, W_OK | X_OK) != 0 else { return nil }
        return "`verify` keeps its progress in \(path), and this user may not write to \(place.path): "
            + String(cString: strerror(errno)) + ending
    }
}

extension RecipeSchema {
    package static let verify = RecipeSection(
        title: "verify",
        keys: [
            RecipeKey(
                "ignore", paths, standard: "[]",
                "Fields that are not compared. What is equal only because of this is counted by field."),
            RecipeKey(
                "empty_array", .choice(Recipe.Verify.EmptyArray.allCases.map(\.rawValue)), standard: "distinct",
                "Whether an empty array is the same as no field (`absent`), as it is for searches."),
            RecipeKey("redact", paths, standard: "[]", "Fields whose values no receipt shows; they are compared."),
            RecipeKey(
                "sample", .integer(0...10_000), standard: "0",
                "Whole documents of both sides that the receipt holds, for people to read."),
            RecipeKey(
                "report_limit", .integer(1...10_000), standard: "100",
                "Examples of each kind of finding that the receipt holds. Totals are always exact."),
            RecipeKey(
                "rate", .words(["unlimited"], or: .list(.scalar(.rate))), standard: "unlimited",
                "Bounds the reading of each side: `5000/s`, `20MB/s`, or both in a list."),
            RecipeKey(
                "slices", .integer(1...1024),
                standardInWords: "one for each shard, more of shards with over 5,000,000 documents",
                "Parts of each index, of which two are read side by side; the units of resuming. More than shards cost "
                    + "the servers more."),
            RecipeKey("page", .integer(1...10_000), standardInWords: "`copy.page`", "Documents per page."),
            RecipeKey(
                "settle", .scalar(.duration), standard: "60s",
                "When no document has settled for so long, what is still open is reported as settling."),
            RecipeKey(
                "patience", .scalar(.duration), standard: "2m",
                "How long a cluster may give nothing of a part before that part counts as unread."),
            RecipeKey(
                "histogram", .scalar(.fieldPath), standardInWords: "the only one that both have",
                "A date field of both sides, by which documents are counted and drawn."),
            RecipeKey(
                "folder", .scalar(.nonEmpty), standardInWords: "`~/.local/state/crossfade/<name>`",
                "Where names of documents go that memory has no room for, and what resuming needs; relative to the "
                    + "recipe. `$XDG_STATE_HOME` stands for `~/.local/state`."),
            RecipeKey(
                "empty", .choice(Recipe.Verify.Empty.allCases.map(\.rawValue)), standard: "refuse",
                "What it means that there is nothing to compare: a verdict of its own, or that all is equal. Of single "
                    + "entries, `indices.empty` says it."),
            RecipeKey(
                "uncopied", .choice(Recipe.Verify.Uncopied.allCases.map(\.rawValue)), standard: "refuse",
                "What it means that documents of the old side cannot be copied: the verification is incomplete, or "
                    + "that is right (their dead letters are discarded)."),
        ])

    private static let paths = RecipeType.list(.scalar(.fieldPath), orOne: true, allowsEmpty: true)
}

extension RecipeBuilder {
    func verify(_ value: RecipeValue, copy: Recipe.CopyOptions) throws(Gap) -> Recipe.Verify {
        var options = Recipe.Verify(page: value["page"]?.integer.map { Int($0) } ?? copy.page)
        options.slices = value["slices"]?.integer.map { Int($0) }
        options.ignore = try paths(value, "ignore")
        options.redact = try paths(value, "redact")
        options.emptyArray = value["empty_array"]?.text.flatMap(Recipe.Verify.EmptyArray.init) ?? .distinct
        options.empty = value["empty"]?.text.flatMap(Recipe.Verify.Empty.init) ?? .refuse
        options.uncopied = value["uncopied"]?.text.flatMap(Recipe.Verify.Uncopied.init) ?? .refuse
        options.sample = try integer(value, "sample")
        options.reportLimit = try integer(value, "report_limit")
        options.settle = Int64(try integer(value, "settle"))
        options.patience = Int64(try integer(value, "patience"))
        options.histogram = try optionalPath(value, "histogram")
        options.folder = value["folder"]?.text.map { files.resolve($0) }
        for rate in (value["rate"]?.items ?? []).compactMap(\.text).compactMap(RecipeRate.init) {
            options.limit(rate)
        }
        return options
    }

    private func paths(_ value: RecipeValue, _ key: String) throws(Gap) -> [JSONPath] {
        try map(value[key]?.items ?? []) { item throws(Gap) in
            guard let path = RecipeSteps.path(item) else { throw Gap(mark: item.mark, key: key) }
            return path
        }
    }
}
