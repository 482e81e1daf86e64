internal import BackingStore
internal import Logging
internal import TargetConfig

// What a change leaves that is not made.
extension Preparation {
  /// Of a change that was not made. What it takes away again nobody has ever reached.
  func undo() {
    for socket in sockets { socket.close() }
    daemon.workshop.release(units.map(\.claim))
    // Before their files go: a crash must not leave the one without the other.
    daemon.workshop.withdrawIdentities(of: newNames)
    for resize in resized { warn(resize.growth.flatMap { resize.sizing.undo($0) }) }
    for file in files + watches.compactMap({ $0.giveUp()?.file }) {
      daemon.logger.notice(
        "a change was not made: the store opened for it is closed again",
        metadata: ["path": "\(file.path)"])
      warn(undoOpening(of: file))
    }
    for unit in units { daemon.workshop.forget(unitNamed: unit.name) }
  }

  private func undoOpening(of file: DescriptorStore) -> StoreError? {
    let path = file.path
    let media = daemon.workshop.media
    if file.isMade { daemon.workshop.noteUnserved([path]) }
    // Somebody has found it by now, and keeps it.
    guard media.claim(path) else { return nil }
    let answer = media.ask(at: TargetConfiguration.Medium.file(path: path).place ?? path) {
      defer { media.release(path) }
      return Self.undo(file)
    }
    return answer ?? StoreError(path, .unanswered)
  }

  /// Nobody has written to it. On the thread that may hang.
  static func undo(_ file: DescriptorStore) -> StoreError? {
    if file.isMade {
      file.removeMadeFile()
      return nil
    }
    return StoreSizing.undo(
      StoreSizing.Growth(
        storeBytes: file.geometry.capacityBytes, fileBytes: file.foundFileBytes), of: file)
  }

  private func warn(_ error: StoreError?) {
    guard let error else { return }
    daemon.logger.warning("a file keeps the size it was given", metadata: ["error": "\(error)"])
  }
}
