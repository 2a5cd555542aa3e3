/// How much may be done for one stream in one turn of the loop before the others are served.
///
/// The budget counts elements and bytes, not time, so that every machine cuts the same input at the same places. An
/// element takes 1.5 µs whatever its size, and a byte takes up to 30 ns where everything is markup: together about 2 ms
/// at most.
package struct TurnBudget: Sendable, Equatable {
    /// How many more items may be taken.
    package private(set) var items: Int
    /// How many more bytes may be taken.
    package private(set) var bytes: Int

    /// The budget of one stream.
    package static let ofStream = TurnBudget(items: 500, bytes: 32 * 1_024)

    /// The budget of one turn for all streams together that go on with a backlog. The remaining streams wait for the
    /// next turn.
    package static let ofBacklogs = TurnBudget(items: 1_000, bytes: 64 * 1_024)

    /// Creates a budget of this size.
    package init(items: Int, bytes: Int) {
        self.items = max(items, 1)
        self.bytes = max(bytes, 1)
    }

    /// Whether nothing more may be taken in this turn. The last item may have taken more than was left; only the items
    /// after it wait.
    package var isSpent: Bool { items <= 0 || bytes <= 0 }

    /// Takes this much from the budget.
    package mutating func spend(items: Int, bytes: Int) {
        self.items -= min(max(items, 0), max(self.items, 0))
        self.bytes -= min(max(bytes, 0), max(self.bytes, 0))
    }

    /// Takes all that is left.
    package mutating func end() {
        bytes = 0
    }

    /// Takes from this budget as much as was taken from `part` since it was `full`.
    package mutating func spend(_ part: TurnBudget, of full: TurnBudget) {
        spend(items: full.items - part.items, bytes: full.bytes - part.bytes)
    }
}
