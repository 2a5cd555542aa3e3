/// A list of plain values that seldom has more than one. The first value is stored in place, so only a second one
/// allocates. An empty array gives its storage back.
@frozen
public struct ShortList<Element> {
    @usableFromInline var rest: [Element] = []
    @usableFromInline var front: Element?

    /// Creates an empty list.
    @inlinable public init() {}

    /// Creates a list of one element.
    @inlinable public init(_ element: Element) {
        front = element
    }

    /// Puts an element behind all others.
    @inlinable public mutating func append(_ element: Element) {
        if front == nil { front = element } else { rest.append(element) }
    }

    /// Takes out the element at `position`, which must exist.
    @discardableResult @inlinable
    public mutating func remove(at position: Int) -> Element {
        guard position == 0, let first = front else { return removeFromRest(at: position - 1) }
        front = rest.isEmpty ? nil : removeFromRest(at: 0)
        return first
    }

    /// Takes out the first element, which must exist.
    @discardableResult @inlinable
    public mutating func removeFirst() -> Element { remove(at: 0) }

    /// Takes out the first element for which `isMeant` returns true; nil when there is none.
    @discardableResult @inlinable
    public mutating func removeFirst(where isMeant: (Element) -> Bool) -> Element? {
        firstIndex(where: isMeant).map { remove(at: $0) }
    }

    /// Takes out everything.
    @inlinable public mutating func removeAll() {
        rest = []
        front = nil
    }

    @inlinable mutating func removeFromRest(at position: Int) -> Element {
        let removed = rest.remove(at: position)
        if rest.isEmpty { rest = [] }
        return removed
    }
}

extension ShortList: RandomAccessCollection, MutableCollection {
    @inlinable public var startIndex: Int { 0 }

    @inlinable public var endIndex: Int { front == nil ? 0 : rest.count + 1 }

    /// The element at a position. A position past the end traps, as in an array.
    @inlinable public subscript(position: Int) -> Element {
        get {
            if position == 0, let front { return front }
            return rest[position - 1]
        }
        set {
            if position == 0, front != nil { front = newValue } else { rest[position - 1] = newValue }
        }
    }
}

extension ShortList: Sendable where Element: Sendable {}
