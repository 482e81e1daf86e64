internal import AdministrationModel

/// The tables of `--op stat`. tgt counts for each LUN and session together; here rows of LUNs show
/// what their stores did, for all sessions and LUNs, and have session 0; rows of sessions have
/// LUN 0.
enum StatisticsListing {
  struct Row: Equatable {
    var tid: Int
    var lun: UInt16
    var sid: UInt64
    var counters: IOCounters
  }

  static func table(_ rows: [Row]) -> String {
    "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) wr_subm(bytes,cmds) "
      + "wr_done(bytes,cmds) errs\n" + rows.map(line).joined()
  }

  private static func line(_ row: Row) -> String {
    let counters = row.counters
    let reads = [(13, counters.readBytes), (7, counters.reads)]
    let writes = [(13, counters.writtenBytes), (7, counters.writes)]
    let numbers =
      [(3, UInt64(row.tid)), (4, UInt64(row.lun)), (4, row.sid)] + reads + reads + writes + writes
      + [(5, counters.errors)]
    return numbers.map { padded($0.1, $0.0) }.joined() + "\n"
  }

  static func connections(of session: SessionResource) -> String {
    let heading =
      "sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus\n"
    return heading
      + session.connections.map { connection in
        let numbers = [
          (3, session.id), (4, UInt64(connection.cid)), (14, connection.receivedBytes),
          (14, connection.sentBytes), (13, 0), (12, 0), (9, 0), (9, 0),
        ]
        return numbers.map { padded($0.1, $0.0) }.joined() + "\n"
      }.joined()
  }

  private static func padded(_ number: UInt64, _ width: Int) -> String {
    let digits = "\(number)"
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }
}
