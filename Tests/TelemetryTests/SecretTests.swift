import Telemetry
import Testing

@Suite struct SecretTests {
    @Test func noDescriptionShowsASecret() {
        let secret = Secret("hunter2")
        #expect("\(secret) \(String(reflecting: secret))".contains("hunter2") == false)
        #expect(secret.reveal() == "hunter2")
    }
}
