import Testing

@testable import HTTPWire

/// IMF-fixdate (RFC 9110 §5.6.7).
struct HTTPDateTests {
    @Test(
        "known moments",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_795_365_165, "Sun, 22 Nov 2026 16:32:45 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func knownMoment(seconds: Int64, text: String) {
        #expect(String(decoding: HTTPDate(secondsSince1970: seconds).bytes, as: UTF8.self) == text)
    }

    @Test("moments that cannot be told are brought to the nearest that can")
    func clamping() {
        #expect(HTTPDate(secondsSince1970: -1) == HTTPDate(secondsSince1970: 0))
        #expect(HTTPDate(secondsSince1970: .min) == HTTPDate(secondsSince1970: 0))
        #expect(HTTPDate(secondsSince1970: .max) == HTTPDate(secondsSince1970: 253_402_300_799))
    }

    @Test("days follow each other through four centuries, and each has 29 bytes")
    func everyDay() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        var days: Int64 = 0
        for year in 1970..<2370 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, length) in zip(months, lengths) {
                let last = length + (month == "Feb" && isLeap ? 1 : 0)
                // errors of a calendar show at the first and last day of a month
                for day in [1, last] {
                    let moment = days + Int64(day) - 1
                    let date = HTTPDate(secondsSince1970: moment * 86_400 + 3_661)
                    let digits = day < 10 ? "0\(day)" : "\(day)"
                    let text = "\(weekdays[Int(moment % 7)]), \(digits) \(month) \(year) 01:01:01 GMT"
                    guard date.bytes != Array(text.utf8) else { continue }
                    Issue.record("\(String(decoding: date.bytes, as: UTF8.self)) is not \(text)")
                    return
                }
                days += Int64(last)
            }
        }
    }
}
