import TargetConfig

/// A line of targetcli about `tpg1`, the one portal group of the target.
enum AccessLine: Equatable, CustomStringConvertible {
  case create(String)
  case delete(String)
  /// Of an initiator; nil: of tpg1.
  case setAuth(String?, [String])
  case authentication(Bool)
  case generateNodeACLs(Bool)
  case writeProtect(Bool)
  case enable(Bool)
  case createLUN(Int, store: String)
  case deleteLUN(Int)

  var description: String {
    let tpg = "/iscsi/\(Bench.iqn)/tpg1"
    switch self {
    case .create(let name): return "\(tpg)/acls create \(name)"
    case .delete(let name): return "\(tpg)/acls delete \(name)"
    case .setAuth(let name, let values):
      let place = name.map { "\(tpg)/acls/\($0)" } ?? tpg
      return "\(place) set auth " + values.joined(separator: " ")
    case .authentication(let value):
      return "\(tpg) set attribute authentication=\(value ? 1 : 0)"
    case .generateNodeACLs(let value):
      return "\(tpg) set attribute generate_node_acls=\(value ? 1 : 0)"
    case .writeProtect(let value):
      return "\(tpg) set attribute demo_mode_write_protect=\(value ? 1 : 0)"
    case .enable(let value): return "\(tpg) \(value ? "enable" : "disable")"
    case .createLUN(let number, let store):
      return "\(tpg)/luns create /backstores/ramdisk/\(store) lun=\(number)"
    case .deleteLUN(let number): return "\(tpg)/luns delete \(number)"
    }
  }

  var isAboutLUNs: Bool {
    switch self {
    case .createLUN, .deleteLUN: true
    default: false
    }
  }

  var setsUsersOfGroup: Bool {
    if case .setAuth(nil, _) = self { true } else { false }
  }

  func setsUsers(of entry: TargetConfiguration.AccessEntry) -> Bool {
    guard case .setAuth(let name, _) = self else { return false }
    return name.map { $0 == entry.initiator } ?? entry.isEverybody
  }
}
