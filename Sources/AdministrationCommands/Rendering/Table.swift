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

    fileprivate mutating func shorten(to count: Int) {
      if text.count > count { text = "…" + text.suffix(count - 1) }
    }
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

  /// Of its longest line, in characters.
  var width: Int { widths.reduce(0, +) + 2 * max(0, columns.count - 1) }

  /// The same with texts cut to that, or to their title.
  func width(textsAtMost count: Int) -> Int {
    let shortened = zip(columns, widths).map { column, width in
      column.isNumber ? width : min(width, max(count, column.title.count))
    }
    return shortened.reduce(0, +) + 2 * max(0, columns.count - 1)
  }

  private var widths: [Int] {
    columns.indices.map { column in
      rows.reduce(columns[column].title.count) { max($0, $1[column].text.count) }
    }
  }

  /// What a text keeps at least.
  private static let shortest = 12

  /// Takes from the widest texts, at their beginning, until the table has that width, or no text is
  /// long any more: names of one kind differ at the end.
  mutating func shorten(to width: Int) {
    while true {
      let excess = self.width - width
      let widths = widths
      let texts = columns.indices.filter { !columns[$0].isNumber && widths[$0] > Self.shortest }
      guard excess > 0, let widest = texts.max(by: { widths[$0] < widths[$1] }) else { return }
      let next = texts.filter { $0 != widest }.map { widths[$0] }.max() ?? Self.shortest
      // No further than to the next one, with which it shares the rest.
      let left = max(widths[widest] - excess, min(next, widths[widest] - 1), Self.shortest)
      guard columns[widest].title.count <= left else { return }
      for row in rows.indices { rows[row][widest].shorten(to: left) }
    }
  }

  /// A line for the header and one for each row; without rows `empty` alone, which says so.
  func text(orElse empty: String, hasColors: Bool = false) -> String {
    guard !rows.isEmpty else { return empty + "\n" }
    let widths = widths
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
