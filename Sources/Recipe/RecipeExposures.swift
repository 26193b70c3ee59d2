import Basics
import SearchCluster

/// What others on the network can read or pose as, and the recipe allows it.
extension RecipeText {
    /// One sentence each; empty: nothing. What stays on this machine is not exposed.
    package static func exposures(_ recipe: Recipe) -> [String] {
        (recipe.source.map { exposures($0, "source") } ?? []) + exposures(recipe.target, "target")
            + (recipe.hasCommands ? kafka(recipe) : [])
    }

    private static func exposures(_ endpoint: ClusterEndpoint, _ name: String) -> [String] {
        let away = endpoint.urls.filter { !isLocal($0) }
        var found: [String] = []
        if away.contains(where: { $0.lowercased().hasPrefix("https:") }), !endpoint.verifyTLS {
            found.append(
                "\(name).verify_tls is false: whoever is on the way can pose as the cluster, read everything and write "
                    + "what they like; name the authority of its certificate as \(name).ca_file")
        }
        if away.contains(where: { $0.lowercased().hasPrefix("http:") }), endpoint.auth != .none {
            found.append(
                "\(name).auth goes over plain http: whoever is on the way can read the credentials and the documents; "
                    + "use https")
        }
        return found
    }

    private static func kafka(_ recipe: Recipe) -> [String] {
        let properties = recipe.commands.kafka
        let brokers = recipe.commands.bootstrap.split(separator: ",")
        guard brokers.contains(where: { !Loopback.holds(String($0.trimmingPrefix { $0 == " " })) }) else { return [] }
        let `protocol` = properties["security.protocol"]?.uppercased() ?? "PLAINTEXT"
        let mechanism = (properties["sasl.mechanism"] ?? properties["sasl.mechanisms"])?.uppercased()
        var found: [String] = []
        if `protocol`.hasSuffix("SSL") {
            let isUnchecked = properties["enable.ssl.certificate.verification"] == "false"
            if isUnchecked || properties["ssl.endpoint.identification.algorithm"] == "none" {
                found.append(
                    "the brokers' certificates are not checked (commands.kafka): whoever is on the way can pose as a "
                        + "broker; name their authority as ssl.ca.location")
            }
        }
        if `protocol` == "SASL_PLAINTEXT", mechanism == "PLAIN" || mechanism == "OAUTHBEARER" {
            found.append(
                "Kafka's credentials go over a plain connection: whoever is on the way can read them; use "
                    + "security.protocol: SASL_SSL")
        }
        return found
    }

    /// Whether a URL, `https://host:9200/path`, leads to this machine.
    private static func isLocal(_ url: String) -> Bool {
        let authority = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return Loopback.holds(String(authority.prefix { $0 != "/" }))
    }
}
