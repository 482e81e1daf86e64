internal import AdministrationModel

/// The decoder that has nothing, of `SchemaCollector`.
struct SchemaProbe: Decoder {
  let record: SchemaRecord
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  /// A type decodes itself in a way that cannot be followed: it needs a row in `SchemaCollector`.
  struct Unsupported: Error {}

  func container<Key>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(KeyedSchemaProbe<Key>(record: record))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Unsupported() }

  func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Unsupported() }
}

private struct KeyedSchemaProbe<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let record: SchemaRecord
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { [] }

  /// Asked only for what may be missing. It is there, so that its type is asked for next.
  func contains(_ key: Key) -> Bool {
    record.optional.insert(key.stringValue)
    return true
  }

  func decodeNil(forKey key: Key) throws -> Bool { false }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { note(type, key, false) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { note(type, key, "") }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { note(type, key, 0) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { note(type, key, 0) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { note(type, key, 0) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { note(type, key, 0) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { note(type, key, 0) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { note(type, key, 0) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { note(type, key, 0) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { note(type, key, 0) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { note(type, key, 0) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { note(type, key, 0) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { note(type, key, 0) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { note(type, key, 0) }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    note(type, key, try specimen(type))
  }

  private func note<Value>(_ type: Value.Type, _ key: Key, _ specimen: Value) -> Value {
    record.properties[key.stringValue] = record.collector.schema(of: type)
    return specimen
  }

  /// Any value of the type, for which nobody asks again.
  private func specimen<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let found: Any? =
      switch type {
      case let list as any SchemaList.Type: list.empty
      case let map as any SchemaMap.Type: map.empty
      case let enumeration as any StringEnumeration.Type: enumeration.first
      case is Event.Kind.Type: Event.Kind.alive
      case is Timestamp.Type: Timestamp(millisecondsSinceEpoch: 0)
      case is SecretText.Type: SecretText("")
      case is JSONValue.Type: JSONValue.null
      default: nil
      }
    if let value = found as? Value { return value }
    return try Value(from: SchemaProbe(record: SchemaRecord(record.collector)))
  }

  func nestedContainer<Nested>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { throw SchemaProbe.Unsupported() }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    throw SchemaProbe.Unsupported()
  }

  func superDecoder() throws -> any Decoder { throw SchemaProbe.Unsupported() }

  func superDecoder(forKey key: Key) throws -> any Decoder { throw SchemaProbe.Unsupported() }
}
