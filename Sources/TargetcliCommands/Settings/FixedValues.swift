/// Attributes of LIO that hold here as they are, whatever somebody would like.
enum FixedValues {
  static let acl: [String: String] = [
    "dataout_timeout": "3", "dataout_timeout_retries": "5", "default_erl": "0",
    "nopin_response_timeout": "30", "nopin_timeout": "15", "random_datain_pdu_offsets": "0",
    "random_datain_seq_offsets": "0", "random_r2t_offsets": "0",
  ]

  static let alua: [String: String] = [
    "alua_access_state": "0", "alua_access_status": "0", "alua_access_type": "1",
    "alua_write_metadata": "0", "preferred": "0", "tg_pt_gp_id": "0",
  ]

  /// What is so already may be asked for.
  static func check(
    _ name: String, _ value: String, _ usual: String?, of what: String
  ) throws(ExecutionError) {
    guard let usual, usual != value else { return }
    throw ExecutionError("\(name) is \(usual) here and cannot be chosen for \(what).")
  }
}
