// The rows for stores and targets.

private typealias Store = TargetConfiguration.Store

extension ObjectShape {
  static let store = ObjectShape(
    name: "store", meaning: "A logical unit and the medium that holds its blocks.",
    keys: mediumKeys + layoutKeys + identityKeys,
    exactlyOne: [["file", "block", "memory", "null"]])

  private static let mediumKeys = [
    KeyDescription(
      name: "file", kind: .text(.path),
      meaning:
        "A regular file; created sparse if it is missing, size is given and the store is new. "
        + "A relative path starts at the directory of this file."),
    KeyDescription(
      name: "block", kind: .text(.devicePath),
      meaning: "A block device, by absolute path; prefer names that stay, as in /dev/disk/by-id."),
    KeyDescription(
      name: "memory", kind: .marker,
      meaning: "Memory of the daemon; the content is gone when it ends. Needs size."),
    KeyDescription(
      name: "null", kind: .marker,
      meaning: "Reads zeros and forgets writes, for measurements. Needs size."),
  ]

  private static let layoutKeys = [
    KeyDescription(
      name: "size", kind: .size(512...ByteSize.bytesMax), unit: "bytes",
      standard: .described("the size of the file or device"),
      meaning: "The capacity, whole blocks: KiB to EiB are powers of 1024, KB to EB powers of "
        + "1000. Not for block devices."),
    KeyDescription(
      name: "blockSize", kind: .integerChoice([512, 4096]), unit: "bytes",
      standard: .described("\(Store.standardBlockSize); for devices their own"),
      meaning: "The logical block size. Changing it makes the content unreadable to initiators."),
    KeyDescription(
      name: "physicalBlockSize",
      kind: .integerChoice([512, 4096, 8192, 16384, 32768, 65536]), unit: "bytes",
      standard: .described("the larger of blockSize and 4096"),
      meaning: "The physical block size that initiators are told, so that they align."),
    KeyDescription(
      name: "cache", kind: .choice(TargetConfiguration.CacheMode.allCases.map(\.rawValue)),
      standard: .described("writeback for files, none for block devices"),
      meaning: "writeback: buffered; none: O_DIRECT; both have a volatile cache that initiators "
        + "flush. writethrough: buffered; directsync: O_DIRECT; both make each write durable."),
    KeyDescription(
      name: "discard", kind: .choice(TargetConfiguration.DiscardMode.allCases.map(\.rawValue)),
      standard: .text(TargetConfiguration.DiscardMode.unmap.rawValue),
      meaning: "unmap: UNMAP gives space back where the medium can; ignore: it is not offered."),
    KeyDescription(
      name: "queueDepth", kind: .integer(1...Int64(Store.queueDepthMax)), unit: "commands",
      standard: .integer(Store.standardQueueDepth),
      meaning: "Commands of all sessions of one reactor in flight; past it TASK SET FULL."),
    KeyDescription(
      name: "readOnly", kind: .boolean, standard: .boolean(false),
      meaning: "Opened for reading only, write-protected for everyone."),
    KeyDescription(
      name: "thinThreshold", kind: .text(.percentage), standard: .described("no warning"),
      meaning: "The used share of the capacity from which on initiators are warned that room runs "
        + "out (unit attention 38/07). For files."),
    KeyDescription(
      name: "thinAvailableThreshold", kind: .text(.percentage),
      standard: .described("what thinThreshold leaves, if that is given; else no warning"),
      meaning: "The share of the capacity that has to stay available, in the store and in its file "
        + "system: when no more is left initiators are warned, too (38/07). For files."),
  ]

  private static let identityKeys = [
    KeyDescription(
      name: "naa", kind: .text(.naa), standard: .described("generated once, kept in the state"),
      meaning: "The WWID: 32 hexadecimal digits that begin with 6. Initiators show it as wwn-0x..."),
    KeyDescription(
      name: "serial", kind: .text(.serial),
      standard: .described("generated once, kept in the state"),
      meaning: "The unit serial number."),
    KeyDescription(
      name: "vendor", kind: .text(.vendor), standard: .text(Store.standardVendor),
      meaning: "The vendor in INQUIRY data."),
    KeyDescription(
      name: "product", kind: .text(.product), standard: .text(Store.standardProduct),
      meaning: "The product in INQUIRY data."),
    KeyDescription(
      name: "removable", kind: .boolean, standard: .boolean(false),
      meaning: "Whether initiators are told that the medium can be taken out (RMB)."),
    KeyDescription(
      name: "rotationRate", kind: .either([.integer(1025...65534), .choice(["none"])]),
      unit: "rotations per minute", standard: .described("as the medium says, none for files"),
      meaning: "What initiators are told of the medium's speed; none: it does not turn, as an SSD."),
    KeyDescription(
      name: "longCommands", kind: .boolean, standard: .boolean(false),
      meaning:
        "Whether READ(32) and its like are served. They are made for protection information, "
        + "which there is none of, and some initiators stumble over commands of 32 bytes in what "
        + "REPORT SUPPORTED OPERATION CODES lists."),
    KeyDescription(
      name: "referrals", kind: .boolean, standard: .boolean(false),
      meaning:
        "Whether initiators that ask are told through which portal groups the blocks can be "
        + "reached (REPORT REFERRALS, VPD page B3h), and once D_SENSE is set in sense data, too: "
        + "a read or write through a group in standby then ends with ABORTED COMMAND."),
  ]

  static let target = ObjectShape(
    name: "target", meaning: "An iSCSI target: logical units under a name, and who may use them.",
    keys: [
      KeyDescription(
        name: "name", kind: .text(.targetName), isRequired: true,
        meaning: "The iSCSI name: iqn.yyyy-mm.reversed.domain:name, eui. or naa. (RFC 7143 "
          + "§4.2.7). It is used in lower case."),
      KeyDescription(
        name: "alias", kind: .text(.alias), standard: .described("none"),
        meaning: "A name for people, TargetAlias (RFC 7143 §13.6)."),
      KeyDescription(
        name: "portalGroups",
        kind: .list(.either([.integer(0...65535), .object(.portalGroup)])),
        standard: .described("all groups"),
        meaning: "The portal groups that serve this target: tags, or objects that also say how its "
          + "units are accessible through them (ALUA)."),
      KeyDescription(
        name: "explicitAlua", kind: .boolean, standard: .boolean(false),
        meaning: "Whether initiators may change the access states (SET TARGET PORT GROUPS). What "
          + "they set lasts until the daemon ends."),
      KeyDescription(
        name: "luns", kind: .list(.object(.lun)), standard: .described("no LUNs"),
        meaning: "The stores that the target presents."),
      KeyDescription(
        name: "chap", kind: .list(.object(.credential)),
        standard: .described("no authentication"),
        meaning: "Any of these users may log in, where no entry of acl names its own."),
      KeyDescription(
        name: "mutualChap", kind: .object(.credential),
        meaning: "How the target proves itself when the initiator asks for it. Needs chap."),
      KeyDescription(
        name: "acl", kind: .list(.object(.accessEntry)), standard: .described("nobody"),
        meaning: "Who may log in. The first entry whose name and addresses match decides."),
      KeyDescription(
        name: "initiators", kind: .choice(["any"]), standard: .described("only those in acl"),
        meaning: "\"any\" lets in whoever matches no entry of acl, by the target's own chap and "
          + "luns: the open door.",
        hint: "initiators by name go into \"acl\""),
      KeyDescription(
        name: "iscsi", kind: .object(.negotiation), standard: .described("the general iscsi"),
        meaning: "What this target negotiates differently."),
    ])

  static let portalGroup = ObjectShape(
    name: "portalGroup", meaning: "A portal group of a target and its access state (SPC-4 §5.15).",
    keys: [
      KeyDescription(
        name: "tag", kind: .integer(0...65535), isRequired: true,
        meaning: "The tag of the portal group."),
      KeyDescription(
        name: "state",
        kind: .choice(TargetConfiguration.AccessState.allCases.map(\.rawValue)),
        standard: .text(TargetConfiguration.AccessState.activeOptimized.rawValue),
        meaning: "How the target's units are accessible through the group. A store that several "
          + "targets present through one group must have one state there."),
      KeyDescription(
        name: "preferred", kind: .boolean, standard: .boolean(false),
        meaning: "Tells initiators to prefer this group."),
    ])

  static let lun = ObjectShape(
    name: "lun", meaning: "A store under a logical unit number.",
    keys: [
      lunNumber,
      KeyDescription(
        name: "store", kind: .text(.storeName), isRequired: true, meaning: "The name of a store."),
      KeyDescription(
        name: "readOnly", kind: .boolean, standard: .boolean(false),
        meaning: "Write-protected through this target."),
    ])

  private static let lunNumber = KeyDescription(
    name: "lun", kind: .integer(0...Int64(TargetConfiguration.LUN.numberMax)), isRequired: true,
    meaning: "The number that initiators see.")

  static let accessEntry = ObjectShape(
    name: "accessEntry", meaning: "An initiator that may log in.",
    keys: [
      KeyDescription(
        name: "initiator", kind: .text(.initiatorName), isRequired: true,
        meaning: "The initiator's iSCSI name, or \"any\"."),
      KeyDescription(
        name: "addresses", kind: .list(.text(.addressRange)), standard: .described("anywhere"),
        meaning: "Addresses or networks it must come from. Both name and address must match."),
      KeyDescription(
        name: "chap", kind: .list(.object(.credential)),
        standard: .described("the target's chap"),
        meaning: "Users of this initiator alone; they replace the target's users for it."),
      KeyDescription(
        name: "mutualChap", kind: .object(.credential),
        standard: .described("the target's mutualChap"),
        meaning: "How the target proves itself to this initiator."),
      KeyDescription(
        name: "luns", kind: .list(.object(.mappedLUN)), standard: .described("the target's luns"),
        meaning: "Exactly what this initiator sees, under its own numbers."),
      KeyDescription(
        name: "readOnly", kind: .boolean, standard: .boolean(false),
        meaning: "Everything is write-protected for this initiator."),
    ])

  static let mappedLUN = ObjectShape(
    name: "mappedLUN", meaning: "A store under the number that one initiator sees.",
    keys: [
      lunNumber,
      KeyDescription(
        name: "store", kind: .text(.storeName),
        meaning: "The name of a store."),
      KeyDescription(
        name: "as", kind: .text(.storeName),
        meaning: "Another spelling of store: \"LUN 0 as quorum1\"."),
      KeyDescription(
        name: "readOnly", kind: .boolean,
        standard: .described("as the target presents that store, else false"),
        meaning: "Write-protected for this initiator."),
    ],
    exactlyOne: [["store", "as"]])
}
