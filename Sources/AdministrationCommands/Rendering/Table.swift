internal import CommandSupport

/// Columns for people: a header, texts to the left, numbers to the right, `-` for nothing.
struct Table {
  struct Column {
    var title: String
    var isNumber: Bool

    static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
    static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
  }

  /// A value and how it looks on a terminal with colours.
  struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    enum Tone { case plain, bad, attention }

    var text: String
    var tone: Tone

    init(_ text: String?, _ tone: Tone = .plain) {
      let shown = text?.printable ?? ""
      self.text = shown.isEmpty ? "-" : shown
      self.tone = tone
    }

    init(stringLiteral value: String) { self.init(value) }
    init(_ number: some BinaryInteger) { self.init("\(number)") }
  }

  var columns: [Column]
  private(set) var rows: [[Cell]] = []

  init(_ columns: Column...) { self.columns = columns }
  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ cells: Cell...) { add(cells) }

  mutating func add(_ cells: [Cell]) {
    precondition(cells.count == columns.count, "a row has a cell for each column")
    rows.append(cells)
  }

  /// A line for the header and one for each row; without rows `empty` alone, which says so.
  func text(orElse empty: String, hasColors: Bool = false) -> String {
    guard !rows.isEmpty else { return empty + "\n" }
    let widths = columns.indices.map { column in
      rows.reduce(columns[column].title.count) { max($0, $1[column].text.count) }
    }
    var out = line(columns.map { Cell($0.title) }, widths, hasColors: false)
    for row in rows { out += line(row, widths, hasColors: hasColors) }
    return out
  }

  private func line(_ cells: [Cell], _ widths: [Int], hasColors: Bool) -> String {
    var out = ""
    for (index, cell) in cells.enumerated() {
      let padding = String(repeating: " ", count: widths[index] - cell.text.count)
      let shown = hasColors ? cell.tone.colored(cell.text) : cell.text
      let isLast = index == cells.count - 1
      if columns[index].isNumber {
        out += padding + shown
      } else {
        out += isLast ? shown : shown + padding
      }
      out += isLast ? "\n" : "  "
    }
    return out
  }
}

extension Table.Cell.Tone {
  /// SGR (ECMA-48 §8.3.117): red, yellow.
  fileprivate func colored(_ text: String) -> String {
    switch self {
    case .plain: text
    case .bad: "\u{1B}[31m\(text)\u{1B}[0m"
    case .attention: "\u{1B}[33m\(text)\u{1B}[0m"
    }
  }
}

/// Names and values, one in a line, for one thing.
struct Details {
  private var rows: [(name: String, value: String)] = []

  /// Nothing is left out silently: nil is `-`.
  mutating func add(_ name: String, _ value: String?) {
    rows.append((name, value.flatMap { $0.isEmpty ? nil : $0.printable } ?? "-"))
  }

  mutating func addIfAny(_ name: String, _ value: String?) {
    if let value, !value.isEmpty { add(name, value) }
  }

  var text: String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      row.name + String(repeating: " ", count: width - row.name.count + 2) + row.value + "\n"
    }.joined()
  }
}
