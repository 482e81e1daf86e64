internal import BackingStore
internal import TargetConfig

// Which disk a medium was to initiators, where that follows from the name of its store alone.
extension UnitWorkshop {
  /// Stores that bring a medium back under another name, and so as another disk: whoever has it by
  /// its WWID, as multipath does, does not find it any more. A sentence for each.
  func renamings(
    of opened: [StoreAssembly.Opened], in configuration: TargetConfiguration
  ) -> [String] {
    let renamings = renamings(
      Self.media(of: opened), configured: Set(configuration.stores.map(\.name)))
    return renamings.map { renaming in
      let path = configuration.store(named: renaming.store)?.medium.path ?? ""
      return
        "stores.\(renaming.store): \(path) was served as the store \"\(renaming.former)\" with "
        + "the WWID naa.\(renaming.identity.hexadecimal) so far, and is another disk now: to keep "
        + "it the same, give \"\(renaming.store)\" \"naa\": \"\(renaming.identity.hexadecimal)\" "
        + "and \"serial\": \"\(renaming.identity.serial)\" before anybody uses it"
    }
  }

  /// Paths by names: of stores whose identifiers are made here. A file that is made now was no disk
  /// before.
  static func media(of opened: [StoreAssembly.Opened]) -> [String: String] {
    let paths = opened.compactMap { opened -> (String, String)? in
      let isThere = opened.onDisk?.isMade == false || opened.awaited != nil
      guard isThere, opened.configured.naa == nil, let path = opened.configured.medium.path else {
        return nil
      }
      return (opened.configured.name, path)
    }
    return Dictionary(paths, uniquingKeysWith: { one, _ in one })
  }
}
