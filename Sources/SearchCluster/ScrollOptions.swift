import JSONText

/// How a slice is read.
package struct ScrollOptions: Sendable {
    /// Documents per page, from 1 to 10,000.
    package var pageSize: Int
    /// Only the documents that it matches; nil: all.
    package var query: JSONValue?
    /// How long the server keeps the scroll between two pages.
    package var keepAlive = ScrollOptions.keepAlive
    /// False: hits have no documents, only what names them. ``ClusterReader/fetch(_:of:answerBytes:told:)`` gets these.
    package var withSources = true
    /// False: hits have no `_version`, which a server looks up for each.
    package var withVersions = true
    /// Whether each page is asked for before the one before it is used. It takes the memory of one page more, and for
    /// a moment of two.
    package var readsAhead = false
    /// The most bytes of a page; nil: what the transport takes.
    package var answerBytes: Int?

    package static let keepAlive = "10m"

    package init(pageSize: Int, query: JSONValue? = nil) {
        self.pageSize = min(max(pageSize, 1), 10_000)
        self.query = query
    }
}

/// What a source allows to those who read it.
extension ClusterReader {
    /// ``ScrollOptions/keepAlive``, or less where `search.max_keep_alive` is less. A server that knows no such setting,
    /// or does not tell it, has the usual one.
    package func keepAlive() -> String {
        guard capabilities.slicing == .slicedScroll,
            let answer = try? transport.tree(.clusterSettings, timeoutSeconds: 10, doing: "asking for the settings")
        else { return ScrollOptions.keepAlive }
        let longest = ["transient", "persistent", "defaults"].lazy.compactMap {
            answer[$0]?["search"]?["max_keep_alive"]?.string
        }.first
        guard let longest, let limit = Self.milliseconds(longest), limit > 0, limit < 600_000 else {
            return ScrollOptions.keepAlive
        }
        return longest
    }

    /// A time as servers write it: `5m`, `90s`.
    static func milliseconds(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isNumber }
        guard let number = OutsideNumber.count(text: digits) else { return nil }
        let factor: Int64? =
            switch text.dropFirst(digits.count) {
            case "ms": 1
            case "s": 1000
            case "m": 60_000
            case "h": 3_600_000
            case "d": 86_400_000
            default: nil
            }
        guard let factor else { return nil }
        let product = number.multipliedReportingOverflow(by: factor)
        return product.overflow ? nil : product.partialValue
    }
}

extension IndexInfo {
    /// The most documents that one page may have, of a search or of a scroll.
    package var maximumPage: Int { max(1, limit("max_result_window", 10_000)) }

    /// The most slices that a scroll may have.
    package var maximumSlices: Int { max(1, limit("max_slices_per_scroll", ClusterReader.maximumSlices)) }

    /// The most documents of a shard that are read as one slice where no number of slices is wanted: some minutes'
    /// work, which a reader that was killed does again.
    private static let documentsPerSlice: Int64 = 5_000_000

    /// Slices that cost the servers least: one for each shard, or several where a shard is so large that a reader that
    /// was killed should not begin it anew.
    package var cheapSlices: Int {
        // `shards` is at most 16,384: see ``IndexInfo``.
        let atOnce = Int64(shards) * Self.documentsPerSlice
        let times = max(1, (max(documentCount, 1) - 1) / atOnce + 1)
        return shards * Int(min(times, Int64(ClusterReader.maximumSlices)))
    }

    private func limit(_ name: String, _ usual: Int) -> Int {
        let setting = settings["index"]?[name]
        return setting?.string.flatMap { OutsideNumber.size(text: $0) } ?? setting?.size ?? usual
    }
}
