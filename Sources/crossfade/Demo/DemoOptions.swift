/// What the user asks of the demo.
struct DemoOptions: Sendable {
    var seed: UInt64 = 17
    /// Seconds for which the writer writes at its steady rate.
    var duration = 40.0
    /// Commands per second.
    var rate = 200.0
    var keeps = false
    /// Commands that the application has written before the migration begins.
    var before = 3500

    /// All commands of the demo.
    var commands: Int { before + Int((duration * rate).rounded()) }

    /// The writer pauses here until the follower is killed. The new follower then always has commands to catch up on.
    var commandsBeforeCrash: Int { before + Int((duration * rate * 0.6).rounded()) }
}
