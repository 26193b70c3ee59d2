/// The Kafka properties whose values must not be shown. This is the only list: the recipe, the Kafka clients and the
/// log use it.
package enum SecretProperties {
    /// Parts of the names of secret properties. User names and the paths of key stores count as secrets too, because
    /// they help an intruder. The command that gets a Kerberos ticket may hold a password.
    private static let marks = [
        "password", "secret", "token", "jaas", "username", ".pem", "credential", "keystore", "oauthbearer.config",
        "kinit.cmd",
    ]

    /// Whether the value of the property `name`, such as `sasl.password`, must not be shown.
    package static func contains(_ name: String) -> Bool {
        let name = name.lowercased()
        return marks.contains { name.contains($0) }
    }
}
