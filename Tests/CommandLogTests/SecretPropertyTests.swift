import Synchronization
import Testing

@testable import CommandLog

struct SecretPropertyTests {
    /// `plan -v` showed what came from a variable in librdkafka's warnings of its configuration.
    @Test func noValueIsInAWarningOfTheConfiguration() {
        let settings = KafkaSettings(bootstrap: "b", group: "g", passthrough: ["sasl.mechanisms": "from-a-variable"])
        let lines = Mutex<[String]>([])
        let context = HandleContext(settings: settings) { line in lines.withLock { $0.append(line.text) } }
        context.log(5, "CONFWARN", "Configuration property `sasl.mechanisms` set to `from-a-variable` but SASL is off")
        #expect(
            lines.withLock { $0 } == ["Configuration property `sasl.mechanisms` set to `<redacted>` but SASL is off"])
    }

    /// What a stranger could log in with.
    @Test func librdkafkasSecretsAreKnown() {
        let names = Set(LibraryProperties.all.map(\.name))
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
        #expect(LibraryProperties.all.count > 100)
        let words = ["password", "passphrase", "secret", "private key string", "credential"]
        // This one only mentions a secret that stands elsewhere.
        let known = ["sasl.oauthbearer.method"]
        for (name, about) in LibraryProperties.all where words.contains(where: { about.lowercased().contains($0) }) {
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
