// swift-tools-version: 6.2
import PackageDescription

/// Strict in every way the compiler offers: a warning is an error, an unsafe expression says so.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Faults on request exist in debug builds alone: what ships cannot be told to fail.
let faultInjection: [SwiftSetting] = [
  .define("FAULT_INJECTION", .when(configuration: .debug))
]

/// The data plane drops run-time exclusivity checks in release builds: they cost about 5 ns for each
/// access to a class property and keep the retain/release pair around it alive. Debug and sanitizer
/// builds, which run every test, keep them.
let dataPlane: [SwiftSetting] =
  strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// Tests run with every run-time check, and may reach into their subject.
let testing: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "swift-tgtd",
  products: [
    .executable(name: "swift-tgtd", targets: ["swift-tgtd"]),
    .executable(name: "swift-tgtadm", targets: ["swift-tgtadm"]),
    .executable(name: "tgtadm", targets: ["tgtadm"]),
    .executable(name: "tgt-admin", targets: ["tgt-admin"]),
    .executable(name: "tgt-setup-lun", targets: ["tgt-setup-lun"]),
    .executable(name: "targetcli", targets: ["targetcli"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
  ],
  targets: [
    .target(
      name: "CLinux",
      linkerSettings: [.linkedLibrary("uring"), .linkedLibrary("aio"), .linkedLibrary("isal")]),
    .target(name: "Bytes", dependencies: ["CLinux"], swiftSettings: dataPlane),
    .target(name: "SCSIModel", dependencies: ["Bytes"], swiftSettings: dataPlane),
    .target(
      name: "ISCSIModel",
      dependencies: ["Bytes", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: dataPlane),
    .target(
      name: "Reactor",
      dependencies: [
        "Bytes", "CLinux",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: dataPlane),
    .target(
      name: "BackingStore", dependencies: ["Bytes", "Reactor", "CLinux"],
      swiftSettings: dataPlane + faultInjection),
    .target(
      name: "SCSITarget", dependencies: ["SCSIModel", "BackingStore", "Reactor"],
      swiftSettings: dataPlane),
    .target(
      name: "ISCSITarget",
      dependencies: [
        "ISCSIModel", "SCSITarget", "SCSIModel", "BackingStore", "Reactor", "Bytes",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: dataPlane),
    .target(name: "TargetConfig", swiftSettings: strict),
    .target(
      name: "ConfigurationChanges", dependencies: ["AdministrationModel", "TargetConfig"],
      swiftSettings: strict),
    .target(
      name: "TargetDaemon",
      dependencies: [
        "AdministrationModel", "AdministrationServer", "ConfigurationChanges", "TargetConfig",
        "ISCSITarget", "ISCSIModel", "SCSITarget", "SCSIModel", "BackingStore", "Reactor", "Bytes",
        "CLinux",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict + faultInjection),
    .target(
      name: "TargetSimulation",
      dependencies: [
        "ISCSITarget", "ISCSIModel", "SCSITarget", "SCSIModel", "BackingStore", "Reactor", "Bytes",
        .product(name: "HeapModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(name: "AdministrationModel", swiftSettings: strict),
    .target(
      name: "AdministrationServer",
      dependencies: [
        "AdministrationModel", "CLinux",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),
    .target(
      name: "AdministrationClient",
      dependencies: [
        "AdministrationModel",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "swift-tgtd",
      dependencies: [
        "TargetDaemon", "AdministrationModel",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "CConsole"),
    .target(
      name: "CommandSupport", dependencies: ["AdministrationModel", "TargetConfig"],
      swiftSettings: strict),
    .target(
      name: "AdministrationCommands",
      dependencies: [
        "AdministrationClient", "AdministrationModel", "CConsole", "CommandSupport", "TargetConfig",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "swift-tgtadm", dependencies: ["AdministrationCommands"], swiftSettings: strict),
    .target(
      name: "TgtCommands",
      dependencies: [
        "AdministrationClient", "AdministrationModel", "CommandSupport", "ConfigurationChanges",
        "TargetConfig",
      ],
      swiftSettings: strict),
    .executableTarget(name: "tgtadm", dependencies: ["TgtCommands"], swiftSettings: strict),
    .executableTarget(name: "tgt-admin", dependencies: ["TgtCommands"], swiftSettings: strict),
    .executableTarget(name: "tgt-setup-lun", dependencies: ["TgtCommands"], swiftSettings: strict),
    .target(name: "CEditLine", linkerSettings: [.linkedLibrary("edit")]),
    .target(
      name: "TargetcliCommands",
      dependencies: [
        "AdministrationClient", "AdministrationModel", "CConsole", "CEditLine", "CommandSupport",
        "TargetConfig",
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "targetcli", dependencies: ["TargetcliCommands"], swiftSettings: strict),
    .target(name: "CTestSupport", dependencies: ["CLinux"], path: "Tests/CTestSupport"),
    .target(
      name: "StandardTables", dependencies: ["SCSIModel"], path: "Tests/Support/StandardTables",
      swiftSettings: testing),
    .target(
      name: "ServiceFixtures", dependencies: [.product(name: "Logging", package: "swift-log")],
      path: "Tests/Support/ServiceFixtures", swiftSettings: strict),
    .testTarget(
      name: "BytesTests", dependencies: ["Bytes"],
      swiftSettings: testing),
    .testTarget(
      name: "SCSIModelTests", dependencies: ["SCSIModel", "StandardTables", "Bytes"],
      swiftSettings: testing),
    .testTarget(
      name: "ISCSIModelTests", dependencies: ["ISCSIModel", "Bytes"],
      swiftSettings: testing),
    .testTarget(
      name: "ReactorTests",
      dependencies: ["Reactor", "CLinux", "CTestSupport", "TargetSimulation"],
      swiftSettings: testing),
    .testTarget(
      name: "BackingStoreTests",
      dependencies: [
        "BackingStore", "Reactor", "CLinux", "ServiceFixtures", "TargetSimulation",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "SCSITargetTests",
      dependencies: [
        "SCSITarget", "SCSIModel", "StandardTables", "BackingStore", "Reactor", "Bytes",
        "TargetSimulation",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "ISCSITargetTests",
      dependencies: [
        "ISCSITarget", "ISCSIModel", "SCSITarget", "SCSIModel", "BackingStore", "Reactor", "Bytes",
        "TargetSimulation",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "TargetSimulationTests", dependencies: ["TargetSimulation", "BackingStore", "Reactor"],
      swiftSettings: testing),
    .target(
      name: "ProofKit",
      dependencies: [
        "TargetSimulation", "ISCSITarget", "ISCSIModel", "SCSITarget", "SCSIModel", "BackingStore",
        "Reactor", "Bytes",
      ],
      path: "Tests/Proofs/ProofKit", swiftSettings: testing),
    .testTarget(name: "ProofTests", dependencies: ["ProofKit"], swiftSettings: testing),
    .testTarget(
      name: "TargetConfigTests", dependencies: ["TargetConfig", "Bytes"],
      swiftSettings: testing),
    .testTarget(
      name: "AdministrationModelTests", dependencies: ["AdministrationModel"],
      swiftSettings: testing),
    .testTarget(
      name: "AdministrationServerTests",
      dependencies: [
        "AdministrationServer", "AdministrationClient", "AdministrationModel", "CTestSupport",
        "ServiceFixtures", .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: testing),
    .testTarget(
      name: "AdministrationCommandsTests",
      dependencies: ["AdministrationCommands", "AdministrationModel", "TargetConfig"],
      swiftSettings: testing),
    .testTarget(
      name: "TgtCommandsTests",
      dependencies: [
        "TgtCommands", "AdministrationClient", "AdministrationModel", "AdministrationServer",
        "ConfigurationChanges", "TargetConfig", .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Golden"], swiftSettings: testing),
    .testTarget(
      name: "TargetcliCommandsTests",
      dependencies: [
        "TargetcliCommands", "AdministrationModel", "ConfigurationChanges", "TargetConfig",
        "Bytes",
      ],
      swiftSettings: testing),
    .testTarget(
      name: "TargetDaemonTests",
      dependencies: [
        "TargetDaemon", "AdministrationClient", "AdministrationModel", "AdministrationServer",
        "ConfigurationChanges", "TargetConfig", "ISCSITarget", "ISCSIModel", "SCSITarget",
        "SCSIModel", "BackingStore", "Reactor", "Bytes", "CLinux", "CTestSupport",
        "ServiceFixtures",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: testing),
  ]
)

// Fuzzers are built only by scripts/test (stage fuzz), which instruments them; they never ship.
if Context.environment["FUZZ"] == "1" {
  let fuzzers = [
    "CommandFuzz": ["ProofKit", "SCSIModel"],
    "ConfigurationFuzz": ["TargetConfig"],
    "ParameterListFuzz": ["SCSIModel"],
    "LoginFuzz": ["TargetSimulation", "ISCSITarget", "ISCSIModel", "Reactor"],
    "PDUStreamFuzz": ["TargetSimulation", "ISCSITarget", "ISCSIModel", "Reactor", "Bytes"],
    "TextFuzz": ["ISCSIModel"],
  ]
  package.targets.append(
    .target(
      name: "FuzzDriver", path: "Tests/Fuzz/FuzzDriver",
      swiftSettings: [.swiftLanguageMode(.v6), .enableExperimentalFeature("Extern")]))
  let seeds = ["CommandFuzz": ["Corpus", "Dictionary"], "ConfigurationFuzz": []]
  for (name, subjects) in fuzzers {
    package.products.append(.executable(name: name, targets: [name]))
    package.targets.append(
      .executableTarget(
        name: name,
        dependencies: [.byName(name: "FuzzDriver")] + subjects.map { .byName(name: $0) },
        path: "Tests/Fuzz/\(name)", exclude: seeds[name] ?? ["Corpus"],
        swiftSettings: [.swiftLanguageMode(.v6)]))
  }
}

// The proofs run long, and allocations are those of optimised code (scripts/test, stage proofs).
if Context.environment["PROOFS"] == "1" {
  package.products += ["Proofs", "Allocations"].map { .executable(name: $0, targets: [$0]) }
  package.targets += [
    .executableTarget(
      name: "Proofs", dependencies: ["ProofKit"], path: "Tests/Proofs/Proofs",
      swiftSettings: testing),
    .target(name: "AllocationCounter", path: "Tests/Proofs/AllocationCounter"),
    .executableTarget(
      name: "Allocations",
      dependencies: [
        "AllocationCounter", "ISCSITarget", "ISCSIModel", "SCSITarget", "BackingStore", "Reactor",
        "Bytes", .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Proofs/Allocations", swiftSettings: testing,
      // So that call stacks have names.
      linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic"])]),
  ]
}

// The data plane alone, for the stages of scripts/test that instrument it: they leave out what stands on
// swift-nio, which takes longer to build than all the rest.
if Context.environment["DATA_PLANE"] == "1" {
  let others = [
    "Administration", "CommandSupport", "ConfigurationChanges", "Targetcli", "TargetDaemon", "Tgt",
    "swift-", "targetcli", "tgt",
  ]
  package.products.removeAll { product in others.contains { product.name.hasPrefix($0) } }
  package.targets.removeAll { target in others.contains { target.name.hasPrefix($0) } }
}
