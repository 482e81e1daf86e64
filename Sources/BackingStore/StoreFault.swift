#if FAULT_INJECTION
  /// What goes wrong with which requests of a store. For tests and for operators who rehearse; no
  /// build that ships knows of it.
  public struct StoreFault: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
      case read
      case write
      case synchronize
      /// Deallocating and zeroing.
      case discard
    }

    public enum Effect: Sendable, Equatable {
      /// Begins so many milliseconds later, by chance within the range: what is delayed lands late.
      case delay(ClosedRange<UInt32>)
      /// Ends with the failure, and does nothing.
      case failure(StoreFailure)
      /// Neither begins nor ends until released.
      case stop
    }

    public var effect: Effect
    /// nil: all kinds.
    public var kind: Kind?
    /// Only requests that touch this range of bytes; a synchronize touches every range.
    public var range: Range<UInt64>?
    /// How many requests that match are let through first.
    public var skipping: Int
    /// How many are hit; nil: all that follow.
    public var count: Int?

    public init(
      _ effect: Effect, on kind: Kind? = nil, in range: Range<UInt64>? = nil, skipping: Int = 0,
      count: Int? = nil
    ) {
      self.effect = effect
      self.kind = kind
      self.range = range
      self.skipping = skipping
      self.count = count
    }

    func matches(_ request: StoreRequest) -> Bool {
      if let kind, kind != request.operation.faultKind { return false }
      guard let range, request.operation != .synchronize else { return true }
      let end = request.offset.addingReportingOverflow(request.count)
      return request.offset < range.upperBound
        && range.lowerBound < (end.overflow ? .max : end.partialValue)
    }
  }

  extension StoreRequest.Operation {
    fileprivate var faultKind: StoreFault.Kind {
      switch self {
      case .read, .findExtents: .read
      case .write: .write
      case .synchronize: .synchronize
      case .punchHole, .zeroRange: .discard
      }
    }
  }
#endif
