internal import AdministrationModel

/// The tables of `list`.
enum Lists {
  static func targets(_ targets: [TargetResource]) -> Table {
    var table = Table(
      .text("TARGET"), .number("LUNS"), .text("ACCESS"), .text("CHAP"), .number("SESSIONS"))
    for target in targets {
      table.add(
        Table.Cell(target.name), Table.Cell(target.luns.count),
        Table.Cell(access(target), target.isOpenToAny ? .attention : .plain),
        Table.Cell(authentication(target)), Table.Cell(target.sessionCount))
    }
    return table
  }

  private static func access(_ target: TargetResource) -> String {
    let entries =
      target.acl.isEmpty
      ? nil : target.acl.count == 1 ? "1 entry" : "\(target.acl.count) entries"
    if target.isOpenToAny { return entries.map { "any, \($0)" } ?? "any" }
    return entries ?? "nobody"
  }

  private static func authentication(_ target: TargetResource) -> String? {
    let isMutual = target.mutualCHAPUser != nil || target.acl.contains { $0.mutualCHAPUser != nil }
    if isMutual { return "mutual" }
    return target.chapUsers.isEmpty && target.acl.allSatisfy(\.chapUsers.isEmpty) ? nil : "yes"
  }

  /// Of all targets, and those that only an entry of an access list shows.
  static func luns(_ targets: [TargetResource]) -> Table {
    var table = Table(
      .text("TARGET"), .text("FOR"), .number("LUN"), .text("STORE"), .number("SIZE"),
      .number("BLOCK"), .text("RIGHTS"), .text("STATE"), .text("WWID"))
    for target in targets {
      for lun in target.luns { add(lun, target.name, nil, to: &table) }
      for entry in target.acl {
        for lun in entry.luns ?? [] { add(lun, target.name, entry.initiator, to: &table) }
      }
    }
    return table
  }

  private static func add(
    _ lun: LUNResource, _ target: String, _ initiator: String?, to table: inout Table
  ) {
    table.add(
      Table.Cell(target), Table.Cell(initiator), Table.Cell(lun.lun), Table.Cell(lun.store),
      Table.Cell(Quantity.size(lun.sizeBytes)), Table.Cell(lun.blockSize.map { "\($0)" }),
      Table.Cell(lun.readOnly ? "ro" : "rw"), state(lun.state), Table.Cell(lun.wwn))
  }

  static func stores(_ stores: [StoreResource]) -> Table {
    var table = Table(
      .text("STORE"), .text("KIND"), .number("SIZE"), .number("USED"), .number("BLOCK"),
      .text("CACHE"), .text("STATE"), .number("LUNS"), .text("PATH"))
    for store in stores {
      table.add(
        Table.Cell(store.name), Table.Cell(store.kind.rawValue),
        Table.Cell(Quantity.size(store.sizeBytes)),
        Table.Cell(Quantity.size(store.allocatedBytes)),
        Table.Cell(store.blockSize.map { "\($0)" }), Table.Cell(store.cache), state(store.state),
        Table.Cell(store.presentedBy.count), Table.Cell(store.path))
    }
    return table
  }

  private static func state(_ state: StoreState) -> Table.Cell {
    Table.Cell(state.rawValue, state == .online ? .plain : .bad)
  }

  /// `showsClosed`: also targets that nobody may log in to.
  static func entries(_ targets: [TargetResource], showsClosed: Bool = false) -> Table {
    var table = Table(
      .text("TARGET"), .text("INITIATOR"), .text("ADDRESSES"), .text("CHAP"), .text("LUNS"),
      .text("RIGHTS"))
    for target in targets {
      if showsClosed, target.acl.isEmpty, !target.isOpenToAny {
        table.add(Table.Cell(target.name), Table.Cell("nobody", .attention), "-", "-", "-", "-")
      }
      for entry in target.acl {
        table.add(
          Table.Cell(target.name), Table.Cell(entry.initiator),
          Table.Cell(entry.addresses.isEmpty ? "any" : entry.addresses.joined(separator: ",")),
          Table.Cell(entry.chapUsers.joined(separator: ",")), Table.Cell(numbers(entry)),
          Table.Cell(entry.readOnly ? "ro" : "rw"))
      }
      if target.isOpenToAny {
        table.add(
          Table.Cell(target.name), Table.Cell("any", .attention), "any",
          Table.Cell(target.chapUsers.joined(separator: ",")), "all", "rw")
      }
    }
    return table
  }

  private static func numbers(_ entry: AccessEntryResource) -> String {
    guard let luns = entry.luns else { return "all" }
    return luns.isEmpty ? "none" : luns.map { "\($0.lun)" }.joined(separator: ",")
  }

  /// The names of users; secrets are not known here.
  static func users(_ targets: [TargetResource], _ discovery: DiscoveryResource?) -> Table {
    var table = Table(.text("TARGET"), .text("INITIATOR"), .text("USER"), .text("PROVES"))
    func add(_ place: String, _ initiator: String?, _ users: [String], _ mutual: String?) {
      for user in users {
        table.add(Table.Cell(place), Table.Cell(initiator), Table.Cell(user), "initiator")
      }
      if let mutual {
        table.add(Table.Cell(place), Table.Cell(initiator), Table.Cell(mutual), "target")
      }
    }
    if let discovery { add("(discovery)", nil, discovery.chapUsers, discovery.mutualCHAPUser) }
    for target in targets {
      add(target.name, nil, target.chapUsers, target.mutualCHAPUser)
      for entry in target.acl {
        add(target.name, entry.initiator, entry.chapUsers, entry.mutualCHAPUser)
      }
    }
    return table
  }

  static func portals(_ portals: [PortalResource]) -> Table {
    var table = Table(
      .text("PORTAL"), .number("GROUP"), .text("ANNOUNCED AS"), .text("STATE"),
      .number("CONNECTIONS"), .text("REASON"))
    for portal in portals {
      table.add(
        Table.Cell(portal.address), Table.Cell(portal.group), Table.Cell(portal.advertise),
        portal.isListening ? "listening" : Table.Cell("closed", .bad),
        Table.Cell(portal.connectionCount), Table.Cell(portal.reason))
    }
    return table
  }

  static func sessions(_ sessions: [SessionResource]) -> Table {
    var table = Table(
      .number("ID"), .text("INITIATOR"), .text("TARGET"), .text("FROM"), .number("CONNECTIONS"),
      .number("TASKS"), .text("SINCE"))
    for session in sessions {
      table.add(
        Table.Cell(session.id), Table.Cell(session.initiator),
        Table.Cell(session.target ?? "(discovery)"),
        Table.Cell(session.connections.first?.remoteAddress),
        Table.Cell(session.connections.count), Table.Cell(session.taskCount),
        Table.Cell(Quantity.time(session.since)))
    }
    return table
  }

  static func reservations(_ reservations: [ReservationResource]) -> Table {
    var table = Table(
      .text("STORE"), .text("TYPE"), .text("HELD BY"), .text("KEY"), .number("REGISTERED"),
      .text("SINCE"))
    for resource in reservations {
      let held = resource.reservation
      table.add(
        Table.Cell(resource.store), Table.Cell(resource.problem == nil ? held?.type : "unknown"),
        Table.Cell(held?.holders.joined(separator: ",")), Table.Cell(held?.key),
        Table.Cell(resource.problem == nil ? "\(resource.registrants.count)" : nil),
        Table.Cell(Quantity.time(held?.since)))
    }
    return table
  }

  static func registrants(_ registrants: [RegistrantResource]) -> Table {
    var table = Table(
      .text("KEY"), .text("INITIATOR"), .text("ISID"), .text("TARGET"), .number("GROUP"),
      .text("HOLDS"), .text("LOGGED IN"))
    for registrant in registrants {
      table.add(
        Table.Cell(registrant.key), Table.Cell(registrant.initiator), Table.Cell(registrant.isid),
        Table.Cell(registrant.target), Table.Cell(registrant.portalGroup.map { "\($0)" }),
        Table.Cell(registrant.isHolder ? "yes" : "no"),
        Table.Cell(registrant.isLoggedIn ? "yes" : "no"))
    }
    return table
  }
}

extension Table {
  func text(orElse empty: String, on console: any Console) -> String {
    text(orElse: empty, hasColors: console.hasColors)
  }
}
