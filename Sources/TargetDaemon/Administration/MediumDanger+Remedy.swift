internal import AdministrationModel
internal import BackingStore
internal import TargetConfig

extension MediumDanger {
  /// What to do about it, step by step, in commands that lose nothing.
  ///
  /// A file without a name gets none back: the kernel makes no link to it. So it is copied, which
  /// is of use only while nobody writes. `ln` puts back a name where mv would copy a file to
  /// another file system, and delete what is served.
  var remedy: String {
    let place = FilePath.shellQuoted(path)
    return switch change {
    case .missing(.nothing):
      "do not stop the daemon; have the nodes log out; \(copy(to: place)); only then: \(Self.restart)"
    case .missing(.path(let name)): "put it back, while it serves: \(link(name, place))"
    case .missing(.elsewhere):
      "find it: \(search); put it back, while it serves: ln -T FOUND \(place)"
    case .replaced(.nothing):
      """
      do not stop the daemon; have the nodes log out; \(copy(to: "NEWFILE")); put NEWFILE in the place \
      of \(place); only then: \(Self.restart); or, when no node uses it and such a copy is in place, or \
      what is there is to be served instead: \(Self.restart)
      """
    case .replaced(.path(let name)):
      """
      put its own back, while it serves: mv -nT \(place) \(place).other && \(link(name, place)); \
      \(Self.serveOther)
      """
    case .replaced(.elsewhere) where kind == .file:
      "find its own: \(search); put that back; \(Self.serveOther)"
    case .replaced:
      """
      look at it: ls -lL \(place); put its own back, or give the store a path that stays, as in \
      /dev/disk/by-id; \(Self.serveOther)
      """
    case .cut(_, let presented) where kind == .file:
      "\(Self.restore); or go on with zeros there: truncate -s '>\(presented)' \(place)"
    case .cut: Self.restore
    }
  }

  private static let restore = "find who cut it; restore what is missing from a backup"
  /// It ends what the daemon has open of the others, too.
  private static let restart =
    "systemctl restart swift-tgtd, if swift-tgtadm status tells of no other store in danger"
  private static let serveOther =
    "or, when no node uses it, serve what is there now: \(restart)"

  private func link(_ name: String, _ place: String) -> String {
    "ln -T \(FilePath.shellQuoted(name)) \(place)"
  }

  private func copy(to place: String) -> String {
    "test ! -e \(place) && cp -p --sparse=always \(openPath) \(place) && sync \(place)"
  }

  private var search: String { "find -H / -samefile \(openPath)" }

  var reason: StoreReason {
    switch change {
    case .missing(.nothing): .mediumDeleted
    case .missing: .mediumMoved
    case .replaced: .mediumReplaced
    case .cut: .mediumCut
    }
  }
}
