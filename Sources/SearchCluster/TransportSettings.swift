import CLibcurl
import FoundationEssentials
import Telemetry

/// An endpoint that has been checked, in the form that curl takes.
struct TransportSettings: Sendable {
    /// The URLs of the nodes, without a slash at the end.
    var urls: [String]
    /// The same without `user:password@`, in case a URL holds that.
    var shownURLs: [String]
    var user: String?
    var password: Secret?
    /// The whole `Authorization` header for an API key.
    var authorization: Secret?
    var caFile: String?
    /// The folder of the authorities that the system trusts; nil: only those of ``caFile`` count. curl would ask its
    /// own folder beside the file.
    var caFolder: String?
    var certificate: ClusterEndpoint.Certificate?
    var verifyTLS: Bool
    /// Empty: none, whatever the environment says.
    var proxy: String
    var limits: HTTPTransport.Limits

    init(_ endpoint: ClusterEndpoint, limits: HTTPTransport.Limits) throws(ClusterError) {
        guard !endpoint.urls.isEmpty else {
            throw ClusterError(.configuration, "the endpoint names no URL; give at least one like http://host:9200")
        }
        urls = []
        shownURLs = []
        for url in endpoint.urls {
            let (plain, shown) = try TransportSettings.checked(url)
            urls.append(plain)
            shownURLs.append(shown)
        }
        switch endpoint.auth {
        case .none: break
        case .basic(let user, let password):
            try TransportSettings.refuseControlCharacters(user, "the user name")
            try TransportSettings.refuseControlCharacters(password.reveal(), "the password")
            (self.user, self.password) = (user, password)
        case .apiKey(let key):
            try TransportSettings.refuseControlCharacters(key.reveal(), "the API key")
            authorization = Secret(TransportSettings.keyHeader + TransportSettings.encodedKey(key.reveal()))
        }
        caFile = endpoint.caFile
        caFolder = endpoint.caFile == nil ? Self.systemFolder : nil
        certificate = endpoint.certificate
        verifyTLS = endpoint.verifyTLS
        proxy = endpoint.proxy ?? ""
        self.limits = limits
        if let caFile, !FileManager.default.isReadableFile(atPath: caFile) {
            throw ClusterError(
                .configuration,
                "the certificate authority file \(caFile) cannot be read; check its path and permissions")
        }
        for file in [certificate?.file, certificate?.key].compactMap({ $0 })
        where !FileManager.default.isReadableFile(atPath: file) {
            throw ClusterError(
                .configuration,
                "the file \(file) of the client's certificate cannot be read; check its path and "
                    + "permissions")
        }
    }

    /// Where curl looks for the system's authorities. Tests have a folder of their own.
    @TaskLocal static var systemFolder = crossfade_default_ca_folder().map { String(cString: $0) }

    private static let keyHeader = "Authorization: ApiKey "

    /// Users copy an API key either as `id:key` or as the base64 of that. The header needs base64.
    private static func encodedKey(_ key: String) -> String {
        key.contains(":") ? Data(key.utf8).base64EncodedString() : key
    }

    private static func checked(_ url: String) throws(ClusterError) -> (plain: String, shown: String) {
        var plain = url
        while plain.hasSuffix("/") { plain.removeLast() }
        let shown = withoutCredentials(plain)
        let lower = plain.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else {
            throw ClusterError(.configuration, "\"\(shown)\" is not a node URL; write it as http://host:9200")
        }
        try refuseControlCharacters(plain, "the URL")
        guard !plain.contains("?"), !plain.contains("#"), !plain.contains(" ") else {
            throw ClusterError(
                .configuration, "the URL \"\(shown)\" has a query, a fragment or a blank; write it as http://host:9200")
        }
        return (plain, shown)
    }

    /// Takes the credentials out of a text, in every form in which they are sent.
    var redactor: Redactor {
        var secrets: [String] = []
        if let password { secrets += [password.reveal(), Data(password.reveal().utf8).base64EncodedString()] }
        if let user, let password { secrets.append(Data("\(user):\(password.reveal())".utf8).base64EncodedString()) }
        if let password = certificate?.keyPassword { secrets.append(password.reveal()) }
        if let authorization {
            let key = String(authorization.reveal().dropFirst(TransportSettings.keyHeader.count))
            secrets.append(key)
            // `id:key`, as a server may tell it after decoding.
            let decoded = Data(base64Encoded: key).map { String(decoding: $0, as: UTF8.self) } ?? ""
            if let colon = decoded.firstIndex(of: ":") {
                secrets += [decoded, String(decoded[decoded.index(after: colon)...])]
            }
        }
        for (url, shown) in zip(urls, shownURLs) where url != shown {
            // `user:password`, and what curl makes of it.
            let login = String(url[..<(url.lastIndex(of: "@") ?? url.endIndex)].split(separator: "/").last ?? "")
            secrets += [login, Data(login.utf8).base64EncodedString()]
        }
        return Redactor(secrets)
    }

    private static func withoutCredentials(_ url: String) -> String {
        guard let at = url.lastIndex(of: "@"), let colon = url.firstIndex(of: ":"), colon < at else { return url }
        return String(url[...colon]) + "//" + String(url[url.index(after: at)...])
    }

    /// A line break in a secret would add a header to the request.
    private static func refuseControlCharacters(_ text: String, _ what: String) throws(ClusterError) {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return }
        throw ClusterError(
            .configuration, "\(what) holds a control character, perhaps a line break at its end; remove it")
    }
}

extension HTTPTransport {
    /// The version of libcurl, e.g. `7.88.1`.
    package static var libraryVersion: String {
        guard let text = curl_version() else { return "unknown" }
        // The first word of `libcurl/7.88.1 OpenSSL/3.0 ...`.
        return String(String(cString: text).prefix { $0 != " " }.drop { $0 != "/" }.dropFirst())
    }
}
