// swift-tools-version: 6.2
import PackageDescription

/// Every target: Swift 6 language mode, warnings as errors. The import table is held by TidyTests.
/// Exclusivity is checked while running in release builds, too: the end-to-end tests, the faults and the benchmarks run
/// those. docs/performance.md says what it costs.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

func room(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "crossfade",
    products: [
        .executable(name: "crossfade", targets: ["crossfade"]),
        .library(name: "CrossfadeParts", targets: ["JSONText", "Commands", "Transform", "Indexing"]),
    ],
    targets: [
        .systemLibrary(name: "CLibrdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibyaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLibmicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CBytes"),
        .systemLibrary(name: "CThreads"),
        room("Basics", []),
        room("Runtime", ["CThreads", "Basics"]),
        room("JSONText", ["CBytes"]),
        room("Commands", ["JSONText"]),
        room("Transform", ["Basics", "JSONText", "Commands"]),
        room("Indexing", ["Basics", "JSONText", "Commands", "Transform"]),
        room("Telemetry", []),
        room("CommandLog", ["CLibrdkafka", "Basics", "JSONText", "Commands", "Telemetry"]),
        room("SearchCluster", ["CLibcurl", "Basics", "Runtime", "JSONText", "Commands", "Indexing", "Telemetry"]),
        room("Failures", ["Basics"]),
        room("Schema", ["JSONText", "Commands", "Transform", "Failures"]),
        room(
            "LogGuard",
            [
                "CXXHash", "Basics", "JSONText", "Commands", "Indexing", "Telemetry", "Runtime", "Failures",
                "CommandLog",
            ]),
        room(
            "Recipe",
            [
                "CLibyaml", "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Failures",
                "CommandLog",
                "SearchCluster",
            ]),
        room(
            "State",
            [
                "Basics", "JSONText", "Commands", "Indexing", "Parity", "Cutover", "Telemetry", "Runtime", "Failures",
                "Schema",
                "LogGuard", "SearchCluster",
            ]),
        room(
            "DeadLetters",
            ["Basics", "JSONText", "Commands", "Indexing", "Telemetry", "Runtime", "Failures", "CommandLog"]),
        room(
            "Pipeline",
            [
                "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Runtime", "Failures",
                "CommandLog", "SearchCluster", "LogGuard", "DeadLetters",
            ]),
        room(
            "Planning",
            [
                "CXXHash", "Basics", "JSONText", "Commands", "Cutover", "Transform", "Indexing", "Telemetry", "Runtime",
                "Failures", "Schema", "Parity", "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State",
                "DeadLetters",
            ]),
        room(
            "Migration",
            [
                "JSONText", "Commands", "Parity", "Cutover", "Transform", "Indexing", "Telemetry", "Runtime",
                "Failures", "Schema",
                "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline", "Planning",
            ]),
        room("Cutover", ["JSONText"]),
        room("Parity", ["CXXHash", "Basics", "JSONText", "Commands", "Transform", "Indexing"]),
        room(
            "Verification",
            [
                "Basics", "JSONText", "Commands", "Transform", "Indexing", "Parity", "Telemetry", "Runtime", "Failures",
                "Schema", "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline",
                "Planning", "Migration",
            ]),
        room(
            "CutoverWork",
            [
                "Basics", "JSONText", "Commands", "Cutover", "Parity", "Telemetry", "Runtime", "Failures", "Schema",
                "CommandLog", "SearchCluster", "Recipe", "State", "DeadLetters", "Planning", "Migration",
                "Verification",
            ]),
        room(
            "Trial",
            [
                "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "Runtime", "Failures", "Schema",
                "CommandLog", "SearchCluster", "Recipe", "Pipeline",
            ]),
        room("HTTPServer", ["CLibmicrohttpd", "Basics"]),
        room(
            "Embedded",
            ["Basics", "JSONText", "Commands", "Transform", "Indexing", "CommandLog", "SearchCluster", "HTTPServer"]),
        room(
            "Operations",
            [
                "Basics", "JSONText", "Commands", "Indexing", "Telemetry", "CommandLog", "SearchCluster", "HTTPServer",
                "Runtime", "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline", "Planning",
                "Migration",
            ],
            resources: [.embedInCode("Dashboard/dashboard.html")]),
        tests("HTTPServerTests", ["HTTPServer", "SocketClient"]),
        tests("EmbeddedTests", ["JSONText", "Commands", "SearchCluster", "HTTPServer", "Embedded", "Seeds"]),
        tests(
            "OperationsTests",
            [
                "JSONText", "Commands", "Telemetry", "Indexing", "State", "Planning", "Migration", "HTTPServer",
                "Operations", "SocketClient",
            ]),
        tests("TelemetryTests", ["JSONText", "Telemetry"]),
        tests("CommandLogTests", ["CommandLog", "CLibrdkafka", "JSONText", "Commands"]),
        .executableTarget(
            name: "crossfade",
            dependencies: [
                "Basics", "JSONText", "Commands", "Transform", "Indexing", "Telemetry", "CommandLog", "SearchCluster",
                "HTTPServer", "Runtime", "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline",
                "Planning", "Migration", "Parity", "Cutover", "CutoverWork", "Verification", "Trial", "Operations",
                "Embedded",
            ],
            resources: [.embedInCode("Rendering/receipt.css")],
            swiftSettings: strict),
        tests("BasicsTests", ["Basics", "Seeds"]),
        tests("RuntimeTests", ["Basics", "Runtime", "Seeds"]),
        tests("JSONTextTests", ["JSONText"]),
        tests("TransformTests", ["JSONText", "Commands", "Transform", "ReferenceTransform", "Seeds"]),
        tests(
            "MigrationTests",
            [
                "Basics", "JSONText", "Commands", "Transform", "Telemetry", "CommandLog", "SearchCluster", "Indexing",
                "Runtime",
                "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline", "Planning", "Migration",
                "Trial", "Embedded", "Seeds",
            ]),
        tests(
            "PipelineTests",
            [
                "JSONText", "Commands", "Telemetry", "CommandLog", "SearchCluster", "Indexing", "Runtime", "Failures",
                "Pipeline", "Embedded",
            ]),
        tests(
            "RecipeTests",
            [
                "Basics", "JSONText", "Commands", "Transform", "Telemetry", "CommandLog", "SearchCluster", "Indexing",
                "Runtime",
                "Failures", "Schema", "LogGuard", "Recipe", "State", "DeadLetters", "Pipeline", "Planning", "Migration",
                "Trial", "Seeds",
            ]),
        tests("CutoverTests", ["JSONText", "Cutover", "Seeds"]),
        tests("ParityTests", ["JSONText", "Commands", "Parity", "Seeds"]),
        tests(
            "VerificationTests",
            [
                "Basics", "JSONText", "Commands", "Transform", "Indexing", "Parity", "Telemetry", "Runtime", "Failures",
                "CommandLog", "SearchCluster", "LogGuard", "Recipe", "State", "Pipeline", "Planning", "Migration",
                "Verification", "HTTPServer", "Embedded", "Seeds",
            ]),
        tests("CommandLineTests", ["JSONText", "Parity", "Cutover", "State", "Migration", "crossfade"]),
        tests("SearchClusterTests", ["JSONText", "Telemetry", "SearchCluster"]),
        tests(
            "ContractTests",
            ["JSONText", "Commands", "Indexing", "Telemetry", "SearchCluster", "HTTPServer", "Embedded"]),
        tests("IndexingTests", ["JSONText", "Commands", "Indexing", "Seeds"]),
        tests("CommandsTests", ["JSONText", "Commands", "Seeds"]),
        // Random choices that can be repeated, for all tests.
        .target(name: "Seeds", dependencies: ["JSONText"], path: "Tests/Seeds", swiftSettings: strict),
        // The transform once more, over trees: what tests and the fuzzer compare it with.
        .target(
            name: "ReferenceTransform", dependencies: ["JSONText", "Transform"], path: "Tests/ReferenceTransform",
            swiftSettings: strict),
        // A plain HTTP client over one socket, for tests of servers.
        .target(name: "SocketClient", path: "Tests/SocketClient", swiftSettings: strict),
        // The simulation of the whole protocol, of the parts that need no server; not shipped.
        .target(
            name: "Simulation", dependencies: ["JSONText", "Commands", "Transform", "Indexing", "Parity", "Seeds"],
            path: "Tests/Simulation", swiftSettings: strict),
        .executableTarget(
            name: "crossfade-simulate", dependencies: ["Simulation"], path: "Tests/SimulationProgram",
            swiftSettings: strict),
        tests("SimulationTests", ["Simulation", "Seeds"]),
        tests("TidyTests", []),
    ]
)

// The fuzzer, beside the tests that scripts/sanitize builds. CROSSFADE_FUZZ is the path of libFuzzer (scripts/fuzz).
if let libFuzzer = Context.environment["CROSSFADE_FUZZ"] {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/CFuzzer"),
        .executableTarget(
            name: "crossfade-fuzz",
            dependencies: [
                "CFuzzer", "JSONText", "Commands", "Transform", "ReferenceTransform", "Indexing", "LogGuard",
                "SearchCluster", "Recipe", "State", "Cutover", "DeadLetters",
            ],
            path: "Tests/Fuzz", swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-Xlinker", libFuzzer, "-Xlinker", "-lstdc++"])]),
    ]
}
