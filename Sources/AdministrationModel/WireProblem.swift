/// What is wrong with a value of a request, in a sentence of ours: unlike those of a decoder it
/// quotes nothing that may be secret, and may be shown.
public struct WireProblem: Error, Sendable, Equatable {
  public var sentence: String

  init(_ sentence: String) { self.sentence = sentence }

  func error(at path: [any CodingKey]) -> DecodingError {
    .dataCorrupted(
      DecodingError.Context(
        codingPath: path, debugDescription: sentence, underlyingError: self))
  }
}
