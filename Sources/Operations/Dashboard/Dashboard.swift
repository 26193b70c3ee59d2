/// The dashboard: one HTML file, built into the binary, which fetches nothing but `history` and `events` beside it.
enum Dashboard {
    /// The page, UTF-8.
    static var page: [UInt8] { PackageResources.dashboard_html }

    static let contentType = "text/html; charset=utf-8"

    /// What a browser may do with the page: its own two inline blocks, the server it came from, nothing else.
    /// Source: W3C Content Security Policy Level 3.
    static let contentSecurityPolicy =
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
