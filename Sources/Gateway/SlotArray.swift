/// The object of a poll event or a deadline: its kind, its slot, and its generation in that slot.
///
/// The generation keeps an event of a closed descriptor from reaching the next object in the same slot and batch.
struct Token: Hashable {
    /// The kinds of objects that a worker owns.
    enum Kind: UInt8 {
        case listener, client, webSocket, polling, link, race, signals, resolver, mailbox, supervisor, control
    }

    let raw: UInt64

    init(raw: UInt64) {
        self.raw = raw
    }

    init(_ kind: Kind, slot: UInt32 = 0, generation: UInt32 = 0) {
        raw = UInt64(kind.rawValue) << 56 | UInt64(generation & 0xFF_FFFF) << 32 | UInt64(slot)
    }

    var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: raw >> 56)) }
    var slot: UInt32 { UInt32(truncatingIfNeeded: raw) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) & 0xFF_FFFF }
}

/// Objects that are found by number. Numbers are reused, with a new generation each time.
struct SlotArray<Element: AnyObject> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var vacant: [UInt32] = []
    private let kind: Token.Kind

    /// How many objects there are.
    private(set) var count = 0

    init(_ kind: Token.Kind) {
        self.kind = kind
    }

    /// The token of the object that `insert` will keep next; the object is created with it.
    mutating func nextToken() -> Token {
        if vacant.isEmpty {
            vacant.append(UInt32(elements.count))
            elements.append(nil)
            generations.append(0)
        }
        let slot = vacant[vacant.count - 1]
        return Token(kind, slot: slot, generation: generations[Int(slot)])
    }

    /// Keeps an object that was created with the token from the last `nextToken`.
    mutating func insert(_ element: Element, at token: Token) {
        assert(vacant.last == token.slot, "the token is the one that nextToken gave")
        vacant.removeLast()
        elements[Int(token.slot)] = element
        count += 1
    }

    /// Removes the object at `token`'s slot, if it is still the same one.
    mutating func remove(_ token: Token) {
        guard self[token] != nil else { return }
        let index = Int(token.slot)
        elements[index] = nil
        generations[index] = (generations[index] &+ 1) & 0xFF_FFFF
        vacant.append(token.slot)
        count -= 1
    }

    /// The object that `token` was made for; nil when it is gone.
    subscript(token: Token) -> Element? {
        let index = Int(token.slot)
        guard index < elements.count, generations[index] == token.generation else { return nil }
        return elements[index]
    }

    /// The object at a slot, whichever it is.
    subscript(slot slot: UInt32) -> Element? {
        let index = Int(slot)
        return index < elements.count ? elements[index] : nil
    }

    /// All objects, in the order of their slots.
    var all: [Element] { elements.compactMap { $0 } }
}
