// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// The agent runs in pods, which are Linux; the launcher runs on a laptop too.
#if os(Linux)
let agentProducts: [Product] = [.executable(name: "pod-agent", targets: ["Agent"])]
let agentTargets: [Target] = [
    .executableTarget(
        name: "Agent",
        dependencies: [
            "CAuthorities",
            "CLinux",
            "HTTPClient",
            "RunPod",
            "Shared",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        exclude: ["C"],
        swiftSettings: swiftSettings
    ),
    .target(name: "CAuthorities", path: "Sources/Agent/C/CAuthorities"),
    .testTarget(
        name: "AgentTests",
        dependencies: [
            "Agent", "CLinux", "HTTPClient", "RunPod", "Shared", "TestSupport",
            .product(name: "NIOCore", package: "swift-nio"),
        ],
        swiftSettings: swiftSettings
    ),
    .executableTarget(
        name: "RunPodEmulator", path: "Tests/RunPodEmulator", exclude: ["pod.sh"], swiftSettings: swiftSettings
    ),
    .testTarget(
        name: "IntegrationTests",
        dependencies: [
            "HTTPClient", "RunPodEmulator", "Shared", "TestSupport",
            .product(name: "Subprocess", package: "swift-subprocess"),
        ],
        exclude: ["Beds"],
        swiftSettings: swiftSettings
    ),
]
#else
let agentProducts: [Product] = []
let agentTargets: [Target] = []
#endif

let package = Package(
    name: "launch",
    platforms: [.macOS(.v15)],
    products: agentProducts + [.executable(name: "launch", targets: ["Launcher"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    ],
    targets: agentTargets + [
        .executableTarget(
            name: "Launcher",
            dependencies: [
                "HTTPClient",
                "RunPod",
                "Shared",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Shared",
            dependencies: [
                .target(name: "CCrypto", condition: .when(platforms: [.linux])),
                .target(name: "CLinux", condition: .when(platforms: [.linux])),
                "CZlib",
                "HTTPClient",
            ],
            exclude: ["C", "HTTP", "RunPod"],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HTTPClient",
            dependencies: ["CCurl"],
            path: "Sources/Shared/HTTP",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "RunPod", dependencies: ["HTTPClient"], path: "Sources/Shared/RunPod", swiftSettings: swiftSettings
        ),
        .target(name: "CLinux", path: "Sources/Shared/C/CLinux"),
        .systemLibrary(
            name: "CCrypto",
            path: "Sources/Shared/C/CCrypto",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(
            name: "CCurl",
            path: "Sources/Shared/C/CCurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .systemLibrary(
            name: "CZlib",
            path: "Sources/Shared/C/CZlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .target(
            name: "TestSupport",
            dependencies: ["HTTPClient", "Shared"],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "SharedTests", dependencies: ["Shared", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HTTPClientTests", dependencies: ["HTTPClient", "Shared", "TestSupport"], swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "RunPodTests", dependencies: ["HTTPClient", "RunPod", "TestSupport"], swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "LauncherTests",
            dependencies: [
                "HTTPClient", "Launcher", "RunPod", "Shared", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swiftSettings
        ),
    ],
    swiftLanguageModes: [.v6]
)
