/// A day of the proleptic Gregorian calendar.
package struct CivilDay: Sendable, Equatable {
    package let year: Int
    /// 1-12.
    package let month: Int
    /// 1-31.
    package let day: Int

    /// The day that is `daysSince1970` days (0 or more) after 1970-01-01.
    ///
    /// Years begin in March here, so the leap day comes last, and the months before it repeat a pattern of 153 days in
    /// five.
    package init(daysSince1970: Int) {
        let days = max(0, daysSince1970) + 719_468  // since 0000-03-01
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }
}
