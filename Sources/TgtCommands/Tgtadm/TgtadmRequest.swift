/// What tgtadm is asked to do.
struct TgtadmRequest: Equatable {
  enum Mode: String, CaseIterable {
    case system, target, logicalunit, portal, session, connection, account, lld

    init?(argument: String) {
      switch argument {
      case "sys": self = .system
      case "tgt": self = .target
      case "lu": self = .logicalunit
      case "pt": self = .portal
      case "sess": self = .session
      case "conn": self = .connection
      default: self.init(rawValue: argument)
      }
    }
  }

  /// In the order of their numbers, which one message of tgtadm shows.
  enum Operation: String, CaseIterable {
    case new, delete, show, bind, unbind, update, stat, start, stop

    var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  }

  enum Purpose: Equatable {
    case help, version
    case operate(Operation, Mode)
  }

  var purpose = Purpose.help
  var lld: String?
  var tid: Int?
  var sid: UInt64?
  var cid: UInt64?
  var lun: UInt64?
  var controlPort = 0
  var name: String?
  var value: String?
  var backingStore: String?
  var backingStoreType: String?
  var backingStoreOptions: String?
  var backingStoreFlags: String?
  var blockSize: String?
  var targetName: String?
  var initiatorAddress: String?
  var initiatorName: String?
  var user: String?
  var password: String?
  var parameters: String?
  var bus: String?
  /// As given; `tape` and its like have been looked up.
  var deviceType = "disk"
  var isForced = false
  var isOutgoing = false
  /// The short names of the options that were given, in their order.
  var given: [Character] = []

  static let options = [
    OptionDescription("d", "debug", value: false), OptionDescription("h", "help", value: false),
    OptionDescription("V", "version", value: false), OptionDescription("L", "lld"),
    OptionDescription("o", "op"), OptionDescription("m", "mode"), OptionDescription("t", "tid"),
    OptionDescription("s", "sid"), OptionDescription("c", "cid"), OptionDescription("l", "lun"),
    OptionDescription("n", "name"), OptionDescription("v", "value"),
    OptionDescription("b", "backing-store"), OptionDescription("E", "bstype"),
    OptionDescription("S", "bsopts"), OptionDescription("f", "bsoflags"),
    OptionDescription("y", "blocksize"), OptionDescription("T", "targetname"),
    OptionDescription("I", "initiator-address"), OptionDescription("Q", "initiator-name"),
    OptionDescription("u", "user"), OptionDescription("p", "password"),
    OptionDescription("H", "host"),
    OptionDescription("F", "force", value: false, shortValue: true),
    OptionDescription("P", "params"), OptionDescription("B", "bus"),
    OptionDescription("Y", "device-type"),
    OptionDescription("O", "outgoing", value: false, shortValue: true),
    OptionDescription("C", "control-port"),
  ]

  static let deviceTypes: Set<String> = ["disk", "tape", "cd", "changer", "osd", "ssc", "pt"]
}
