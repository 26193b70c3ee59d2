import Testing

@testable import CommandLog

@Suite struct SettingsTests {
    func faults(_ passthrough: [String: String]) -> [(key: String, message: String)] {
        KafkaSettings(bootstrap: "b", group: "g", passthrough: passthrough).validate()
    }

    @Test func goodPropertiesPass() {
        let good = [
            "security.protocol": "SASL_SSL", "sasl.mechanisms": "PLAIN", "sasl.username": "me", "sasl.password": "x",
            "session.timeout.ms": "9000", "isolation.level": "read_uncommitted", "client.id": "mine",
            "group.instance.id": "pod-1", "fetch.max.bytes": "1000000",
        ]
        #expect(faults(good).isEmpty)
    }

    @Test func unknownPropertyNamesItsNeighbour() throws {
        let found = try #require(faults(["sesion.timeout.ms": "1"]).first)
        #expect(found.key == "sesion.timeout.ms")
        #expect(found.message.contains("did you mean session.timeout.ms?"))
        #expect(faults(["sasl.pasword": "1"]).first?.message.contains("sasl.password") == true)
        #expect(faults(["quite.something.else": "1"]).first?.message.contains("did you mean") == false)
    }

    @Test func ownedPropertiesAreRefused() {
        for name in ["group.id", "enable.auto.commit", "auto.offset.reset", "bootstrap.servers"] {
            #expect(KafkaSettings.owned.contains(name))
            #expect(faults([name: "x"]).first?.message.contains("belongs to Crossfade") == true)
        }
        #expect(KafkaSettings.owned.isDisjoint(with: KafkaSettings.propertyNames))
    }

    @Test func cooperativeAssignmentNeedsALibraryThatCanDoIt() {
        let name = "partition.assignment.strategy"
        var settings = KafkaSettings(bootstrap: "b", group: "g", passthrough: [name: "cooperative-sticky"])
        settings.allowsCooperative = false
        #expect(settings.validate().first?.message.contains("2.10") == true)
        settings.allowsCooperative = true
        #expect(settings.validate().isEmpty)
        #expect(faults([name: "roundrobin"]).isEmpty)
    }

    @Test func badValueIsRefusedWithoutASecret() {
        #expect(faults(["session.timeout.ms": "soon"]).count == 1)
        #expect(faults(["security.protocol": "carrier_pigeon"]).count == 1)
        #expect(faults(["ssl.key.pem": ""]).allSatisfy { !$0.message.contains("hunter2") })
        let settings = KafkaSettings(
            bootstrap: "b", group: "g", passthrough: ["sasl.password": "hunter2", "session.timeout.ms": "soon"])
        #expect(!"\(settings)".contains("hunter2"))
        #expect(
            settings.redact("value \"hunter2\", sasl.password=hunter2 b")
                == "value \"<redacted>\", sasl.password=<redacted> b")
        var short = settings
        short.passthrough["sasl.password"] = "a"
        #expect(short.redact("a broker said \"a\"") == "a broker said \"<redacted>\"")
        #expect(failure { _ = try LogAdmin(settings: settings) }?.code == .invalidSetting)
    }
}
