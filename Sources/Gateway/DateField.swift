import HTTPWire
import Reactor

/// The value of the `Date` field, made once a second (RFC 9110 §6.6.1).
struct DateField {
    private var second: Int64 = -1
    private var value: HTTPDate?

    mutating func current() -> HTTPDate? {
        let wall = WallClock.seconds
        if wall != second {
            second = wall
            value = HTTPDate(secondsSince1970: wall)
        }
        return value
    }
}
