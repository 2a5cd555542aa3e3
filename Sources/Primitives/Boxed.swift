/// A value in a separate allocation. It suits a value that seldom exists, so that its owner stays small.
///
/// A box takes eight bytes, also as an optional. It behaves like a value: a change to one copy does not affect the
/// others. Changing a box that has no copies does not allocate.
@frozen
public struct Boxed<Value> {
    /// Contains exactly one value. Only arrays give checked sharing of heap memory.
    @usableFromInline var place: [Value]

    /// Creates a box with a value.
    @inlinable public init(_ value: consuming Value) {
        place = [value]
    }

    /// The value.
    @inlinable public var value: Value {
        get { place[0] }
        _modify { yield &place[0] }
    }
}

extension Boxed: Equatable where Value: Equatable {}

extension Boxed: Sendable where Value: Sendable {}
