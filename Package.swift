// swift-tools-version: 6.2
import PackageDescription

/// Every target: Swift 6 language mode, warnings as errors.
let common: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

/// Targets that run in a worker, which has one thread, so reference counts need no atomic operations. In debug builds,
/// which ordinary tests use, they stay atomic.
let worker: [SwiftSetting] =
    common + [.unsafeFlags(["-assume-single-threaded"], .when(configuration: .release))]

/// The wiring. Exclusive access to its classes' properties is checked in debug builds only, because the checks took a
/// sixth of a message's instructions (docs/decisions/0036).
let wiring: [SwiftSetting] =
    worker + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// Rooms with pointers: wrappers of C libraries, system calls, and functions that copy bytes for all. The compiler
/// demands `unsafe` wherever only the code itself guarantees memory safety.
let wrapper: [SwiftSetting] = worker + [.strictMemorySafety()]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "holdfast",
    products: [
        .executable(name: "holdfast", targets: ["holdfast"]),
        .executable(name: "holdfast-bench", targets: ["holdfast-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // toml++ is a header of C++. This target puts a header of C in front of it.
        .target(name: "CTOML"),

        // L0, pure: what the standard library lacks.
        .target(name: "Primitives", swiftSettings: wrapper),

        // L1, pure: values in, values out.
        .target(name: "Bridge", dependencies: ["Primitives"], swiftSettings: worker),
        .target(name: "BOSHCore", dependencies: ["Primitives", "Bridge"], swiftSettings: worker),
        .target(name: "HTTPWire", dependencies: ["Primitives"], swiftSettings: worker),
        .target(name: "WebSocketWire", dependencies: ["Primitives"], swiftSettings: worker),
        .target(name: "WebSocketCore", dependencies: ["Primitives", "Bridge"], swiftSettings: worker),
        .target(name: "PollingCore", dependencies: ["Primitives", "Bridge"], swiftSettings: worker),
        .target(name: "StreamCore", dependencies: ["Bridge", "Primitives"], swiftSettings: worker),
        .target(name: "Addresses", dependencies: ["Primitives"], swiftSettings: worker),
        .target(name: "Handover", dependencies: ["Primitives"], swiftSettings: worker),
        .target(
            name: "Settings", dependencies: ["Primitives", "BOSHCore", "Bridge", "HTTPWire", "Addresses"],
            swiftSettings: worker),

        // L2, codecs: bytes in, values out, one C library each.
        .target(
            name: "XMLCodec", dependencies: ["BOSHCore", "Bridge", "StreamCore", "CLibXML2"], swiftSettings: wrapper),
        .target(name: "TLSCodec", dependencies: ["Addresses", "COpenSSL"], swiftSettings: wrapper),
        .target(name: "Deflate", dependencies: ["CZlib"], swiftSettings: wrapper),
        .target(name: "TOMLCodec", dependencies: ["CTOML"], swiftSettings: wrapper),

        // L3, system calls.
        .target(name: "Reactor", dependencies: ["Primitives", "CLinux"], swiftSettings: wrapper),
        .target(name: "Resolver", dependencies: ["Primitives", "Reactor"], swiftSettings: wrapper),
        .target(name: "ProcessLinks", dependencies: ["Handover", "Reactor"], swiftSettings: worker),
        .target(
            name: "LogLines", dependencies: ["HTTPWire", "Primitives", "Reactor", "Settings", logging],
            swiftSettings: worker),

        // L4, wiring: executes effects.
        .target(
            name: "Gateway",
            dependencies: [
                "Primitives", "Addresses", "BOSHCore", "Bridge", "HTTPWire", "StreamCore", "Settings", "XMLCodec",
                "TLSCodec", "Deflate", "Reactor", "Resolver", "Handover", "ProcessLinks", "WebSocketWire",
                "WebSocketCore", "PollingCore", "LogLines",
                logging,
            ], swiftSettings: wiring),
        .target(
            name: "Supervisor",
            dependencies: ["Primitives", "Handover", "Settings", "Reactor", "ProcessLinks", "LogLines", logging],
            swiftSettings: wiring),

        // L5, programs.
        .executableTarget(
            name: "holdfast",
            dependencies: [
                "Gateway", "Supervisor", "Handover", "Settings", "Reactor", "Resolver", "ProcessLinks", "TLSCodec",
                "TOMLCodec", "LogLines", argumentParser, logging,
            ],
            // Without this setting members of a module that another file imports are visible here. If one imports
            // Foundation, a plain `contains` on a text picks Foundation's, and the binary gets 45 MB of ICU.
            swiftSettings: worker + [.enableUpcomingFeature("MemberImportVisibility")]),
        .executableTarget(
            name: "holdfast-bench", dependencies: ["Reactor", argumentParser, histogram], swiftSettings: common),

        // What tests with random input share: how many cases they run, and their random numbers.
        .target(name: "Effort", path: "Tests/Effort", swiftSettings: common),

        // The scripts of Tests/Dialogues, as values. Who plays them is in the tests of each room.
        .target(
            name: "DialogueScripts", dependencies: ["Bridge", "Primitives"], path: "Tests/DialogueScripts",
            swiftSettings: common),
        .testTarget(name: "DialogueScriptsTests", dependencies: ["DialogueScripts", "Bridge"], swiftSettings: common),

        .testTarget(name: "PrimitivesTests", dependencies: ["Primitives", "Effort"], swiftSettings: common),
        .testTarget(name: "BridgeTests", dependencies: ["Bridge"], swiftSettings: common),
        .testTarget(
            name: "BOSHCoreTests", dependencies: ["BOSHCore", "Primitives", "Bridge", "Effort", "DialogueScripts"],
            swiftSettings: common),
        .testTarget(
            name: "WebSocketWireTests", dependencies: ["WebSocketWire", "Primitives", "Effort"], swiftSettings: common),
        .testTarget(
            name: "WebSocketCoreTests",
            dependencies: ["WebSocketCore", "Bridge", "Primitives", "Effort", "DialogueScripts"],
            swiftSettings: common),
        .testTarget(
            name: "PollingCoreTests",
            dependencies: ["PollingCore", "Bridge", "Primitives", "Effort", "DialogueScripts"],
            swiftSettings: common),
        .testTarget(name: "HTTPWireTests", dependencies: ["HTTPWire", "Primitives", "Effort"], swiftSettings: common),
        .testTarget(
            name: "StreamCoreTests", dependencies: ["StreamCore", "Bridge", "Primitives", "Effort"],
            swiftSettings: common),
        .testTarget(
            name: "AddressesTests", dependencies: ["Addresses", "Primitives", "Effort"], swiftSettings: common),
        .testTarget(name: "HandoverTests", dependencies: ["Handover", "Primitives", "Effort"], swiftSettings: common),
        .testTarget(name: "SettingsTests", dependencies: ["Settings", "Addresses", "BOSHCore"], swiftSettings: common),
        .testTarget(
            name: "XMLCodecTests",
            dependencies: ["XMLCodec", "Primitives", "BOSHCore", "Bridge", "StreamCore", "CLibXML2"],
            swiftSettings: common),
        .testTarget(
            name: "TLSCodecTests", dependencies: ["TLSCodec", "COpenSSL", "CLinux"], swiftSettings: common),
        .testTarget(name: "TOMLCodecTests", dependencies: ["TOMLCodec", "Effort"], swiftSettings: common),
        .testTarget(name: "DeflateTests", dependencies: ["Deflate", "CZlib"], swiftSettings: common),
        .testTarget(name: "ReactorTests", dependencies: ["Reactor", "CLinux"], swiftSettings: common),
        .testTarget(
            name: "ResolverTests", dependencies: ["Resolver", "Reactor", "Primitives", "Effort"], swiftSettings: common),
        .testTarget(
            name: "ProcessLinksTests", dependencies: ["ProcessLinks", "Handover", "Reactor"], swiftSettings: common),
        .testTarget(
            name: "LogLinesTests", dependencies: ["LogLines", "Reactor", "Settings", "Effort", logging],
            swiftSettings: common),
        .testTarget(name: "HoldfastBenchTests", dependencies: ["holdfast-bench", "Reactor"], swiftSettings: common),
        .testTarget(
            name: "HoldfastTests", dependencies: ["holdfast", "Settings", "TOMLCodec"], swiftSettings: common),

        // The whole worker in a simulated world. Its calls take the place of libc's in this executable alone.
        .target(
            name: "CSimulatedCalls", dependencies: ["COpenSSL"], path: "Tests/Simulation/Calls",
            cSettings: [.unsafeFlags(["-fno-builtin", "-U_FORTIFY_SOURCE"])]),
        .executableTarget(
            name: "holdfast-simulation",
            dependencies: [
                "CSimulatedCalls", "CLinux", "COpenSSL", "Deflate", "Gateway", "Handover", "Primitives", "Reactor",
                "Settings", "TLSCodec", "LogLines", logging,
            ],
            path: "Tests/Simulation/World",
            swiftSettings: wiring),

        // The program itself over real sockets; `holdfast` is a dependency so that it is built beside the tests.
        .target(name: "TestSupport", dependencies: ["CLinux"], path: "Tests/TestSupport", swiftSettings: common),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "TestSupport", "holdfast", "Bridge", "Gateway", "Handover", "Reactor", "Settings", "Deflate",
                "Primitives", "COpenSSL", "CLinux", "DialogueScripts",
            ],
            swiftSettings: common),
        .testTarget(
            name: "SupervisorTests",
            dependencies: [
                "TestSupport", "holdfast", "Supervisor", "Handover", "Reactor", "ProcessLinks", "Settings", "CLinux",
                "LogLines", logging,
            ],
            swiftSettings: common),
    ],
    cxxLanguageStandard: .cxx17
)

// `deploy/test --quick` builds the pure rooms and their tests alone, in a directory of their own, in some seconds.
if Context.environment["HOLDFAST_ROOMS"] == "pure" {
    let rooms = [
        "Primitives", "Addresses", "BOSHCore", "Bridge", "Handover", "HTTPWire", "Settings", "StreamCore",
        "WebSocketWire", "WebSocketCore", "PollingCore",
    ]
    let names = rooms + rooms.map { "\($0)Tests" } + ["Effort", "DialogueScripts", "DialogueScriptsTests"]
    package.targets = package.targets.filter { names.contains($0.name) }
    package.products = []
    package.dependencies = []
}
