internal import AdministrationModel
internal import TargetConfig

extension ConfigurationFile {
  /// What hangs as one with it (`MediaThreads`).
  var place: String { FilePath.directory(of: name) }

  /// What `look` comes to, on a thread that may hang with the file's disk, or with that of a
  /// secret. For the thread for changes.
  func inTime<Found: Sendable>(
    on media: MediaThreads,
    _ look: @escaping @Sendable () throws(AdministrationError) -> Found
  ) throws(AdministrationError) -> Found {
    let found = media.askOfText(at: place) {
      Result { () throws(AdministrationError) in try look() }
    }
    guard let found else { throw .silent(self) }
    return try found.get()
  }
}
