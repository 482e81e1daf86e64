internal import TargetConfig

/// The attributes of a portal group.
enum GroupAttributes {
  private static let fixed: [String: String] = [
    "default_erl": "0", "demo_mode_discovery": "1", "fabric_prot_type": "0",
    "login_keys_workaround": "1", "netif_timeout": "2", "prod_mode_write_protect": "0",
    "t10_pi": "0", "tpg_enabled_sendtargets": "1",
  ]

  static var names: [String] {
    (fixed.keys + [
      "authentication", "cache_dynamic_acls", "default_cmdsn_depth", "demo_mode_write_protect",
      "generate_node_acls",
    ]).sorted()
  }

  static func settings(
    _ group: PortalGroup, _ iscsi: TargetConfiguration.Negotiation?,
    _ limits: TargetConfiguration.Limits?
  ) -> [Setting] {
    fixed.map { Setting($0, $1) } + [
      Setting(
        "authentication", Truth.number(group.asksUsers),
        "If set to 1, initiators must prove themselves."),
      Setting("cache_dynamic_acls", Truth.number(group.cacheDynamicACLs), "Without effect."),
      Setting(
        "default_cmdsn_depth",
        "\(iscsi?.queueDepth ?? TargetConfiguration.Negotiation.standard.queueDepth)",
        "Commands of one session in flight."),
      Setting(
        "demo_mode_write_protect", Truth.number(group.demoModeWriteProtect),
        "If set to 1, initiators without an ACL may not write."),
      Setting(
        "generate_node_acls", Truth.number(group.generateNodeACLs),
        "If set to 1, initiators without an ACL get in, too."),
      Setting(
        "login_timeout",
        "\((limits ?? .standard).loginTimeoutSeconds)", "Seconds that a login may take."),
    ]
  }
}
