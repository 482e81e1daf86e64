// Keys of the login negotiation by their names in RFC 7143 §13, which all sources share.

extension ImportDraft {
  /// The protocol's range for lengths (RFC 7143 §13.12 to §13.14).
  private static let lengths = 512...16_777_215

  /// Whether `key` is one of the negotiation. Its value is kept, or a note says why not.
  mutating func negotiate(
    _ key: String, _ value: String, _ iscsi: inout TargetConfiguration.Negotiation,
    _ place: ImportPlace
  ) -> Bool {
    switch key {
    case "HeaderDigest": digest(key, value, &iscsi.headerDigest, place)
    case "DataDigest": digest(key, value, &iscsi.dataDigest, place)
    case "MaxRecvDataSegmentLength":
      number(key, value, Self.lengths, &iscsi.maxRecvDataSegmentLength, place)
    case "MaxBurstLength": number(key, value, Self.lengths, &iscsi.maxBurstLength, place)
    case "FirstBurstLength": number(key, value, Self.lengths, &iscsi.firstBurstLength, place)
    case "InitialR2T": boolean(key, value, &iscsi.initialR2T, place)
    case "ImmediateData": boolean(key, value, &iscsi.immediateData, place)
    case "MaxOutstandingR2T": number(key, value, 1...8, &iscsi.maxOutstandingR2T, place)
    case "MaxConnections": number(key, value, 1...8, &iscsi.maxConnections, place)
    case "DefaultTime2Wait": number(key, value, 0...3600, &iscsi.defaultTime2WaitSeconds, place)
    case "DefaultTime2Retain":
      number(key, value, 0...3600, &iscsi.defaultTime2RetainSeconds, place)
    case "MaxQueueCmd", "QueuedCommands", "default_cmdsn_depth":
      let depths = 1...TargetConfiguration.Negotiation.queueDepthMax
      number(key, value, depths, &iscsi.queueDepth, place)
    case "NopInInterval": number(key, value, 0...3600, &iscsi.nopIntervalSeconds, place)
    case "NopInTimeout": number(key, value, 1...3600, &iscsi.nopTimeoutSeconds, place)
    default: return fixed(key, value, place)
    }
    return true
  }

  /// Keys whose value the target does not choose here.
  private mutating func fixed(_ key: String, _ value: String, _ place: ImportPlace) -> Bool {
    let usual: String
    switch key {
    case "DataPDUInOrder", "DataSequenceInOrder": usual = "Yes"
    case "ErrorRecoveryLevel", "default_erl": usual = "0"
    case "IFMarker", "OFMarker": usual = "No"
    case "IFMarkInt", "OFMarkInt", "MaxXmitDataSegmentLength": usual = value
    default: return false
    }
    if value.lowercased() != usual.lowercased() {
      note(place, "\(key) \(value.quoted) cannot be chosen here: it is always \(usual)")
    }
    return true
  }

  private mutating func digest(
    _ key: String, _ value: String, _ policy: inout TargetConfiguration.DigestPolicy,
    _ place: ImportPlace
  ) {
    let offered = value.split(separator: ",").map {
      $0.lowercased().filter { !$0.isWhitespace }
    }
    switch (offered.contains("none"), offered.contains("crc32c")) {
    case (true, true): policy = .any
    case (true, false): policy = .none
    case (false, true): policy = .crc32c
    case (false, false): note(place, "\(key) \(value.quoted) is not known: not kept")
    }
  }

  private mutating func number(
    _ key: String, _ value: String, _ range: ClosedRange<Int>, _ result: inout Int,
    _ place: ImportPlace
  ) {
    guard let number = Int(value), range.contains(number) else {
      note(
        place,
        "\(key) \(value.quoted) is not possible here (\(range.lowerBound) to "
          + "\(range.upperBound)): \(result) is used")
      return
    }
    result = number
  }

  private mutating func boolean(
    _ key: String, _ value: String, _ result: inout Bool, _ place: ImportPlace
  ) {
    switch value.lowercased() {
    case "yes": result = true
    case "no": result = false
    default: note(place, "\(key) \(value.quoted) is neither Yes nor No: not kept")
    }
  }
}
