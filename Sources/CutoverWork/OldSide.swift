import Cutover
import Failures
import Foundation
import Runtime
import SearchCluster
import Telemetry

/// The old indices of one cluster, as the rollover has recorded them. They are deleted only if nobody can miss them.
final class OldSide {
    let places: [AliasMove.Place]
    /// What our own aliases begin with.
    let ownPrefix: String
    /// How long nobody may use them, in milliseconds.
    let quietFor: Int64
    let writer: TargetWriter
    let logger: Logger
    /// How they were used when they had been watched; empty: they were not yet.
    private var watched: [String: UseFigures] = [:]

    init(_ session: CutoverSession, _ moved: [AliasMove]) {
        places = moved.flatMap(\.from).reduce(into: []) { found, place in
            if !found.contains(where: { $0.index == place.index }) { found.append(place) }
        }
        ownPrefix = Turn.prefix(session.store.index)
        quietFor = session.recipe.cutover.quietFor
        (writer, logger) = (session.target.writer, session.logger)
    }

    /// Those that are still there. Throws if one is another index than the one that the readers left.
    func present() throws -> [AliasMove.Place] {
        try places.filter { place in
            guard let now = try writer.indexUUID(place.index) else { return false }
            guard let uuid = place.uuid, uuid == now else {
                throw WorkError(
                    .refused,
                    "\(place.index) is not the index that the readers left (its UUID is \(now)): it was made again, "
                        + "and stays")
            }
            return true
        }
    }

    /// Why they must not be deleted now; empty: nothing speaks against it.
    func objections() throws -> [String] {
        var found: [String] = []
        for place in try present() {
            let foreign = try writer.aliases(of: place.index).keys.filter { !$0.hasPrefix(ownPrefix) }.sorted()
            if !foreign.isEmpty {
                found.append(
                    "alias \(foreign.joined(separator: ", ")) stands on \(place.index): something may read or write "
                        + "there")
            }
            let now = try writer.use(of: place.index)
            if now.open > 0 { found.append(Self.isOpen(place.index, now)) }
            if let change = watched[place.index].flatMap({ now.change(since: $0) }) {
                found.append("\(place.index) is in use again: \(change)")
            }
        }
        return found
    }

    /// Watches them for `quietFor`. Returns why they are not still; nil: nobody has used them.
    func watch() throws -> String? {
        let present = try present()
        let before = try figures(present)
        let deadline = MonotonicClock.milliseconds() + quietFor
        logger.info(
            "watching whether somebody uses the old indices",
            ["indices": present.map(\.index).joined(separator: ","), "seconds": quietFor / 1000])
        repeat {
            let left = deadline - MonotonicClock.milliseconds()
            Thread.sleep(forTimeInterval: Double(min(1000, max(0, left))) / 1000)
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted while the old indices were watched; they are still there")
            }
            for (index, now) in try figures(present) {
                if now.open > 0 { return Self.isOpen(index, now) }
                if let change = before[index].flatMap({ now.change(since: $0) }) {
                    return "\(index) is still in use: \(change) while it was watched"
                }
            }
        } while MonotonicClock.milliseconds() < deadline
        watched = before
        return nil
    }

    private static func isOpen(_ index: String, _ use: UseFigures) -> String {
        "\(index) has \(use.open) open searches or scrolls"
    }

    private func figures(_ places: [AliasMove.Place]) throws -> [String: UseFigures] {
        var found: [String: UseFigures] = [:]
        for place in places { found[place.index] = try writer.use(of: place.index) }
        return found
    }
}
