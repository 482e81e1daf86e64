/// A first-in, first-out queue in an array; what was taken is dropped from the front in bulk.
struct Queue<Element> {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { head < elements.count ? elements[head] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func append(contentsOf more: [Element]) { elements.append(contentsOf: more) }

  mutating func prepend(_ element: Element) {
    if head > 0 {
      head -= 1
      elements[head] = element
    } else {
      elements.insert(element, at: 0)
    }
  }

  mutating func popFirst() -> Element? { takeFirst(1).first }

  /// Takes up to `limit` elements.
  mutating func takeFirst(_ limit: Int) -> [Element] {
    let end = min(head + limit, elements.count)
    let taken = Array(elements[head..<end])
    head = end
    // Moves each element at most once for each time the queue halves.
    if head > 32, head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return taken
  }

  mutating func removeAll() {
    elements.removeAll()
    head = 0
  }
}
