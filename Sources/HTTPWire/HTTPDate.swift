import Primitives

/// The value of a `Date` field: 29 bytes of IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
/// A server with a clock sends it (§6.6.1). The owner has the clock and makes one each second for all its connections.
package struct HTTPDate: Sendable, Equatable {
    package let bytes: [UInt8]

    /// The date `seconds` after 1970-01-01T00:00:00Z, without leap seconds. A value outside the years 1970-9999 is
    /// replaced by the nearest one inside.
    package init(secondsSince1970 seconds: Int64) {
        let seconds = min(max(seconds, 0), 253_402_300_799)
        let days = Int(seconds / 86_400)
        let second = Int(seconds % 86_400)
        let date = CivilDay(daysSince1970: days)

        var bytes: [UInt8] = []
        bytes.reserveCapacity(29)
        bytes.append(contentsOf: Self.weekdays[(days + 4) % 7].utf8)
        bytes.append(contentsOf: ", ".utf8)
        bytes.append(decimal: date.day, width: 2)
        bytes.append(contentsOf: Self.months[date.month - 1].utf8)
        bytes.append(decimal: date.year, width: 4)
        bytes.append(UInt8(ascii: " "))
        bytes.append(decimal: second / 3_600, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: second / 60 % 60, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: second % 60, width: 2)
        bytes.append(contentsOf: " GMT".utf8)
        self.bytes = bytes
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec ",
    ]
}
