import Testing

@testable import Telemetry

struct RedactorTests {
    private func redact(_ text: String, _ secrets: String...) -> String { Redactor(secrets).redact(text) }

    @Test func longSecretsAreTakenOutEverywhere() {
        #expect(redact("xhunter2xyz, hunter2xyz!", "hunter2xyz") == "x<redacted>, <redacted>!")
        // Of two that begin alike, nothing of the longer one is left.
        #expect(redact("it is hunter2xyz-more", "hunter2xyz", "hunter2xyz-more") == "it is <redacted>")
        #expect(redact("nothing", "", "") == "nothing")
    }

    @Test(arguments: [
        "\"a\"", "value 'a' is bad", "sasl.password=a", "sasl.password=a is bad", "password = a; more", "a", " a ",
        "(a)", "[x, a, y]", "{\"password\":\"a\"}", "password: a", "said: a.", "http://user:a@host", "x=a&y=b",
        "one\na\ntwo",
        "`a`", "<a>", "b=1,a,c",
    ])
    func aShortSecretIsTakenOutAsAValue(_ text: String) {
        let clean = redact(text, "a")
        #expect(clean.contains(Redactor.mark), "\(clean)")
        // Once, and nothing else is touched.
        #expect(clean.replacing(Redactor.mark, with: "a") == text)
        #expect(clean.ranges(of: Redactor.mark).count == 1)
    }

    @Test(arguments: [
        "a broker is down", "is a", "3 brokers: a broker is down", "authentication", "no=abc", "\"a broker\"",
        "data(abc)",
        "Connect to a failed: a timeout after 10ms", "[thrd:sasl_plaintext://a:9092/bootstrap]: broker",
        "what a broker said",
    ])
    func aShortSecretInProseIsAWord(_ text: String) { #expect(redact(text, "a") == text) }

    /// From eight characters on no sentence holds it by chance.
    @Test func theBorder() {
        #expect(redact("the kafka12 broker", "kafka12") == "the kafka12 broker")
        #expect(redact("the kafka123 broker", "kafka123") == "the <redacted> broker")
    }
}
