/// What has befallen the medium of a store that goes on serving by its open descriptor: the next
/// start would find something else at its path, nothing, or less than is presented.
public struct MediumDanger: Sendable, Equatable {
  public enum Change: Sendable, Equatable {
    /// Nothing is at the path.
    case missing(Remains)
    /// Something else is at the path.
    case replaced(Remains)
    /// It ends before what is presented does; both in bytes.
    case cut(to: UInt64, presented: UInt64)
  }

  /// What there is of the medium besides the descriptor.
  public enum Remains: Sendable, Equatable {
    /// Nothing: when the descriptor is closed, the data is gone.
    case nothing
    /// It has that path now.
    case path(String)
    /// It is there, and where is not known.
    case elsewhere
  }

  public let kind: StoreKind
  /// The store's.
  public let path: String
  /// Where the data can be read as long as the store is open: in /proc, of this process.
  public let openPath: String
  public let change: Change

  public init(kind: StoreKind, path: String, openPath: String, _ change: Change) {
    self.kind = kind
    self.path = path
    self.openPath = openPath
    self.change = change
  }

  /// Whether nothing but the descriptor keeps the data.
  public var isLastOfData: Bool {
    switch change {
    case .missing(let remains), .replaced(let remains): remains == .nothing
    case .cut: false
    }
  }
}

extension MediumDanger: CustomStringConvertible {
  /// One sentence, which speaks of the store.
  public var description: String {
    let noun = kind == .file ? "file" : "device"
    return switch change {
    case .missing(.nothing): "its file was deleted: \(Self.lastOfData)"
    case .missing(.path(let path)):
      "its file was renamed to \(path): the next start does not find it"
    case .missing(.elsewhere):
      "its file was renamed, or this name of it deleted: the next start does not find it"
    case .replaced(.nothing):
      "another file is at its path, and its own was deleted: \(Self.lastOfData)"
    case .replaced(.path(let path)):
      "another file is at its path, which the next start would serve: its own is \(path) now"
    case .replaced(.elsewhere):
      "another \(noun) is at its path, which the next start would serve"
    case .cut(let bytes, let presented):
      """
      its \(noun) was cut to \(bytes) bytes, and \(presented) are presented: what lay behind is \
      lost, and reads of it fail
      """
    }
  }

  private static let lastOfData =
    "what it serves is there only until the daemon ends or the store is removed"
}
