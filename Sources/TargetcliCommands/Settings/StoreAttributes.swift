internal import AdministrationModel

/// The attributes of a storage object: a few are keys of the store, the rest is as it is.
enum StoreAttributes {
  private static let fixed: [String: String] = [
    "alua_support": "1", "emulate_3pc": "1", "emulate_caw": "1", "emulate_dpo": "1",
    "emulate_fua_read": "1", "emulate_fua_write": "1", "emulate_pr": "1",
    "emulate_rest_reord": "0", "emulate_rsoc": "1", "emulate_tas": "1",
    "emulate_ua_intlck_ctrl": "0", "enforce_pr_isids": "1", "force_pr_aptpl": "0",
    "pgr_support": "1", "pi_prot_format": "0", "pi_prot_type": "0", "pi_prot_verify": "0",
  ]

  static var names: [String] {
    (fixed.keys + [
      "block_size", "emulate_model_alias", "emulate_tpu", "emulate_tpws", "emulate_write_cache",
    ]).sorted()
  }

  static func settings(_ store: StoreResource) -> [Setting] {
    let unmaps = Truth.number(store.discard == "unmap")
    let size = "\(store.blockSize ?? 512)"
    return fixed.map { Setting($0, $1) } + [
      Setting("block_size", size, "Block size of the underlying device."),
      Setting("emulate_model_alias", Truth.number(store.product == modelAlias(store))),
      Setting("emulate_tpu", unmaps, "If set to 1, UNMAP gives space back."),
      Setting("emulate_tpws", unmaps, "If set to 1, WRITE SAME gives space back."),
      Setting("emulate_write_cache", Truth.number(store.isWriteBack)),
      Setting("hw_block_size", size, isWritable: false),
      Setting("hw_pi_prot_type", "0", isWritable: false),
    ]
  }

  private static func modelAlias(_ store: StoreResource) -> String {
    String(decoding: store.name.utf8.prefix(16), as: UTF8.self)
  }

  /// Keys of the configuration; empty where all is so already.
  static func values(
    _ named: [(name: String, value: String)], of store: StoreResource
  ) throws(ExecutionError) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for (name, value) in named {
      switch name {
      case "emulate_tpu", "emulate_tpws":
        values["discard"] = .text(try Truth.parse(value) ? "unmap" : "ignore")
      case "emulate_write_cache":
        let isDirect = store.cache == "none" || store.cache == "directsync"
        values["cache"] = .text(
          try Truth.parse(value)
            ? (isDirect ? "none" : "writeback") : (isDirect ? "directsync" : "writethrough"))
      case "block_size":
        guard let size = Int64(value) else {
          throw ExecutionError("Not setting \(name)! Syntax error, '\(value)' is not a number.")
        }
        values["blockSize"] = .integer(size)
      case "emulate_model_alias":
        values["product"] = try Truth.parse(value) ? .text(modelAlias(store)) : .null
      default: try FixedValues.check(name, value, fixed[name], of: "a storage object")
      }
    }
    let unchanged: [String: JSONValue] = [
      "discard": .text(store.discard), "cache": .text(store.cache),
      "product": .text(store.product),
      "blockSize": .integer(Int64(store.blockSize ?? 0)),
    ]
    return values.filter { unchanged[$0.key] != $0.value }
  }
}
