extension TargetConfiguration.Negotiation {
  /// By the keys of the configuration (`ObjectShape.negotiation`), in their order.
  var members: [ConfigurationValue.Member] {
    func length(_ bytes: Int) -> ConfigurationValue {
      .text(ByteSize.description(UInt64(max(bytes, 0))))
    }
    func number(_ number: Int) -> ConfigurationValue { .integer(Int64(number)) }
    return [
      .init("headerDigest", .text(headerDigest.rawValue)),
      .init("dataDigest", .text(dataDigest.rawValue)),
      .init("maxRecvDataSegmentLength", length(maxRecvDataSegmentLength)),
      .init("maxBurstLength", length(maxBurstLength)),
      .init("firstBurstLength", length(firstBurstLength)),
      .init("initialR2T", .boolean(initialR2T)),
      .init("immediateData", .boolean(immediateData)),
      .init("maxOutstandingR2T", number(maxOutstandingR2T)),
      .init("maxConnections", number(maxConnections)),
      .init("defaultTime2Wait", number(defaultTime2WaitSeconds)),
      .init("defaultTime2Retain", number(defaultTime2RetainSeconds)),
      .init("queueDepth", number(queueDepth)),
      .init("nopInterval", number(nopIntervalSeconds)),
      .init("nopTimeout", number(nopTimeoutSeconds)),
    ]
  }

  /// What the key "iscsi" of a target says where the general one is `general`.
  public func overrides(
    of general: TargetConfiguration.Negotiation
  ) -> [ConfigurationValue.Member] {
    zip(members, general.members).filter { $0.value != $1.value }.map { $0.0 }
  }
}
