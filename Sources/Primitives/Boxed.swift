/// One value in a place of its own: for what is seldom there, so that whoever could have one stays small. Eight bytes, also as an
/// optional. It is a value: a copy is one of its own once either is changed, and a change without copies costs no allocation.
@frozen
public struct Boxed<Value> {
    @usableFromInline final class Place {
        // Reached through the struct alone, whose accesses the compiler tells apart: nothing is left to be checked at run time.
        @usableFromInline @exclusivity(unchecked) var value: Value

        @inlinable init(_ value: consuming Value) {
            unsafe self.value = value
        }
    }

    @usableFromInline var place: Place

    /// Puts a value into a place.
    @inlinable public init(_ value: consuming Value) {
        place = Place(value)
    }

    /// The value.
    @inlinable public var value: Value {
        get { unsafe place.value }
        _modify {
            if !isKnownUniquelyReferenced(&place) { place = unsafe Place(place.value) }
            yield unsafe &place.value
        }
    }
}

extension Boxed: Equatable where Value: Equatable {
    /// Whether both have equal values, in whatever place.
    @inlinable public static func == (left: Boxed, right: Boxed) -> Bool {
        left.place === right.place || left.value == right.value
    }
}

// A place is changed by its only owner, and by nobody once it has two.
extension Boxed: @unchecked Sendable where Value: Sendable {}
