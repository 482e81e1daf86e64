internal import TargetConfig

/// A targets.conf with blocks of one name put together.
struct TgtAdminConfiguration: Equatable {
  typealias Entry = TargetsConf.Entry

  struct Target: Equatable {
    var name: String
    var entries: [Entry]

    /// The last line of that name.
    subscript(_ name: String) -> String? {
      entries.last { $0.name == name && $0.entries == nil }?.value
    }

    func values(_ name: String) -> [String] {
      entries.filter { $0.name == name && $0.entries == nil }.map(\.value)
    }

    /// A backing-store or direct-store, with what stands in its block.
    struct Store: Equatable {
      var path: String
      var options: [Entry]

      subscript(_ name: String) -> String? { options.last { $0.name == name }?.value }
    }

    /// In the order of their paths, in which tgt-admin makes them.
    func stores(_ kind: String) -> [Store] {
      var stores: [String: Store] = [:]
      for entry in entries where entry.name == kind {
        stores[entry.value, default: Store(path: entry.value, options: [])].options +=
          entry.entries ?? []
      }
      return stores.values.sorted { $0.path < $1.path }
    }
  }

  /// Lines outside of targets.
  var global: [Entry]
  /// By name.
  var targets: [Target]

  init(_ file: TargetsConf) {
    global = file.entries.filter { $0.entries == nil }
    var targets: [String: Target] = [:]
    for entry in file.entries where entry.name == "target" {
      guard let entries = entry.entries else { continue }
      targets[entry.value, default: Target(name: entry.value, entries: [])].entries += entries
    }
    self.targets = targets.values.sorted { $0.name < $1.name }
  }

  subscript(_ name: String) -> String? { global.last { $0.name == name }?.value }

  func target(_ name: String) -> Target? { targets.first { $0.name == name } }
}
