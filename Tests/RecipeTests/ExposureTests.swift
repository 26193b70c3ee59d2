import CommandLog
import Foundation
import Glibc
@testable import Recipe
import Planning
import Testing

/// What a recipe lets others on the network do, and what it lets Kafka's library run.
@Suite struct ExposureTests {
    private func exposures(_ changes: [String: String]) throws -> [String] {
        RecipeText.exposures(try Reading.load(Reading.small(changes)))
    }

    @Test func credentialsOverPlainHTTPAndUncheckedCertificatesAreTold() throws {
        let auth = "auth: { user: u, password: p }"
        for (target, words) in [
            ("{ url: http://new:9200, \(auth) }", "target.auth goes over plain http"),
            ("{ url: http://127.evil.example:9200, \(auth) }", "target.auth goes over plain http"),
            ("{ urls: [https://a, http://b], auth: { api_key: k } }", "target.auth goes over plain http"),
            ("{ url: https://new:9200, verify_tls: false }", "target.verify_tls is false"),
        ] {
            let found = try exposures(["target": "target: \(target)"])
            #expect(found.count == 1 && found[0].hasPrefix(words), "\(target): \(found)")
        }
        for target in [
            "{ url: http://new:9200 }", "{ url: https://new:9200, \(auth) }",
            "{ url: http://localhost:9200, \(auth) }",
            "{ url: http://127.0.0.1:9200, \(auth) }", "{ url: \"http://[::1]:9200\", \(auth) }",
            "{ url: https://localhost:9200, verify_tls: false }",
        ] {
            #expect(try exposures(["target": "target: \(target)"]) == [], "\(target)")
        }
    }

    @Test func brokersAreLookedAtToo() throws {
        func kafka(_ bootstrap: String, _ properties: String) throws -> [String] {
            try exposures([
                "commands":
                    "commands: { bootstrap: \"\(bootstrap)\", topic: t, format: document, kafka: { \(properties) } }"
            ])
        }
        let plain = "security.protocol: SASL_PLAINTEXT, sasl.mechanism: PLAIN, sasl.username: u, sasl.password: p"
        #expect(try kafka("kafka:9092", plain).count == 1)
        #expect(try kafka("127.0.0.1:9092,kafka:9092", plain).count == 1)
        #expect(try kafka("127.0.0.1:9092", plain) == [])
        #expect(try kafka("kafka:9092", plain.replacing("PLAIN,", with: "SCRAM-SHA-512,")) == [])
        let unchecked = "security.protocol: SSL, enable.ssl.certificate.verification: \"false\""
        #expect(try kafka("kafka:9092", unchecked).count == 1)
        #expect(
            try kafka("kafka:9092", "security.protocol: ssl, ssl.endpoint.identification.algorithm: none").count == 1)
    }

    /// `sasl.kerberos.kinit.cmd: "touch x"` ran during `plan`.
    @Test(arguments: [
        ("sasl.kerberos.kinit.cmd", "touch x"), ("ssl.engine.location", "/tmp/x.so"), ("ssl.providers", "x"),
        ("sasl.kerberos.keytab", "x\\\"; touch x; \\\""), ("sasl.kerberos.principal", "$(touch x)"),
    ])
    func propertiesThatRunOrLoadSomethingAreRefusedUnlessAllowed(_ name: String, _ value: String) throws {
        func errors(_ allow: String) -> String {
            let text = Reading.small([
                "commands":
                    "commands: { bootstrap: b, topic: t, format: document, \(allow)kafka: { \(name): \"\(value)\" } }"
            ])
            return Reading.errors(text).joined(separator: "\n")
        }
        #expect(errors("").contains("commands.allow_exec: true"), "\(errors(""))")
        #expect(!errors("allow_exec: true, ").contains("allow_exec"), "\(errors("allow_exec: true, "))")
    }

    @Test func aKeytabAndAPrincipalNeedNoPermission() {
        let plain = ["sasl.kerberos.keytab": "/etc/krb5.keytab", "sasl.kerberos.principal": "app/host-1@EXAMPLE.ORG"]
        #expect(KafkaSettings(bootstrap: "b", group: "g", passthrough: plain).executing == [:])
    }

    /// How a server is reached is no part of the work: a state that was confirmed stays confirmed.
    @Test func permissionsAndProxiesDoNotChangeTheWork() throws {
        let plain = Reading.small()
        let changed = Reading.small(["target": "target: { url: http://new:9200, proxy: http://proxy:3128 }"])
            .replacing("topic: orders", with: "topic: orders\n  allow_exec: true")
        #expect(try Survey.meaning(Reading.load(plain)) == Survey.meaning(Reading.load(changed)))
        #expect(try Survey.meaning(Reading.load(plain))["commands"]?["allow_exec"] == nil)
    }

    /// The limit of 1 byte: no file, and no dump for a collector, which a limit of 0 does not keep from it.
    @Test func aCrashLeavesNoCoreDump() {
        ProcessMemory.keepOutOfCoreDumps()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0 && limit.rlim_cur <= 1)
    }
}
