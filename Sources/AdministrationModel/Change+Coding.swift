// On the wire a change is an object with one member, its name: `{"removeLUN": {"target": …}}`.

extension Change: Codable {
  /// The names of the changes, as on the wire.
  public enum Name: String, CodingKey, Sendable, CaseIterable {
    case addStore, removeStore, resizeStore, setStore
    case addTarget, removeTarget, setTarget
    case addLUN, removeLUN
    case addACLEntry, removeACLEntry, setACLEntry
    case addCHAPUser, removeCHAPUser, setMutualCHAP, clearMutualCHAP
    case addPortal, removePortal
    case setNote
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    let names = container.allKeys
    guard let name = names.first, names.count == 1 else {
      let problem = names.isEmpty ? "names no known change" : "names more than one change"
      throw WireProblem(problem).error(at: decoder.codingPath)
    }
    self = try Self.decode(name, container)
  }

  private static func decode(
    _ name: Name, _ container: KeyedDecodingContainer<Name>
  ) throws -> Change {
    func value<Value: Decodable>() throws -> Value {
      try container.decode(Value.self, forKey: name)
    }
    return switch name {
    case .addStore: .addStore(try value())
    case .removeStore: .removeStore(try value())
    case .resizeStore: .resizeStore(try value())
    case .setStore: .setStore(try value())
    case .addTarget: .addTarget(try value())
    case .removeTarget: .removeTarget(try value())
    case .setTarget: .setTarget(try value())
    case .addLUN: .addLUN(try value())
    case .removeLUN: .removeLUN(try value())
    case .addACLEntry: .addACLEntry(try value())
    case .removeACLEntry: .removeACLEntry(try value())
    case .setACLEntry: .setACLEntry(try value())
    case .addCHAPUser: .addCHAPUser(try value())
    case .removeCHAPUser: .removeCHAPUser(try value())
    case .setMutualCHAP: .setMutualCHAP(try value())
    case .clearMutualCHAP: .clearMutualCHAP(try value())
    case .addPortal: .addPortal(try value())
    case .removePortal: .removePortal(try value())
    case .setNote: .setNote(try value())
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    switch self {
    case .addStore(let value): try container.encode(value, forKey: .addStore)
    case .removeStore(let value): try container.encode(value, forKey: .removeStore)
    case .resizeStore(let value): try container.encode(value, forKey: .resizeStore)
    case .setStore(let value): try container.encode(value, forKey: .setStore)
    case .addTarget(let value): try container.encode(value, forKey: .addTarget)
    case .removeTarget(let value): try container.encode(value, forKey: .removeTarget)
    case .setTarget(let value): try container.encode(value, forKey: .setTarget)
    case .addLUN(let value): try container.encode(value, forKey: .addLUN)
    case .removeLUN(let value): try container.encode(value, forKey: .removeLUN)
    case .addACLEntry(let value): try container.encode(value, forKey: .addACLEntry)
    case .removeACLEntry(let value): try container.encode(value, forKey: .removeACLEntry)
    case .setACLEntry(let value): try container.encode(value, forKey: .setACLEntry)
    case .addCHAPUser(let value): try container.encode(value, forKey: .addCHAPUser)
    case .removeCHAPUser(let value): try container.encode(value, forKey: .removeCHAPUser)
    case .setMutualCHAP(let value): try container.encode(value, forKey: .setMutualCHAP)
    case .clearMutualCHAP(let value): try container.encode(value, forKey: .clearMutualCHAP)
    case .addPortal(let value): try container.encode(value, forKey: .addPortal)
    case .removePortal(let value): try container.encode(value, forKey: .removePortal)
    case .setNote(let value): try container.encode(value, forKey: .setNote)
    }
  }
}

extension Change.Name {
  /// What the change says.
  public var payload: any (Codable & Sendable).Type {
    switch self {
    case .addStore: StoreSpecification.self
    case .removeStore: Change.StoreName.self
    case .resizeStore: Change.StoreSize.self
    case .setStore: Change.StoreKeys.self
    case .addTarget: TargetSpecification.self
    case .removeTarget: Change.TargetName.self
    case .setTarget: Change.TargetKeys.self
    case .addLUN: Change.LUNAddition.self
    case .removeLUN: Change.LUNName.self
    case .addACLEntry: Change.EntryAddition.self
    case .removeACLEntry: Change.EntryName.self
    case .setACLEntry: Change.EntryKeys.self
    case .addCHAPUser, .setMutualCHAP: Change.UserAddition.self
    case .removeCHAPUser: Change.UserName.self
    case .clearMutualCHAP: CredentialPlace.self
    case .addPortal: PortalSpecification.self
    case .removePortal: Change.PortalName.self
    case .setNote: NoteSpecification.self
    }
  }
}
