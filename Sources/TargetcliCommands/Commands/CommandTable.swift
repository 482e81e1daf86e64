/// Which commands each kind of node has.
enum CommandTable {
  static let everywhere = [
    CommandSignature(
      "bookmarks", taking: ["action"], optional: ["bookmark"], "Bookmarks: add, del, go or show."),
    CommandSignature("cd", optional: ["path"], "Goes to another node."),
    CommandSignature("exit", "Ends the shell."),
    CommandSignature(
      "get", optional: ["group"], isOpen: true, "Shows settings of the node: get GROUP [NAME…]."),
    CommandSignature("help", optional: ["topic"], "Shows the commands of the node."),
    CommandSignature("ls", optional: ["path", "depth"], "Shows the tree from the node on."),
    CommandSignature("pwd", "Shows the path of the node."),
    CommandSignature("quit", "Ends the shell."),
    CommandSignature("refresh", "Reads everything again; each command does."),
    CommandSignature(
      "set", optional: ["group"], isOpen: true, "Changes settings: set GROUP NAME=VALUE…."),
    CommandSignature("status", "Shows what is to be said about the node."),
  ]

  static func commands(of kind: NodeKind) -> [CommandSignature] {
    let own = own(kind)
    let names = Set(own.map(\.name))
    return (everywhere + own + root.filter { !names.contains($0.name) })
      .sorted { $0.name < $1.name }
  }

  private static let info = CommandSignature("info", "Shows the values of the node.")

  private static func own(_ kind: NodeKind) -> [CommandSignature] {
    switch kind {
    case .root: []
    case .plugin(let plugin): [creation(plugin), deletion("name", "Deletes it and its LUNs.")]
    case .storageObject, .target, .lun, .portals, .mappedLUN, .acls: [info] + inner(kind)
    case .alua:
      [
        CommandSignature("create", taking: ["name", "tag"], "Not possible here."),
        CommandSignature("delete", taking: ["name"], "Not possible here."),
      ]
    case .iscsi:
      [
        CommandSignature(
          "create", optional: ["wwn"], "Creates a target, under a new name where none is given."),
        deletion("wwn", "Deletes a target with all that is in it."), info,
        CommandSignature("version", "Shows the version of the daemon."),
      ]
    case .group:
      [
        CommandSignature("disable", "Lets nobody in."),
        CommandSignature("enable", "Lets initiators in."), info,
      ]
    case .luns:
      [
        CommandSignature(
          "create", taking: ["storage_object"], optional: ["lun", "add_mapped_luns"],
          "Creates a LUN of a backstore, or of a file or device."),
        deletion("lun", "Deletes a LUN, for all initiators."),
      ]
    case .acl: acl
    case .portal:
      [
        CommandSignature("enable_iser", taking: ["boolean"], "iSER: not possible here."),
        CommandSignature("enable_offload", taking: ["boolean"], "Offloads: not possible here."),
        info,
      ]
    case .backstores, .aluaGroup: []
    }
  }

  private static func inner(_ kind: NodeKind) -> [CommandSignature] {
    switch kind {
    case .target:
      [
        CommandSignature("create", optional: ["tag"], "One portal group is there already."),
        deletion("tag", "Deletes the portal group: with it goes the target."),
      ]
    case .acls:
      [
        CommandSignature(
          "create", taking: ["wwn"], optional: ["add_mapped_luns"], "Lets an initiator in."),
        deletion("wwn", "Lets an initiator in no longer."),
        CommandSignature("tag", taking: ["wwn_or_tag", "new_tag"], "Not possible here."),
        CommandSignature("untag", taking: ["wwn_or_tag"], "Not possible here."),
      ]
    case .portals:
      [
        CommandSignature(
          "create", optional: ["ip_address", "ip_port"], "Makes the target reachable there."),
        CommandSignature("delete", taking: ["ip_address", "ip_port"], "Ends that."),
      ]
    default: []
    }
  }

  private static func deletion(_ name: String, _ summary: String) -> CommandSignature {
    CommandSignature("delete", taking: [name], optional: name == "name" ? ["save"] : [], summary)
  }

  private static func creation(_ plugin: Plugin) -> CommandSignature {
    switch plugin {
    case .block:
      return CommandSignature(
        "create", taking: ["name", "dev"],
        optional: ["readonly", "wwn", "exclusive", "write_back"],
        "Creates a backstore on a block device.")
    case .fileio:
      var signature = CommandSignature(
        "create", taking: ["name", "file_or_dev"],
        optional: ["size", "write_back", "sparse", "wwn", "aio"],
        "Creates a backstore in a file, which is made where it is missing.")
      // The cluster's agents know one name for both kinds.
      signature.aliases = ["dev": "file_or_dev"]
      return signature
    case .ramdisk:
      return CommandSignature(
        "create", taking: ["name", "size"], optional: ["nullio", "wwn"],
        "Creates a backstore in memory, which is empty after each start.")
    }
  }

  private static let acl: [CommandSignature] =
    ["create", "map"].map { name in
      CommandSignature(
        name, taking: ["mapped_lun", "tpg_lun_or_backstore"], optional: ["write_protect"],
        "Shows the initiator a LUN under a number of its own.")
    }
    + ["delete", "unmap"].map { name in
      CommandSignature(name, taking: ["mapped_lun"], "Shows it that LUN no longer.")
    } + [info]

  /// Commands of the root. They are found everywhere: scripts save from where they stand.
  private static let root = [
    CommandSignature(
      "clearconfig", optional: ["confirm"], "Deletes every backstore and target."),
    CommandSignature(
      "restoreconfig", optional: ["savefile", "clear_existing"],
      "Takes over a saveconfig.json, whole."),
    CommandSignature(
      "saveconfig", optional: ["savefile", "backup"],
      "Saves what runs, also as a saveconfig.json where a file is named."),
    CommandSignature(
      "sessions", optional: ["action", "sid"], "Shows sessions: list or detail."),
    CommandSignature("version", "Shows the version of the daemon."),
  ]
}
