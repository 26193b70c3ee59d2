import Basics
import CLibrdkafka
import Telemetry

/// How to reach the command log: the section `commands` of the recipe.
package struct KafkaSettings: Sendable, CustomStringConvertible {
    /// `host:port`, several separated by commas.
    package var bootstrap: String
    /// The consumer group of Crossfade.
    package var group: String
    /// librdkafka's own properties. A value may be a secret; none is printed.
    package var passthrough: [String: String]
    /// The most bytes that a consumer prefetches, without one fetch response per broker. The property
    /// `queued.max.messages.kbytes` of the recipe goes before it.
    package var prefetchedBytes = 8 << 20
    /// The most bytes of one fetch response. A single batch may be larger. The property `fetch.max.bytes` of the recipe
    /// goes before it.
    package var fetchBytes = 8 << 20

    package init(bootstrap: String, group: String, passthrough: [String: String] = [:]) {
        (self.bootstrap, self.group, self.passthrough) = (bootstrap, group, passthrough)
    }

    /// Whether the brokers learn who we are: only then can they allow one user more than another.
    package var namesUser: Bool {
        let `protocol` = passthrough["security.protocol"]?.uppercased() ?? "PLAINTEXT"
        return `protocol`.hasPrefix("SASL")
            || (`protocol` == "SSL" && passthrough.keys.contains { $0.hasPrefix("ssl.key") })
    }

    /// The same for a client that is not a member of the group. An instance id would make it one.
    var withoutMembership: KafkaSettings {
        var settings = self
        settings.passthrough["group.instance.id"] = nil
        return settings
    }

    /// Whether cooperative assignment is safe. Before 2.10 librdkafka loses records with it.
    var allowsCooperative = rd_kafka_version() >= 0x020a_00ff

    /// Properties that a recipe may not set, because Crossfade sets them, each with the reason.
    static let ownership: [String: String] = [
        "bootstrap.servers": "say it as commands.bootstrap", "metadata.broker.list": "say it as commands.bootstrap",
        "group.id": "say it as commands.group",
        "enable.auto.commit": "offsets are committed when their records are applied, never before",
        "auto.commit.enable": "offsets are committed when their records are applied, never before",
        "enable.auto.offset.store": "offsets are committed when their records are applied, never before",
        "auto.commit.interval.ms": "offsets are committed when their records are applied, never before",
        "auto.offset.reset": "say it as replay.from; a start that is gone must be an error",
        "enable.partition.eof": "the end of a partition is how a replay knows that it is done",
        "enable.idempotence": "dead letters are written idempotently", "acks": "a dead letter needs every replica",
        "request.required.acks": "a dead letter needs every replica",
        "transactional.id": "Crossfade writes no transactions",
        "consume.callback.max.messages": "records are taken in batches", "log.queue": "logs go to Crossfade's own",
        "test.mock.num.brokers": "it replaces the brokers by a simulation",
        "plugin.library.paths": "it loads foreign code", "allow.auto.create.topics": "a missing topic is an error",
        "offset.store.method": "offsets are kept by the group, never in a file",
        "offset.store.path": "offsets are kept by the group, never in a file",
        "offset.store.sync.interval.ms": "offsets are kept by the group, never in a file",
        "internal.termination.signal": "it could end the process", "enabled_events": "events go to Crossfade's own",
    ]

    /// Properties that make librdkafka run a program or load code, each with what it does.
    private static let executingNames: [String: String] = [
        "sasl.kerberos.kinit.cmd": "runs a program", "ssl.engine.location": "loads foreign code",
        "ssl.providers": "loads foreign code",
    ]

    /// The properties that are set and make librdkafka run a program or load code of somebody's choice, with what they
    /// do.
    package var executing: [String: String] {
        var found = Self.executingNames.filter { passthrough[$0.key] != nil }
        // The library puts these into the command line of kinit, which a shell reads.
        for name in ["sasl.kerberos.keytab", "sasl.kerberos.principal", "sasl.kerberos.service.name"] {
            let isPlain = passthrough[name]?.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "._-/@".utf8.contains(byte)
            }
            if isPlain == false { found[name] = "has characters that the shell would obey when kinit is run" }
        }
        return found
    }

    /// Whether the property `name` names a file, or a folder, with this value.
    package static func namesFile(_ name: String, _ value: String) -> Bool {
        // The library's own word for what it finds by itself.
        if name == "ssl.ca.location", value == "probe" { return false }
        return !value.isEmpty && fileNames.contains(name)
    }

    // Not `sasl.kerberos.keytab`: a shell reads its value, and the folder's name would come with it.
    private static let fileNames: Set<String> = [
        "ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.crl.location", "ssl.keystore.location",
    ]

    /// The names of the properties that a recipe may not set.
    package static let owned: Set<String> = Set(ownership.keys)

    /// The faults of the passthrough properties, by name. No message repeats a value.
    package func validate() -> [(key: String, message: String)] {
        let names = Self.propertyNames
        return passthrough.keys.sorted().compactMap { key in
            if let why = Self.ownership[key] { return (key, "\(key) belongs to Crossfade: \(why)") }
            if key == "partition.assignment.strategy", passthrough[key]?.contains("cooperative") == true,
                !allowsCooperative
            {
                return (
                    key,
                    "\(key) cannot be cooperative: librdkafka \(Self.version) loses records with it, 2.10 is the first "
                        + "that does not; leave it out, or take range or roundrobin"
                )
            }
            guard let conf = rd_kafka_conf_new() else { return nil }
            defer { rd_kafka_conf_destroy(conf) }
            var text = ErrorText()
            switch rd_kafka_conf_set(conf, key, passthrough[key] ?? "", &text.bytes, text.bytes.count) {
            case RD_KAFKA_CONF_OK: return nil
            case RD_KAFKA_CONF_UNKNOWN:
                let hint = NearestWord.to(key, among: names).map { "; did you mean \($0)?" } ?? ""
                return (key, "librdkafka \(Self.version) knows no property \(key)\(hint)")
            default:
                return (key, "\(key) cannot have this value: \(redact(text.string))")
            }
        } + fileAddresses.map { ($0, "\($0) must begin with http:// or https://: a file is no token endpoint") }
    }

    /// The properties that name an address to fetch from, and say something else than one of HTTP. The library gives
    /// them to curl, which reads files too.
    private var fileAddresses: [String] {
        passthrough.keys.filter { $0.hasSuffix(".url") }.sorted().filter { key in
            let value = passthrough[key]?.lowercased() ?? ""
            return !value.hasPrefix("https://") && !value.hasPrefix("http://")
        }
    }

    /// librdkafka's version, for instance `2.0.2`.
    package static var version: String { String(cString: rd_kafka_version_str()) }

    /// The names of all properties that this librdkafka knows and a recipe may set, sorted.
    package static let propertyNames: [String] = {
        guard let conf = rd_kafka_conf_new() else { return [] }
        defer { rd_kafka_conf_destroy(conf) }
        guard let topic = rd_kafka_topic_conf_new() else { return [] }
        defer { rd_kafka_topic_conf_destroy(topic) }
        var names = Set<String>()
        for global in [true, false] {
            var count = 0
            guard let dump = global ? rd_kafka_conf_dump(conf, &count) : rd_kafka_topic_conf_dump(topic, &count)
            else { continue }
            for at in stride(from: 0, to: count, by: 2) {
                if let name = dump[at] { names.insert(String(cString: name)) }
            }
            rd_kafka_conf_dump_free(dump, count)
        }
        // The dump leaves out properties without a value. These are the ones that recipes need.
        names.formUnion([
            "sasl.username", "sasl.password", "sasl.mechanisms", "sasl.mechanism", "ssl.ca.location",
            "ssl.certificate.location", "ssl.certificate.pem", "ssl.key.location", "ssl.key.pem", "ssl.key.password",
            "ssl.ca.pem", "ssl.cipher.suites", "ssl.curves.list", "ssl.sigalgs.list", "ssl.crl.location",
            "ssl.keystore.location", "ssl.keystore.password", "ssl.engine.id", "debug", "client.rack",
            "group.instance.id", "sasl.kerberos.keytab", "sasl.oauthbearer.config", "sasl.oauthbearer.client.id",
            "sasl.oauthbearer.client.secret", "sasl.oauthbearer.token.endpoint.url", "sasl.oauthbearer.scope",
            "sasl.oauthbearer.extensions", "security.protocol",
        ])
        return names.subtracting(owned).filter { !$0.hasSuffix("_cb") && $0 != "opaque" }.sorted()
    }()

    package var description: String {
        let keys = passthrough.keys.sorted().joined(separator: ", ")
        return "KafkaSettings(bootstrap: \(bootstrap), group: \(group), passthrough: [\(keys)])"
    }

    /// `text` without the value of any property.
    func redactAll(_ text: String) -> String { Redactor(passthrough.values).redact(text) }

    /// `text` without the values of secret properties.
    func redact(_ text: String) -> String {
        Redactor(passthrough.filter { SecretProperties.contains($0.key) }.values).redact(text)
    }
}
