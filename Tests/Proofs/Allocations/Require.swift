/// Something went otherwise than it has to.
struct Unexpected: Error, CustomStringConvertible {
  let file: StaticString
  let line: UInt
  var description: String { "what is required in \(file):\(line) does not hold" }
}

func require(_ condition: Bool, file: StaticString = #fileID, line: UInt = #line) throws {
  guard condition else { throw Unexpected(file: file, line: line) }
}

func require<Value>(
  _ value: Value?, file: StaticString = #fileID, line: UInt = #line
) throws -> Value {
  guard let value else { throw Unexpected(file: file, line: line) }
  return value
}
