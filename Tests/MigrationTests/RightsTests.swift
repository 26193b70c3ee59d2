import Foundation
import JSONText
@testable import Planning
@testable import Recipe
import SearchCluster
import Testing

/// What the users that a recipe names must be allowed to do, and what is said when they are not.
@Suite struct RightsTests {
    private func recipe(_ more: String = "") throws -> Recipe {
        let text = """
            name: small
            commands: { bootstrap: "b:1", topic: t, format: document }
            source: { url: "http://old:9200" }
            target: { url: "http://new:9200" }
            indices: [ { from: "a,b-*", to: n, alias: readers } ]

            """ + more
        return try RecipeLoader.load(text: Array(text.utf8), path: "r.yaml", environment: [:])
    }

    private func look(_ names: [String], on: String?, _ stage: Rights.Stage) -> RightsLook {
        var look = RightsLook()
        look.count = 9
        look.lacking = [(Rights(.target, names, on: on, [stage], "a purpose"), names)]
        return look
    }

    @Test func theSourceIsOnlyRead() throws {
        for isOneCluster in [false, true] {
            let rights = Rights.all(of: try recipe(), nil, isOneCluster: isOneCluster)
            let names = Set(rights.filter { $0.side == .source }.flatMap(\.names))
            #expect(names == ["monitor", "read", "view_index_metadata", "maintenance"])
            #expect(rights.contains { $0.side == .target && $0.on == "b-*" } == isOneCluster)
        }
    }

    @Test func eachNameOfFromIsAskedForAlone() throws {
        let places = Rights.all(of: try recipe(), nil, isOneCluster: false).compactMap(\.on)
        #expect(Set(places) == ["a", "b-*", "n", "n-crossfade-*", "readers", ".crossfade-small*"])
    }

    @Test func whatTheWorkNeedsRefusesAndWhatComesLaterWarns() throws {
        let recipe = try recipe()
        let work = RightsRail.judge(recipe, look(["write"], on: "n", .work), nil)
        #expect(work.map(\.verdict) == [.refused])
        #expect(work[0].detail.contains("write on n of the target (a purpose)"), "\(work[0].detail)")
        #expect(work[0].answered(by: recipe).detail.contains("accept: [{ rail: rights"))
        for stage in [Rights.Stage.rollover, .finish, .deleteOld, .comfort] {
            let later = RightsRail.judge(recipe, look(["manage"], on: "readers", stage), nil)
            #expect(later.map(\.verdict) == [.warn], "\(stage)")
        }
    }

    @Test func whatCannotBeAskedIsSaid() throws {
        var unknown = RightsLook()
        unknown.unknown = ["the target cannot be asked: why"]
        let rails = RightsRail.judge(try recipe(), unknown, nil)
        #expect(rails.map(\.verdict) == [.warn] && rails[0].detail.contains("cannot be asked: why"))
        var open = RightsLook()
        open.unchecked = ["source", "target"]
        let ok = RightsRail.judge(try recipe(), open, LogRights(unasked: "Kafka cannot be asked"))
        #expect(ok.map(\.verdict) == [.ok])
        #expect(ok[0].detail == "the source and the target check no privileges; Kafka cannot be asked")
    }

    @Test func kafkaRefusesWhereFollowCouldNotWork() throws {
        let rails = RightsRail.judge(
            try recipe(), RightsLook(), LogRights(lacking: "READ on group g", wished: "CREATE on topic d"))
        #expect(rails.map(\.verdict) == [.refused, .warn])
    }

    /// Without names nobody can be allowed more than another.
    @Test func onlyBrokersThatLearnWhoWeAreCanRefuse() throws {
        #expect(try !recipe().kafkaSettings.namesUser)
        var settings = try recipe().kafkaSettings
        settings.passthrough["security.protocol"] = "SASL_SSL"
        #expect(settings.namesUser)
        settings.passthrough["security.protocol"] = "SSL"
        #expect(!settings.namesUser)
        settings.passthrough["ssl.keystore.location"] = "k"
        #expect(settings.namesUser)
    }
}
