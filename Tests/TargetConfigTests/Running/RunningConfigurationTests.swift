import Testing

@testable import TargetConfig

private let lab = """
  // The lab.
  {
    "stores": {
      "a": {"memory": true, "size": "1MiB"}, // first
      "b": {"memory": true, "size": "1MiB"},
    },
    "targets": [
      {"name": "iqn.2026-11.com.example:t", "initiators": "any",
       "luns": [{"lun": 1, "store": "a"}]}, // the one
    ],
  }
  """

private let name = "iqn.2026-11.com.example:t"

extension RunningConfiguration {
  /// From what runs to what the file says.
  fileprivate var difference: ConfigurationDifference {
    ConfigurationDifference(from: current.configuration, to: file.configuration)
  }
}

@Suite("A running configuration and its file")
struct RunningConfigurationTests {
  private func started() throws -> RunningConfiguration {
    RunningConfiguration(try loaded(lab))
  }

  private func addLUN(
    _ number: UInt16, _ store: String
  ) -> (inout ConfigurationText) throws(ConfigurationEditError) -> Void {
    { (text: inout ConfigurationText) throws(ConfigurationEditError) in
      try text.addLUN(NewLUN(number: number, store: store), target: name)
    }
  }

  private func paths(_ difference: ConfigurationDifference) -> [String] {
    difference.changes.map(\.path)
  }

  @Test("A change is worked out without being made, and counts once it is committed")
  func commits() throws {
    var running = try started()
    let change = try running.change(.runningAndFile, by: addLUN(2, "b"))
    #expect(paths(change.difference) == ["targets[\(name)].luns[2]"])
    #expect(running.current.configuration.targets[0].luns.map(\.number) == [1])
    running.commit(change)
    #expect(running.current.configuration.targets[0].luns.map(\.number) == [1, 2])
    #expect(running.file.text.text.contains("// the one"))
    #expect(running.difference.isEmpty)
  }

  @Test("A change of what runs alone leaves the file, and a later change of both keeps that")
  func runsOnly() throws {
    var running = try started()
    running.commit(try running.change(.running, by: addLUN(2, "b")))
    #expect(running.file.text.text == lab)
    #expect(paths(running.difference) == ["targets[\(name)].luns[2]"])
    running.commit(try running.change(.runningAndFile, by: addLUN(3, "b")))
    #expect(running.current.configuration.targets[0].luns.map(\.number) == [1, 2, 3])
    #expect(running.file.configuration.targets[0].luns.map(\.number) == [1, 3])
  }

  @Test("What the file cannot take is refused, and says that it is the file")
  func refusesOnlyRunning() throws {
    var running = try started()
    running.commit(try running.change(.running, by: addLUN(2, "b")))
    let remove = { (text: inout ConfigurationText) throws(ConfigurationEditError) in
      try text.removeLUN(2, target: name)
    }
    do throws(ConfigurationRefusal) {
      _ = try running.change(.runningAndFile, by: remove)
      Issue.record("the file has no LUN 2")
    } catch {
      guard case .onlyRunning(.edit(let inner)) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(inner.kind == .notFound)
      #expect("\(error)".contains("the file differs from what runs"))
    }
    #expect(running.current.configuration.targets[0].luns.map(\.number) == [1, 2])
  }

  @Test("An edit that leaves no valid configuration is refused with its place")
  func refusesInvalid() throws {
    let running = try started()
    let shrink = { (text: inout ConfigurationText) throws(ConfigurationEditError) in
      try text.setStoreSize("1000", of: "a")
    }
    do throws(ConfigurationRefusal) {
      _ = try running.change(.runningAndFile, by: shrink)
      Issue.record("1000 bytes are no whole blocks")
    } catch {
      guard case .invalid(let problems) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(problems.problems.map(\.path) == ["stores.a.size"])
      #expect(problems.problems.map(\.line) == [4])
    }
  }

  @Test("Reloading brings what runs to the file, saving brings the file to what runs")
  func reloadsAndSaves() throws {
    var running = try started()
    running.commit(try running.change(.running, by: addLUN(2, "b")))
    let saved = running.save()
    #expect(saved.difference.isEmpty)
    #expect(saved.file?.text.text.contains(#""lun": 2"#) == true)
    let reloaded = running.reload(try loaded(lab))
    #expect(paths(reloaded.difference) == ["targets[\(name)].luns[2]"])
    running.commit(reloaded)
    #expect(running.current.text.text == lab)
    #expect(running.difference.isEmpty)
  }

  @Test("A whole other text replaces what runs, and the file only where asked")
  func replaces() throws {
    var running = try started()
    let change = try running.replacement(.running, by: ConfigurationText("{}"))
    #expect(change.file == nil)
    running.commit(change)
    #expect(running.current.configuration.targets.isEmpty)
    #expect(running.file.text.text == lab)
  }
}
