/// The dashboard: one HTML file that is built into the binary. It fetches nothing except `history` and `events`.
enum Dashboard {
    /// The page in UTF-8.
    static var page: [UInt8] { PackageResources.dashboard_html }

    static let contentType = "text/html; charset=utf-8"

    /// The browser may use the page's own inline style and script, connect to this server, and nothing else.
    /// Source: W3C Content Security Policy Level 3.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
