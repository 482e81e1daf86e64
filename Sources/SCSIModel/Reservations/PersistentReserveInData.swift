internal import Bytes

// The answers of PERSISTENT RESERVE IN (SPC-4 §6.15). All of them whole: ADDITIONAL LENGTH counts
// all that there is, and the ALLOCATION LENGTH cuts what is sent.

extension ReservationState {
  /// READ KEYS (§6.15.2): PRGENERATION in bytes 0–3, ADDITIONAL LENGTH in 4–7, then the keys, one
  /// per nexus, so that the key of a host with two paths comes twice.
  public func readKeys() -> [UInt8] {
    var writer = ByteWriter(reserving: 8 + registrations.count * 8)
    writer.uint32(generation)
    writer.uint32(UInt32(registrations.count * 8))
    for registration in registrations { writer.uint64(registration.key) }
    return writer.bytes
  }

  /// READ RESERVATION (§6.15.3).
  ///
  /// | byte  | field                                                     |
  /// |-------|-----------------------------------------------------------|
  /// | 0–3   | PRGENERATION                                              |
  /// | 4–7   | ADDITIONAL LENGTH: 16 with a reservation, else 0           |
  /// | 8–15  | RESERVATION KEY of the holder, 0 if every registrant is one |
  /// | 21    | bits 7–4 SCOPE 0, bits 3–0 TYPE                            |
  public func readReservation() -> [UInt8] {
    var writer = ByteWriter(reserving: 24)
    writer.uint32(generation)
    guard let reservation else {
      writer.uint32(0)
      return writer.bytes
    }
    writer.uint32(16)
    writer.uint64(reservation.holder.flatMap(key(of:)) ?? 0)
    writer.zeros(5)
    writer.uint8(reservation.type.rawValue)
    writer.zeros(2)
    return writer.bytes
  }

  /// REPORT CAPABILITIES (§6.15.4).
  ///
  /// | byte | field                                                                       |
  /// |------|-----------------------------------------------------------------------------|
  /// | 0–1  | LENGTH 8                                                                    |
  /// | 2    | bit 7 RLR_C, bit 4 CRH, bit 3 SIP_C, bit 2 ATP_C, bit 0 PTPL_C: all set       |
  /// | 3    | bit 7 TMV, bits 6–4 ALLOW COMMANDS, bit 0 PTPL_A                             |
  /// | 4    | bit 7 WR_EX_AR, bit 6 EX_AC_RO, bit 5 WR_EX_RO, bit 3 EX_AC, bit 1 WR_EX       |
  /// | 5    | bit 0 EX_AC_AR                                                              |
  ///
  /// ALLOW COMMANDS 001b: TEST UNIT READY passes every type. Whether the commands that read
  /// parameters pass write exclusive types is left unsaid, for it differs among them.
  public func reportCapabilities() -> [UInt8] {
    [0, 8, 0x9D, 0x90 | (persistsThroughPowerLoss ? 0x01 : 0), 0xEA, 0x01, 0, 0]
  }

  /// READ FULL STATUS (§6.15.5): a header as of READ KEYS, then for each registration
  ///
  /// | byte  | field                                                        |
  /// |-------|--------------------------------------------------------------|
  /// | 0–7   | RESERVATION KEY                                              |
  /// | 12    | bit 1 ALL_TG_PT 0: each port's registration is listed; bit 0 R_HOLDER |
  /// | 13    | SCOPE and TYPE, of a holder                                  |
  /// | 18–19 | RELATIVE TARGET PORT IDENTIFIER                              |
  /// | 20–23 | ADDITIONAL DESCRIPTOR LENGTH                                 |
  /// | 24…   | TransportID                                                  |
  ///
  /// `relativeIdentifier` is that of a target port, within its own target; 0 stands for an unknown
  /// one.
  public func readFullStatus(relativeIdentifier: (TargetPort) -> UInt16?) -> [UInt8] {
    var descriptors = ByteWriter(reserving: registrations.count * 100)
    for registration in registrations {
      let held = isHolder(registration.nexus) ? reservation : nil
      let transportID = TransportID.port(registration.nexus.initiator).encoded
      descriptors.uint64(registration.key)
      descriptors.zeros(4)
      descriptors.uint8(held == nil ? 0 : 0x01)
      descriptors.uint8(held?.type.rawValue ?? 0)
      descriptors.zeros(4)
      descriptors.uint16(relativeIdentifier(registration.nexus.target) ?? 0)
      descriptors.uint32(UInt32(transportID.count))
      descriptors.append(transportID)
    }
    var writer = ByteWriter(reserving: 8 + descriptors.count)
    writer.uint32(generation)
    writer.uint32(UInt32(descriptors.count))
    writer.append(descriptors.bytes)
    return writer.bytes
  }
}
