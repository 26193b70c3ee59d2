/// What the page of a receipt looks like.
enum ReceiptStyle {
    static let logo: HTML = """
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M1 3h14L1 13z" class="old"/>\
        <path d="M15 3v10H1z" class="new"/></svg>
        """

    static let css = HTML(stringLiteral: String(decoding: PackageResources.receipt_css, as: UTF8.self))
}
