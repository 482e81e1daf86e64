internal import AdministrationModel
internal import FoundationEssentials

/// Bodies of requests and answers.
enum JSON {
  /// Sorted, so that answers can be compared.
  static func compact(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  /// Takes exactly what `Value` has: a key that it has not is an error, for what a caller believes
  /// to have said must not be passed over.
  static func decode<Value: Codable>(
    _ type: Value.Type, from body: Data
  ) throws(AdministrationError) -> Value {
    guard !body.isEmpty else { throw AdministrationError(.invalid, "the request has no body") }
    do {
      let decoder = JSONDecoder()
      let value = try decoder.decode(type, from: body)
      let said = try decoder.decode(JSONValue.self, from: body)
      let understood = try decoder.decode(JSONValue.self, from: try compact(value))
      if let path = unknownKey(said, understood, at: "") {
        throw AdministrationError(.invalid, "unknown key", path: path)
      }
      return value
    } catch let error as AdministrationError {
      throw error
    } catch let error as DecodingError {
      throw problem(error, body)
    } catch {
      throw AdministrationError(.invalid, "the body is not JSON")
    }
  }

  /// The path of the first key that was said and not understood.
  private static func unknownKey(
    _ said: JSONValue, _ understood: JSONValue, at path: String
  ) -> String? {
    switch (said, understood) {
    case (.object(let said), .object(let understood)):
      for (key, value) in said.sorted(by: { $0.key < $1.key }) where value != .null {
        let place = path.isEmpty ? key : "\(path).\(key)"
        guard let other = understood[key] else { return place }
        if let found = unknownKey(value, other, at: place) { return found }
      }
    case (.list(let said), .list(let understood)):
      for (index, (value, other)) in zip(said, understood).enumerated() {
        if let found = unknownKey(value, other, at: "\(path)[\(index)]") { return found }
      }
    default: break
    }
    return nil
  }

  // MARK: Problems

  private static func problem(_ error: DecodingError, _ body: Data) -> AdministrationError {
    switch error {
    case .keyNotFound(let key, let context):
      AdministrationError(.invalid, "is missing", path: path(context.codingPath + [key]))
    case .typeMismatch(let type, let context):
      AdministrationError(.invalid, "is not \(name(type))", path: path(context.codingPath))
    case .valueNotFound(let type, let context):
      AdministrationError(
        .invalid, "is null, not \(name(type))", path: path(context.codingPath))
    case .dataCorrupted(let context): corrupted(context, body)
    @unknown default: AdministrationError(.invalid, "the body is not what it should be")
    }
  }

  /// The decoder's sentence may quote the text, which may hold secrets; ours do not.
  private static func corrupted(
    _ context: DecodingError.Context, _ body: Data
  ) -> AdministrationError {
    guard !context.codingPath.isEmpty else {
      // The decoder does not say where a number is that does not fit.
      let isJSON = (try? JSONDecoder().decode(JSONValue.self, from: body)) != nil
      return AdministrationError(
        .invalid, isJSON ? "a number in the body is out of range" : "the body is not JSON")
    }
    let ours = context.underlyingError as? WireProblem
    return AdministrationError(
      .invalid, ours?.sentence ?? "has no value that is allowed here",
      path: path(context.codingPath))
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    var path = ""
    for key in keys {
      if let index = key.intValue {
        path += "[\(index)]"
      } else {
        path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
      }
    }
    return path
  }

  private static func name(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any FixedWidthInteger.Type: "a whole number in range"
    case is any BinaryFloatingPoint.Type: "a number"
    case is any SchemaList.Type, is [Any].Type: "a list"
    default: "an object"
    }
  }
}
