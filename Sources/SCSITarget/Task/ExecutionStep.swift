/// What the end of a task's store operation in flight means: where its command goes on.
enum ExecutionStep: UInt8, Sendable {
  /// It was the last: GOOD.
  case finish
  /// A read: the data is there to send.
  case returnBlocks
  /// A write: GOOD, unless durability is due that it was not given.
  case finishWrite
  /// SYNCHRONIZE for a READ with FUA: read now.
  case readAfterSynchronize
  /// A write to be verified: read it back.
  case verifyAfterWrite
  /// A piece read for comparison.
  case compare
  /// The deallocation of a WRITE SAME's range; if the store cannot, zero it.
  case writeSameByDeallocation
  /// The zeroing of a WRITE SAME's range; if the store cannot, write zeros.
  case writeSameByZeroing
  /// WRITE SAME has written a piece: the next, if any.
  case writtenPiece
  /// A range of UNMAP: the next, if any.
  case unmapRange
  /// SYNCHRONIZE for a MODE SELECT that turns the write cache off.
  case changeModes
  /// SYNCHRONIZE for a START STOP UNIT that stops.
  case stopUnit
  /// COMPARE AND WRITE has read: compare, then write.
  case compareThenWrite
  /// ORWRITE has read a piece: unite it with the data, then write.
  case uniteThenWrite
  /// ORWRITE has written a piece: the next, if any.
  case unitedPiece
  /// PRE-FETCH has read a piece: the next, if any.
  case preFetchedPiece
  /// The extents are known: report them.
  case reportExtents
}
