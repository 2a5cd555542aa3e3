/// The value of a `Date` field: 29 bytes of IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
/// A server with a clock sends it (§6.6.1); the owner has the clock and makes one a second for all its connections.
package struct HTTPDate: Sendable, Equatable {
    package let bytes: [UInt8]

    /// `seconds` since 1970-01-01T00:00:00Z, leap seconds not counted. Outside the years 1970-9999, which four digits
    /// cannot tell or no clock should say, the nearest of these moments is taken.
    package init(secondsSince1970 seconds: Int64) {
        let seconds = min(max(seconds, 0), 253_402_300_799)
        let days = Int(seconds / 86_400)
        let second = Int(seconds % 86_400)
        let (year, month, day) = Self.civil(days)

        var bytes: [UInt8] = []
        bytes.reserveCapacity(29)
        bytes.append(contentsOf: Self.weekdays[(days + 4) % 7].utf8)
        bytes.append(contentsOf: ", ".utf8)
        bytes.append(digits: day, 2)
        bytes.append(contentsOf: Self.months[month - 1].utf8)
        bytes.append(digits: year, 4)
        bytes.append(UInt8(ascii: " "))
        bytes.append(digits: second / 3_600, 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: second / 60 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(digits: second % 60, 2)
        bytes.append(contentsOf: " GMT".utf8)
        self.bytes = bytes
    }

    /// Year, month (1-12) and day (1-31) of the proleptic Gregorian calendar. Years are counted from March, so the leap
    /// day comes last and the months before it have a fixed pattern of 153 days in five.
    private static func civil(_ daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468  // since 0000-03-01
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec ",
    ]
}

extension [UInt8] {
    /// Appends `number`, which is not negative, with at least `width` decimal digits.
    mutating func append(digits number: Int, _ width: Int = 1) {
        let start = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        while count - start < width { append(UInt8(ascii: "0")) }
        self[start...].reverse()
    }
}
