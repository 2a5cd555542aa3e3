/// One value in a place of its own: for a value that is seldom there, so that whoever may have one stays small.
///
/// Takes eight bytes, also as an optional. A box is a value: after a copy, a change to one does not show in the other. A change
/// without copies costs no allocation.
@frozen
public struct Boxed<Value> {
    /// Holds exactly one value. An array is the one place on the heap whose sharing the compiler checks.
    @usableFromInline var place: [Value]

    /// Puts a value into a place.
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
