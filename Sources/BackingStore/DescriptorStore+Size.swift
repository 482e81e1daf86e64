internal import Reactor
internal import Synchronization

// A size that changes while the store serves. Plain, blocking system calls, on helper threads;
// never on a reactor, and one at a time for a store.
//
// The range of every request is checked before it gets here. So whoever makes a store smaller first
// makes its units smaller, and waits until nothing is under way behind the new end; whoever makes
// it larger tells the units afterwards.
extension DescriptorStore {
  /// Gives the file the size `bytes`, which is on stable storage when this returns. A growing file
  /// stays sparse; one that is larger than it is presented stays as large. `allowsShrinking`: what
  /// lies past the end may go, and no unit uses it any more.
  public func resize(to bytes: UInt64, allowsShrinking: Bool = false) throws(StoreError) {
    try checkResize(to: bytes)
    let presented = geometry.capacityBytes
    guard bytes >= presented || allowsShrinking else {
      throw StoreError(path, .wouldShrink(from: presented, to: bytes))
    }
    if bytes < presented { capacityBytes.store(bytes, ordering: .releasing) }
    let actual = try actualSizeBytes()
    if bytes < presented || bytes > actual { try cut(to: bytes) }
    capacityBytes.store(bytes, ordering: .releasing)
  }

  /// What `resize` would refuse before it does anything.
  public func checkResize(to bytes: UInt64) throws(StoreError) {
    guard kind == .file, !capabilities.isReadOnly, state.holdsLock else {
      throw StoreError(path, .notResizable)
    }
    try checkSize(bytes)
  }

  /// Takes back a `resize` that made it larger, of which no unit ever knew: it presents `bytes`
  /// again, and the file has `fileBytes`, both as before.
  public func undoGrowth(to bytes: UInt64, fileBytes: UInt64) throws(StoreError) {
    guard kind == .file, !capabilities.isReadOnly, state.holdsLock else {
      throw StoreError(path, .notResizable)
    }
    capacityBytes.store(bytes, ordering: .releasing)
    if try actualSizeBytes() > fileBytes { try cut(to: fileBytes) }
  }

  /// What the file has, beyond what is presented of it, in bytes.
  public func findExcessBytes() throws(StoreError) -> UInt64 {
    guard kind == .file, configuredSizeBytes != nil else { return 0 }
    let (actual, presented) = (try actualSizeBytes(), geometry.capacityBytes)
    return actual > presented ? actual - presented : 0
  }

  /// How much the file or device has now, in bytes.
  public func findActualBytes() throws(StoreError) -> UInt64 { try actualSizeBytes() }

  private func cut(to bytes: UInt64) throws(StoreError) {
    try attempting("ftruncate") { () throws(SystemError) in
      try descriptor.setSize(bytes)
      try descriptor.synchronize()
    }
  }

  /// The whole blocks, in bytes, that the file or device has now; it may have been resized by
  /// others.
  public func findSizeBytes() throws(StoreError) -> UInt64 {
    let bytes = try actualSizeBytes()
    return bytes - bytes % UInt64(geometry.logicalBlockBytes)
  }

  /// Presents all of the file or device as it is now; the capacity from here on, in bytes.
  /// `allowsShrinking` as for `resize`.
  @discardableResult
  public func adoptSize(allowsShrinking: Bool = false) throws(StoreError) -> UInt64 {
    guard state.holdsLock else { throw StoreError(path, .notResizable) }
    let bytes = try findSizeBytes()
    try checkSize(bytes)
    let presented = geometry.capacityBytes
    guard bytes >= presented || allowsShrinking else {
      throw StoreError(path, .wouldShrink(from: presented, to: bytes))
    }
    capacityBytes.store(bytes, ordering: .releasing)
    return bytes
  }

  private func checkSize(_ bytes: UInt64) throws(StoreError) {
    try StoreOptions(path: path, logicalBlockBytes: geometry.logicalBlockBytes).validateSize(bytes)
  }

  private func actualSizeBytes() throws(StoreError) -> UInt64 {
    switch kind {
    case .file:
      try attempting("fstat") { () throws(SystemError) in try descriptor.status().sizeBytes }
    case .blockDevice:
      try attempting("ioctl") { () throws(SystemError) in try descriptor.deviceSizeBytes() }
    }
  }
}
