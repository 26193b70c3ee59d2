import Testing

@testable import CommandLog

/// What a recipe can make librdkafka do outside its connections: run a program, load code, touch a file, fetch from an
/// address, send a signal.
struct ReachingPropertyTests {
    /// Properties that reach outside and are allowed, each with the reason.
    static let allowed: [String: String] = [
        "ssl.ca.location": "TLS needs it; the file is only read, and nothing of it is shown",
        "ssl.certificate.location": "TLS needs it; the file is only read, and nothing of it is shown",
        "ssl.key.location": "TLS needs it; the file is only read, and nothing of it is shown",
        "ssl.crl.location": "TLS needs it; the file is only read, and nothing of it is shown",
        "ssl.keystore.location": "TLS needs it; the file is only read, and nothing of it is shown",
        "sasl.oauthbearer.token.endpoint.url": "only addresses of HTTP",
        // allowed only with plain characters: `KafkaSettings.executing`
        "sasl.kerberos.keytab": "it names a file that only kinit reads",
        "sasl.kerberos.principal": "a word of kinit's command line", "sasl.kerberos.service.name": "a name",
        "debug": "it adds lines to our own log, where secrets are taken out",
        "log_level": "it adds lines to our own log, where secrets are taken out",
        "ssl.engine.id": "it means something only beside ssl.engine.location, which is refused",
    ]

    /// Their descriptions only speak of such things.
    static let harmless: Set<String> = [
        "ssl.ca.certificate.stores", "sasl.oauthbearer.method", "builtin.features", "ssl.key.password",
        "ssl.keystore.password", "log.queue", "log.thread.name", "log.connection.close", "api.version.request",
        "api.version.request.timeout.ms", "broker.version.fallback", "ssl.key.pem", "ssl.certificate.pem",
        "ssl.endpoint.identification.algorithm",
    ]

    static let marks = [
        "file", "path", "url", " uri ", "directory", "program", "shell", "execut", "librar", "load", "command",
        "engine", "provider", "plugin", "kinit", "location", "signal", "dlopen", "keytab", "syslog", "endpoint",
    ]

    /// A later librdkafka may have properties that nobody has thought of: their names and descriptions say what they
    /// reach.
    @Test func everyPropertyThatReachesOutsideIsRefusedOrAllowedWithAReason() {
        var met = Set<String>()
        for (name, about) in LibraryProperties.all {
            let text = "\(name) \(about)".lowercased()
            guard Self.marks.contains(where: text.contains) else { continue }
            met.insert(name)
            let isRefused = KafkaSettings.owned.contains(name) || isExecuting(name) || about.contains("dedicated API")
            let isAllowed = Self.allowed[name] != nil || Self.harmless.contains(name)
            #expect(isRefused || isAllowed, "\(name) is neither refused nor allowed: \(about)")
        }
        #expect(met.count > 20 && met.isSuperset(of: ["plugin.library.paths", "ssl.engine.location", "ssl.providers"]))
    }

    @Test(arguments: [
        "sasl.kerberos.kinit.cmd", "ssl.engine.location", "ssl.providers", "plugin.library.paths",
        "offset.store.method", "offset.store.path", "internal.termination.signal",
    ])
    func whatRunsLoadsOrWritesIsRefused(_ name: String) {
        #expect(LibraryProperties.all.contains { $0.name == name }, "librdkafka does not know \(name)")
        #expect(KafkaSettings.owned.contains(name) || isExecuting(name))
    }

    /// Callbacks and the like are pointers: a text for one would be a place to jump to.
    @Test func propertiesOfADedicatedAPITakeNoText() {
        let pointers = LibraryProperties.all.filter { $0.about.contains("dedicated API") }
        #expect(pointers.count > 10)
        for (name, _) in pointers {
            #expect(settings(name, "4096").validate().map(\.key) == [name], "\(name)")
        }
    }

    /// A build with curl gives the address to curl, which reads files too.
    @Test func aTokenEndpointIsAnAddressOfHTTP() {
        // A build without curl refuses the property itself.
        func isRefusedAsAnAddress(_ value: String) -> Bool {
            settings("sasl.oauthbearer.token.endpoint.url", value).validate().contains {
                $0.message.contains("must begin with")
            }
        }
        for value in ["file:///etc/passwd", "FILE:///x", "/etc/passwd", "gopher://x", ""] {
            #expect(isRefusedAsAnAddress(value), "\(value)")
        }
        for value in ["https://login/token", "HTTP://login/token"] {
            #expect(!isRefusedAsAnAddress(value), "\(value)")
        }
    }

    private func isExecuting(_ name: String) -> Bool { settings(name, "x").executing[name] != nil }

    private func settings(_ name: String, _ value: String) -> KafkaSettings {
        KafkaSettings(bootstrap: "b", group: "g", passthrough: [name: value])
    }
}
