import CommandLog
import JSONText
@testable import Recipe
import Testing
@testable import Migration

/// Secrets and substitutions.
struct SecretTests {
    private static let secret = "hunter2xyz"

    @Test func substitution() throws {
        let folder = try Folder()
        try folder.write("key", "from-file\n")
        let recipe = try Reading.load(
            Reading.small(
                [
                    "target":
                        "target: { url: \"http://${HOST}:9200\", auth: { user: \"a$${b}$c$\", password: "
                        + "\"${file:key}\" } }",
                    "name": "name: ${NAME}",
                ], more: "copy: { slices: \"${SLICES}\", page: 7 }\n"),
            environment: ["HOST": "new", "NAME": "from-env", "SLICES": "3"], folder: folder)
        #expect(recipe.name == "from-env" && recipe.copy.slices == 3)
        #expect(recipe.target.urls == ["http://new:9200"])
        guard case .basic(let user, let password) = recipe.target.auth else {
            Issue.record("no basic auth")
            return
        }
        #expect(user == "a${b}$c$" && password.reveal() == "from-file")
        let shown = RecipeText.canonical(recipe)
        #expect(shown["name"] == "${NAME}" && shown["copy"]?["slices"] == "${SLICES}")
        #expect(shown["target"]?["urls"]?[0] == "http://${HOST}:9200")
        #expect(shown["target"]?["auth"]?["password"] == "<redacted>")
        #expect(shown["target"]?["auth"]?["user"] == "a${b}$c$")
        // What is hashed knows what the environment brought, and no secret.
        let meaning = RecipeText.meaning(recipe)
        #expect(meaning["name"] == "from-env" && meaning["copy"]?["slices"] == 3)
        #expect(meaning["target"]?["auth"]?["password"] == "<redacted>")
    }

    @Test func whatCannotBeSubstituted() throws {
        let folder = try Folder()
        let errors = Reading.errors(
            Reading.small(
                [
                    "name": "name: ${NAMES}",
                    "target": "target: { url: \"${open\", auth: { user: \"${a b}\", password: \"${file:none}\" } }",
                ]), environment: ["NAME": "x"], folder: folder)
        #expect(
            errors == [
                "1:7: the environment variable NAMES is not set -> NAME",
                "7:16: \"${\" has no \"}\"; a literal \"${\" is written \"$${\"",
                "7:40: \"${a b}\" names no variable; write ${NAME} or ${file:/path}, and a literal \"${\" as \"$${\"",
                "7:60: the file none of ${file:} does not exist",
            ])
    }

    /// "target.auth.api_key <redacted> is not a text" named neither the variable nor what is wrong with it.
    @Test func whatIsEmptyIsNamed() {
        let errors = Reading.errors(
            Reading.small([
                "target": "target: { url: http://new:9200, auth: { api_key: \"${NEW_KEY}\" } }",
                "commands":
                    "commands: { bootstrap: b, topic: t, format: document, kafka: { sasl.password: \"${PW}\" } }",
            ]), environment: ["NEW_KEY": "", "PW": ""])
        #expect(errors.count == 2)
        for (name, key) in [("NEW_KEY", "target.auth.api_key"), ("PW", "sasl.password")] {
            let words = "\(key) is empty, because ${\(name)} is: give the variable, or the file, a value"
            #expect(errors.contains { $0.contains(words) }, "\(errors)")
        }
    }

    /// The library's own words name neither the file nor the folder in which it looked.
    @Test func kafkasFilesAreThoseBesideTheRecipe() throws {
        let folder = try Folder()
        try folder.write("ca.pem", "x")
        func text(_ file: String) -> String {
            Reading.small([
                "commands":
                    "commands: { bootstrap: b, topic: t, format: document, kafka: { ssl.ca.location: \(file) } }"
            ])
        }
        let recipe = try Reading.load(text("ca.pem"), folder: folder)
        #expect(recipe.commands.kafka["ssl.ca.location"] == folder.path + "/ca.pem")
        #expect(try Reading.load(text("probe"), folder: folder).commands.kafka["ssl.ca.location"] == "probe")
        let errors = Reading.errors(text("none.pem"), folder: folder)
        #expect(errors.count == 1 && errors[0].contains("ssl.ca.location: the file \"none.pem\" does not exist"))
    }

    /// Whether `verify` can keep its files was found out hours later.
    @Test func aFolderThatCannotBeIsToldBefore() throws {
        let folder = try Folder()
        try folder.write("file", "x")
        func trouble(_ path: String) throws -> String? {
            try Reading.load(Reading.small(more: "verify: { folder: \(path) }\n"), folder: folder).folderTrouble([:])
        }
        #expect(try trouble("new/below") == nil)
        #expect(try trouble("file/below")?.contains("\(folder.path)/file is a file; name another in") == true)
        #expect(try Reading.load(Reading.small()).folderTrouble([:])?.contains("set HOME") == true)
    }

    /// Whatever is substituted, and whatever sits where secrets sit, is in no rendering.
    @Test func secretsAreNeverShown() throws {
        let secret = Self.secret
        let places = [
            ["target": "target: { url: http://a, auth: { user: u, password: \(secret) } }"],
            ["target": "target: { url: http://a, auth: { api_key: \(secret) } }"],
            ["target": "target: { url: \"http://${S}\" }"],
            ["name": "name: ${S}"],
            ["indices": "indices: [ { from: a, to: \"${S}\" } ]"],
            ["indices": "indices: [ { from: a, to: b, settings: { x: [ \"${S}\" ] } } ]"],
            ["indices": "indices: [ { from: a, to: b, transform: [ { set: { field: x, value: \"${S}\" } } ] } ]"],
            ["commands": "commands: { bootstrap: \"${S}\", topic: \"${S}\", format: document }"],
        ]
        let properties = ["sasl.password", "sasl.username", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem"]
        let kafka = properties.map { property in
            [
                "commands":
                    "commands: { bootstrap: b, topic: t, format: document, kafka: { \(property): \(secret) } }"
            ]
        }
        for place in places + kafka {
            let text = Reading.small(place)
            do {
                let recipe = try Reading.load(text, environment: ["S": secret])
                let renderings = [
                    RecipeText.canonical(recipe).text(), RecipeText.canonical(recipe).text(pretty: true),
                    RecipeText.facts(recipe).joined(separator: "\n"),
                ]
                for rendering in renderings { #expect(!rendering.contains(secret), "\(text)") }
            } catch {
                #expect(!"\(error)".contains(secret), "\(text)")
            }
        }
    }

    /// Errors about secret values do not repeat them.
    @Test func errorsDoNotRepeatSecrets() {
        let secret = Self.secret + " /Z{}"
        let places = [
            ["name": "name: ${S}"], ["indices": "indices: [ { from: \"${S}\", to: \"${S}\", id: \"${S}\" } ]"],
            ["target": "target: { url: \"${S}\", verify_tls: \"${S}\", ca_file: \"${S}\" }"],
            ["target": "target: { url: \"https://a:\(Self.secret)@b\" }"],
            [
                "commands":
                    "commands: { bootstrap: b, topic: \"${S}\", format: \"${S}\", epoch: \"${S}\", version: \"${S}\" }"
            ],
            [
                "commands":
                    "commands: { bootstrap: b, topic: t, format: document, kafka: { fetch.min.bytes: \"${S}\", "
                    + "sasl.mechanism: \"${S}\", debug: \"${S}\" } }"
            ],
            ["indices": "indices: [ { from: a, to: b, mapping: \"${S}\", transform: \"${S}\" } ]"],
            [
                "indices":
                    "indices: [ { from: a, to: b, transform: [ \"${S}\", { cast: { field: x, to: \"${S}\" } } ] } ]"
            ],
        ]
        for place in places {
            let errors = Reading.errors(Reading.small(place), environment: ["S": secret])
            #expect(!errors.isEmpty, "\(place)")
            #expect(!errors.joined().contains(Self.secret), "\(errors)")
        }
    }

    @Test func dumpsOfARecipeShowNoSecret() throws {
        let commands =
            "commands: { bootstrap: b, topic: t, format: document, kafka: { sasl.password: \(Self.secret) } }"
        let target = "target: { url: http://a, auth: { user: \"${S}\", password: \(Self.secret) } }"
        let recipe = try Reading.load(
            Reading.small(["commands": commands, "target": target, "name": "name: ${S}"]),
            environment: ["S": Self.secret])
        #expect(recipe.name == Self.secret && recipe.commands.kafka["sasl.password"] == Self.secret)
        for text in ["\(recipe)", "\(recipe.commands)", String(reflecting: recipe), String(reflecting: [recipe])] {
            #expect(!text.contains(Self.secret))
        }
        var dumped = ""
        dump(recipe, to: &dumped)
        dump(recipe.commands, to: &dumped)
        #expect(!dumped.contains(Self.secret))
    }
}
