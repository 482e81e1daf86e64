import AdministrationClient
import AdministrationModel
import Glibc
import Reactor
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

/// Media whose disk hangs while it is told to; or that of secrets alone.
private final class StuckMedia: Sendable {
  let isStuck = Atomic<Bool>(false)
  private let patience: Milliseconds
  private let isOfSecrets: Bool

  init(patience: Milliseconds = .seconds(60), ofSecrets isOfSecrets: Bool = false) {
    self.patience = patience
    self.isOfSecrets = isOfSecrets
  }

  var threads: MediaThreads {
    MediaThreads(patience: patience) { [self] place in
      guard (place == MediaThreads.secretsPlace) == isOfSecrets else { return }
      while isStuck.load(ordering: .relaxed) { usleep(5000) }
    }
  }
}

/// From when the file was replaced on, that cannot be made to outlast a loss of power; nor, unless
/// it `isReadable`, can the file be looked at.
private final class FailingAfterwards: FaultyFileSystem {
  private let isReplaced = Atomic<Bool>(false)
  private let isReadable: Bool

  init(isReadable: Bool) { self.isReadable = isReadable }

  func rename(_ path: String, to newPath: String) throws(SystemError) {
    try kernel.rename(path, to: newPath)
    if newPath.hasSuffix("/targets.json") { isReplaced.store(true, ordering: .relaxed) }
  }
  func synchronizeDirectory(_ path: String) throws(SystemError) {
    guard !isReplaced.load(ordering: .relaxed) else { throw .inputOutput }
    try kernel.synchronizeDirectory(path)
  }
  func stableContent(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    guard isReadable || !isReplaced.load(ordering: .relaxed) else { throw .inputOutput }
    return try kernel.stableContent(of: path, bytesMax: bytesMax)
  }
}

@Suite("What has become of the configuration file", .serialized, .waiting)
struct LiveFileTests {
  /// The file's own problem.
  private func problem(_ status: StatusResource) -> StatusProblem? {
    status.problems.first { $0.file == status.configurationFile }
  }

  /// As status tells it, which may take a moment.
  private func state(
    of live: LiveDaemon, becomes wanted: ConfigurationFileState, saying words: String = ""
  ) async throws -> StatusResource {
    for _ in 0..<1200 {
      let status = try await live.client.status()
      let message = problem(status)?.message ?? ""
      if status.configurationFileState == wanted, words.isEmpty || message.contains(words) {
        return status
      }
      try await Task.sleep(for: .milliseconds(25))
    }
    return try await live.client.status()
  }

  @Test("Status says that the file was edited, is not valid, is gone, and is good again")
  func tells() async throws {
    let live = try await LiveDaemon.start()
    var status = try await state(of: live, becomes: .unchanged)
    #expect(status.configurationFileState == .unchanged)
    #expect(status.problems.isEmpty)
    #expect(status.stateDirectory == live.scratch("state"))
    let good = try live.file
    try live.edit { $0.replacing("// one", with: "// two") }
    status = try await state(of: live, becomes: .edited)
    #expect(status.configurationFileState == .edited)
    #expect(problem(status)?.message.hasSuffix("was edited since it was read") == true)
    #expect(problem(status)?.remedy?.contains("config diff") == true)
    try live.edit { $0.replacing("\"reactors\"", with: "\"raectors\"") }
    status = try await state(of: live, becomes: .invalid)
    #expect(problem(status)?.message.contains("is not valid: line 11: raectors") == true)
    let file = live.scratch("targets.json")
    #expect(problem(status)?.remedy?.contains("swift-tgtadm config check \(file)") == true)
    unlink(file)
    status = try await state(of: live, becomes: .missing)
    #expect(problem(status)?.message == "configuration file \(file) is gone")
    #expect(problem(status)?.remedy?.contains("config save --force") == true)
    // What cannot be read is not written over, whatever is forced.
    mkdir(file, 0o700)
    status = try await state(of: live, becomes: .invalid)
    #expect(problem(status)?.remedy?.contains("config check \(file)") == true)
    #expect(problem(status)?.remedy?.contains("--force") == false)
    rmdir(file)
    let secret = #""discovery": {"chap": [{"user": "a", "secret": {"file": "/none/of/it"}}]},"#
    let unreadable = good.replacing("\"reactors\"", with: "\(secret) \"reactors\"")
    try live.scratch.write(Array(unreadable.utf8), to: "targets.json")
    status = try await state(of: live, becomes: .invalid, saying: "/none/of/it")
    #expect(problem(status)?.remedy?.contains("--force") == false)
    try live.scratch.write(Array(good.utf8), to: "targets.json")
    status = try await state(of: live, becomes: .unchanged)
    #expect(status.configurationFileState == .unchanged && status.problems.isEmpty)
  }

  @Test("What the daemon writes and reads itself is no edit")
  func ownChanges() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("second")
    #expect(try await state(of: live, becomes: .unchanged).configurationFileState == .unchanged)
    try live.edit { $0.replacing("// one", with: "// two") }
    #expect(try await state(of: live, becomes: .edited).configurationFileState == .edited)
    _ = try await live.client.reload(ChangeOptions())
    #expect(try await state(of: live, becomes: .unchanged).configurationFileState == .unchanged)
  }

  @Test("A secret that others may read makes the file one that the next start refuses")
  func mode() async throws {
    let live = try await LiveDaemon.start()
    let user = "\"chap\": [{\"user\": \"u\", \"secret\": \"123456789012\"}], \"initiators\""
    try live.edit { $0.replacing("\"initiators\"", with: user) }
    _ = try await live.client.reload(ChangeOptions())
    #expect(try await state(of: live, becomes: .unchanged).configurationFileState == .unchanged)
    chmod(live.scratch("targets.json"), 0o644)
    let status = try await state(of: live, becomes: .invalid)
    #expect(problem(status)?.message.contains("0644") == true)
    #expect(problem(status)?.message.contains("123456789012") == false)
    _ = try await live.client.save(ChangeOptions(force: true))
    #expect(FileAccess(ofFileAt: live.scratch("targets.json"))?.mode == 0o600)
  }

  @Test("A disk that hangs under the file does not hold up status")
  func hangingDisk() async throws {
    let media = StuckMedia()
    let live = try await LiveDaemon.start(media: media.threads)
    _ = try await state(of: live, becomes: .unchanged)
    media.isStuck.store(true, ordering: .relaxed)
    try live.edit { $0.replacing("// one", with: "// two") }
    let start = ContinuousClock.now
    for _ in 0..<4 {
      #expect(try await live.client.status().configurationFileState == .unchanged)
    }
    #expect(ContinuousClock.now - start < .seconds(30))
    media.isStuck.store(false, ordering: .relaxed)
    #expect(try await state(of: live, becomes: .edited).configurationFileState == .edited)
  }

  @Test(
    "A hung disk under the configuration file does not hold up what tells of it, or compares it")
  func hangingLinks() async throws {
    let media = StuckMedia(patience: .seconds(1))
    let live = try await LiveDaemon.start(media: media.threads)
    let (client, file) = (live.client, live.scratch("targets.json"))
    _ = try await state(of: live, becomes: .unchanged)
    media.isStuck.store(true, ordering: .relaxed)
    #expect(rename(file, live.scratch("moved.json")) == 0)
    #expect(symlink("moved.json", file) == 0)
    // Where a link leads to is not asked by whoever must not hang with it.
    #expect(try await client.status().configurationFile == file)
    #expect(try await client.configuration().file == file)
    for _ in 0..<2 {
      let error = await #expect(throws: AdministrationError.self) { try await client.difference() }
      #expect(error?.code == .fileFailed)
      #expect(
        error?.message == "the configuration file \(file), or a secret's, does not answer")
    }
    media.isStuck.store(false, ordering: .relaxed)
    var (difference, path): (DifferenceList?, String?) = (nil, nil)
    for _ in 0..<1200 where difference == nil || path != live.scratch("moved.json") {
      difference = try? await client.difference()
      path = try await client.status().configurationFile
      try await Task.sleep(for: .milliseconds(25))
    }
    #expect(difference?.changes.isEmpty == true)
    #expect(path == live.scratch("moved.json"))
  }

  @Test("A hung disk under the configuration file has changes refused in time, and lets others be")
  func hangingChanges() async throws {
    let media = StuckMedia(patience: .seconds(1))
    let live = try await LiveDaemon.start(media: media.threads)
    let (client, text) = (live.client, try live.file)
    let target = Change.addTarget(TargetSpecification(name: "iqn.2026-11.com.example:other"))
    let force = ChangeOptions(force: true)
    media.isStuck.store(true, ordering: .relaxed)
    defer { media.isStuck.store(false, ordering: .relaxed) }
    for refused: @Sendable () async throws -> ChangeResult in [
      { try await client.reload(ChangeOptions()) },
      { try await client.save(force) },
      { try await client.apply(text, force) },
      { try await client.change(ChangeRequest([target], force)) },
      // By now more would only wait there.
      { try await client.change(ChangeRequest([target], ChangeOptions())) },
    ] {
      let start = ContinuousClock.now
      let error = await #expect(throws: AdministrationError.self) { try await refused() }
      #expect(ContinuousClock.now - start < .seconds(30))
      #expect(error?.code == .fileFailed)
      #expect(error?.message.hasSuffix("or a secret's, does not answer") == true)
      #expect(error?.remedy?.contains("--runtime-only") == true)
    }
    try await live.change(target, options: ChangeOptions(runtimeOnly: true))
    #expect(try await client.targets().count == 2)
    #expect(try live.file == text)
  }

  @Test("A hung disk under a secret has changes refused in time, which go on when it answers")
  func hangingSecret() async throws {
    let media = StuckMedia(patience: .seconds(1), ofSecrets: true)
    let live = try await LiveDaemon.start(media: media.threads)
    let (client, text) = (live.client, try live.file)
    media.isStuck.store(true, ordering: .relaxed)
    defer { media.isStuck.store(false, ordering: .relaxed) }
    // By the last more would only wait there.
    for runtimeOnly in [false, true, false, true, false] {
      let error = await #expect(throws: AdministrationError.self) {
        try await live.addLUN("second", options: ChangeOptions(runtimeOnly: runtimeOnly))
      }
      #expect(error?.code == .fileFailed)
      #expect(error?.message.hasPrefix("a file with a secret does not answer") == true)
    }
    let error = await #expect(throws: AdministrationError.self) {
      try await client.apply(text, ChangeOptions())
    }
    #expect(error?.message.hasPrefix("a file with a secret does not answer") == true)
    media.isStuck.store(false, ordering: .relaxed)
    try await live.addLUN("second")
    #expect(try live.isSaved())
  }

  @Test("Without its file a daemon refuses changes as such, and save --force writes it anew")
  func gone() async throws {
    let live = try await LiveDaemon.start()
    let (client, file) = (live.client, live.scratch("targets.json"))
    let before = try live.file
    unlink(file)
    let changes = live.lunAddition("second")
    for refused: @Sendable () async throws -> ChangeResult in [
      { try await client.change(ChangeRequest(changes, ChangeOptions())) },
      { try await client.save(ChangeOptions()) },
    ] {
      let error = await #expect(throws: AdministrationError.self) { try await refused() }
      #expect(error?.code == .fileFailed)
      #expect(error?.message == "the configuration file \(file) is gone")
      #expect(error?.remedy?.contains("config save --force") == true)
    }
    let reload = await #expect(throws: AdministrationError.self) {
      try await client.reload(ChangeOptions())
    }
    #expect(reload?.code == .invalid && reload?.message.hasSuffix("is gone") == true)
    let trial = try await client.save(ChangeOptions(force: true, dryRun: true))
    #expect(trial.savedTo == nil && !trial.differences.isEmpty && !live.exists("targets.json"))
    let saved = try await client.save(ChangeOptions(force: true))
    #expect(saved.savedTo == file)
    #expect(try live.file == before)
    #expect(FileAccess(ofFileAt: file)?.mode == 0o600)
    try await live.addLUN("second")
    #expect(try live.isSaved())
  }

  @Test("save --force writes over a file that is not valid, and keeps what it said for good")
  func overInvalid() async throws {
    let live = try await LiveDaemon.start()
    let before = try live.file
    chmod(live.scratch("targets.json"), 0o644)
    var places: [String] = []
    for text in ["nonsense", "more of it"] {
      try live.edit { _ in text }
      let trial = try await live.client.save(ChangeOptions(force: true, dryRun: true))
      #expect(trial.warnings.count == 1 && trial.warnings[0].contains("it would be kept in"))
      let result = try await live.client.save(ChangeOptions(force: true))
      let kept = try #require(result.warnings.first?.split(separator: " ").last.map(String.init))
      let file = live.scratch("targets.json")
      #expect(result.warnings == ["\(file) is not valid: what it said is kept as \(kept)"])
      #expect(kept.hasPrefix("\(file).rejected-") && FileAccess(ofFileAt: kept)?.mode == 0o600)
      places.append(String(kept.dropFirst(live.scratch("").count)))
      if text == "nonsense" { #expect(try live.file == before) }
      // The previous file is another one with each change.
      try await live.addLUN(text == "nonsense" ? "second" : "third")
    }
    #expect(try live.scratch.read(places[0]) == Array("nonsense".utf8))
    #expect(try live.scratch.read(places[1]) == Array("more of it".utf8))
  }

  @Test("save --force keeps the previous file, and shows nobody the secrets of what is not valid")
  func previous() async throws {
    let live = try await LiveDaemon.start()
    chmod(live.scratch("targets.json"), 0o644)
    try await live.addLUN("second")
    let previous = try live.previousFile
    try live.edit { _ in "{\"secret\": \"123456789012\"" }
    _ = try await live.client.save(ChangeOptions(force: true))
    #expect(try live.previousFile == previous)
    #expect(try live.isSaved())
  }

  @Test("A change or save of which nobody can tell whether it was written is told as unanswered")
  func uncertain() async throws {
    for isValid in [true, false] {
      let live = try await LiveDaemon.start(on: FailingAfterwards(isReadable: false))
      let client = live.client
      if !isValid { try live.edit { _ in "nonsense" } }
      let error = await #expect(throws: AdministrationError.self) {
        if isValid {
          try await live.addLUN("second")
        } else {
          _ = try await client.save(ChangeOptions(force: true))
        }
      }
      #expect(error?.code == .unanswered)
      #expect(error?.message.hasSuffix("was written is not certain: Input/output error") == true)
      #expect(live.daemon.inventory.served.map(\.name) == ["disk"], "what runs is as before")
      #expect(try live.file.contains(isValid ? "second.img" : "disk.img"))
    }
  }

  @Test("A file that says what was to be written was written, whatever failed afterwards")
  func certain() async throws {
    let live = try await LiveDaemon.start(on: FailingAfterwards(isReadable: true))
    try live.edit { _ in "nonsense" }
    let result = try await live.client.save(ChangeOptions(force: true))
    #expect(result.savedTo == live.scratch("targets.json"))
    #expect(try live.isSaved())
    // Nobody else has changed it.
    try await live.addLUN("second", options: ChangeOptions(dryRun: true))
  }

  @Test("save --force does not write over what cannot be read")
  func overUnreadable() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    let user = #""chap": [{"user": "u", "secret": {"file": "none.secret"}}], "initiators""#
    try live.edit { $0.replacing("\"initiators\"", with: user) }
    let edited = try live.file
    let error = await #expect(throws: AdministrationError.self) {
      try await client.save(ChangeOptions(force: true))
    }
    #expect(error?.code == .fileFailed)
    #expect(error?.message.contains("none.secret\" cannot be opened: No such file") == true)
    #expect(error?.remedy == "see to what cannot be read; what it says is not written over unread")
    #expect(try live.file == edited)
  }

  @Test("A file that is wrong is invalid, whatever is wrong with it")
  func oneRule() async throws {
    let live = try await LiveDaemon.start()
    let client = live.client
    let good = try live.file
    for (text, words) in [
      ("\"reactors\"", "raectors"), ("// the disk", "same medium"),
    ] {
      try live.edit { _ in good }
      let twin = "\"twin\": {\"file\": \"disk.img\", \"size\": \"1MiB\"},"
      try live.edit { $0.replacing(text, with: words == "raectors" ? "\"raectors\"" : twin) }
      let error = await #expect(throws: AdministrationError.self) {
        try await client.reload(ChangeOptions())
      }
      #expect(error?.code == .invalid, "\(words): \(error?.message ?? "")")
    }
  }
}
