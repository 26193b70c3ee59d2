import Basics
import Failures
import Foundation
import Runtime
import SearchCluster
import State
import Telemetry

/// Looks for members that live, and waits until that is known.
package struct LiveMembers {
    private let directory: MemberDirectory
    private let logger: Logger

    package init(_ store: StateStore, target: Cluster, logger: Logger) {
        directory = MemberDirectory(store, target: target)
        self.logger = logger
    }

    /// The live members that `matters` chooses; this process is none of them.
    ///
    /// - Parameter holders: those of ``MigrationState/Fence/holders``, by command: one may not have reported yet.
    package func find(
        holders: [String: MigrationState.Holder], _ matters: (MemberReport) -> Bool
    ) throws -> [MemberReport] {
        var watch = MemberWatch()
        var isTold = false
        while true {
            var reports = try directory.read()
            for (command, holder) in holders where !reports.contains(where: { $0.member == holder.member }) {
                reports.append(MemberReport(holder, command: command))
            }
            reports = reports.filter { !$0.isOwn && matters($0) }
            let verdict = watch.look(
                reports, fate: { $0.process?.fate ?? .unknown }, wall: WallClock.now(),
                now: MonotonicClock.milliseconds())
            switch verdict {
            case .alive(let members): return members
            case .none: return []
            case .unknown:
                if !isTold, let one = reports.first {
                    logger.info(
                        "a member is listed; looking whether it lives", ["member": one.words(now: WallClock.now())])
                    isTold = true
                }
                guard !StopSignal.isAsked else {
                    throw WorkError(.interrupted, "interrupted before anything was changed")
                }
                Thread.sleep(forTimeInterval: 0.25)
            }
        }
    }
}

extension LiveMembers {
    /// All live members of the migration, in words; `state` knows of those that have not reported yet.
    package func words(of state: MigrationState) throws -> [String] {
        let alive = try find(holders: state.fence.holders) { _ in true }
        let now = WallClock.now()
        return alive.map { $0.words(now: now) }
    }
}

/// The claim of this process to a piece of work that only one process does at a time.
package struct WorkClaim {
    private let command: String
    private let migration: String
    /// Who had it and has ended; nil: nobody had.
    private let former: MigrationState.Holder?

    /// Throws when another process does this work.
    package init(_ command: String, _ prepared: Preflight, logger: Logger) throws {
        (self.command, migration) = (command, prepared.recipe.name)
        let store = prepared.store
        let holders = try store.load()?.fence.holders ?? [:]
        former = holders[command]
        let alive = try LiveMembers(store, target: prepared.survey.target, logger: logger)
            .find(holders: holders) { $0.command == command }
        guard let one = alive.first else { return }
        throw Refusal.workIsHeld(command, migration: migration, holder: one.words(now: WallClock.now())).error()
    }

    /// Takes it. Throws when another process has taken it meanwhile.
    package func take(_ state: inout MigrationState) throws(WorkError) {
        if let end = state.cutover.end {
            throw WorkError(.refused, "migration \(migration) was \(end.rawValue) meanwhile")
        }
        if let holder = state.fence.holders[command], holder != former, holder.member != MemberReport.own {
            let words = MemberReport(holder, command: command).words(now: WallClock.now())
            throw Refusal.workIsHeld(command, migration: migration, holder: words).error()
        }
        state.fence.holders[command] = .own(since: WallClock.now())
    }

    /// Gives it back at the end, whatever the end was. Where that fails, others find out that this process has ended.
    package func giveBack(_ store: StateStore) {
        _ = try? store.updateIfReachable {
            if $0.fence.holders[command]?.member == MemberReport.own { $0.fence.holders[command] = nil }
        }
    }
}

extension Preflight {
    /// Throws when processes do the work that `state` says, so that no other may be confirmed.
    package func refuseLiveMembers(_ state: MigrationState, logger: Logger) throws {
        let alive = try LiveMembers(store, target: survey.target, logger: logger).words(of: state)
        if !alive.isEmpty { throw Refusal.membersLive(migration: recipe.name, members: alive).error() }
    }
}

extension MemberReport {
    /// A process that has not reported yet.
    init(_ holder: MigrationState.Holder, command: String) {
        self.init(
            member: holder.member, command: command, host: holder.by.host, pid: holder.process.pid,
            started: holder.since, updated: holder.since)
        process = holder.process
    }

    /// `follow on worker-1, process 4711, since 2026-11-29T10:00:00Z, heard of 3 s ago`.
    package func words(now: Int64) -> String {
        "\(command) on \(host), process \(pid), since \(ISOTime.text(started)), heard of \(age(now: now)) s ago"
    }
}
