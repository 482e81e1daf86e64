/// A share as text, like "80%".
enum Percentage {
  /// 1…99; nil for anything else.
  static func value(of text: String) -> Int? {
    guard text.last == "%", let value = Int(text.dropLast()), (1...99).contains(value),
      text.utf8.count == (value < 10 ? 2 : 3)
    else { return nil }
    return value
  }
}
