/// The keys of `source` and `target`.
extension RecipeSchema {
    package static func cluster(_ title: String) -> RecipeSection {
        RecipeSection(
            title: title,
            keys: [
                RecipeKey("url", .list(.scalar(.url)), "A node's URL, or several nodes' URLs."),
                RecipeKey("urls", .list(.scalar(.url)), "The same as `url`."),
                RecipeKey("auth", .section(auth(title)), standardInWords: "none", "How Crossfade authenticates."),
                RecipeKey(
                    "ca_file", .scalar(.nonEmpty), standardInWords: "the system's",
                    "PEM file of certificate authorities, relative to the recipe; they replace the system's."),
                RecipeKey(
                    "client_certificate", .scalar(.nonEmpty), standardInWords: "none",
                    "PEM file of the certificate that Crossfade shows to the cluster, relative to the recipe. With "
                        + "`client_key`; with or without `auth`."),
                RecipeKey("client_key", .scalar(.nonEmpty), "PEM file of its key, relative to the recipe."),
                RecipeKey(
                    "client_key_password", .scalar(.text), standardInWords: "none", secret: true,
                    "The key's password."),
                RecipeKey(
                    "verify_tls", .flag, standard: "true", "Whether the server's certificate and name are checked."),
                RecipeKey(
                    "proxy", .scalar(.url), standardInWords: "none",
                    "HTTP proxy on the way to it. Proxies and passwords of the environment and `.netrc` are not used."),
            ])
    }

    package static func auth(_ cluster: String) -> RecipeSection {
        RecipeSection(
            title: "\(cluster).auth",
            keys: [
                RecipeKey("user", .scalar(.nonEmpty), "User of basic authentication."),
                RecipeKey("password", .scalar(.text), secret: true, "Its password."),
                RecipeKey(
                    "api_key", .scalar(.nonEmpty), secret: true,
                    "An API key as the cluster gave it out, in place of user and password."),
            ])
    }
}
