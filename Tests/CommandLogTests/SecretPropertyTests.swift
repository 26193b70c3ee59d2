import CLibrdkafka
import Foundation
import Testing

@testable import CommandLog

struct SecretPropertyTests {
    /// All properties of librdkafka with their descriptions, as `rd_kafka_conf_properties_show` prints them.
    private static let properties: [(name: String, about: String)] = {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("crossfade-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard let file = fopen(path, "w") else { return [] }
        rd_kafka_conf_properties_show(file)
        fclose(file)
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "|", maxSplits: 5, omittingEmptySubsequences: false)
            guard columns.count == 6 else { return nil }
            return (columns[0].trimmingCharacters(in: .whitespaces), String(columns[5]))
        }
    }()

    /// What a stranger could log in with.
    @Test func librdkafkasSecretsAreKnown() {
        let names = Set(Self.properties.map(\.name))
        let secret = [
            "sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password",
            "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "sasl.kerberos.kinit.cmd",
        ]
        for name in secret {
            #expect(names.contains(name), "librdkafka does not know \(name)")
            #expect(SecretProperties.contains(name), "\(name)")
        }
    }

    /// A later librdkafka may have secrets that nobody has thought of: their descriptions say what they are.
    @Test func aPropertyThatLooksSecretIsSecret() {
        #expect(Self.properties.count > 100)
        let words = ["password", "passphrase", "secret", "private key string", "credential"]
        // This one only mentions a secret that stands elsewhere.
        let known = ["sasl.oauthbearer.method"]
        for (name, about) in Self.properties where words.contains(where: { about.lowercased().contains($0) }) {
            #expect(SecretProperties.contains(name) || known.contains(name), "\(name): \(about)")
        }
    }

    @Test func whichSettingsAreSecret() {
        let secret = [
            "sasl.password", "SASL.PASSWORD", "sasl.username", "ssl.key.password", "ssl.key.pem", "ssl.ca.pem",
            "ssl.keystore.location", "sasl.oauthbearer.config", "sasl.oauthbearer.client.secret", "sasl.jaas.config",
            "sasl.oauthbearer.token.endpoint.url", "some.credentials",
        ]
        for name in secret { #expect(SecretProperties.contains(name), "\(name)") }
        for name in ["client.id", "security.protocol", "ssl.key.location", "fetch.max.bytes", "sasl.mechanisms"] {
            #expect(!SecretProperties.contains(name), "\(name)")
        }
    }
}
