import Glibc

/// How many cases a test with random input runs.
///
/// `HOLDFAST_EFFORT` is a percentage of the full number. Without it, or if it is no whole number of at least 1, all
/// cases run.
package enum Effort {
    /// The part of `full` to run, at least `least`, so that no test passes because it had nothing to do.
    ///
    /// - Parameter least: the fewest cases that still prove something, 1 or more.
    package static func cases<Count: BinaryInteger>(_ full: Count, atLeast least: Count = 1) -> Count {
        Count(max(Int(full) * percent / 100, Int(least), 1))
    }

    private static let percent: Int = {
        let given = getenv("HOLDFAST_EFFORT").flatMap { Int(String(cString: $0)) } ?? 100
        return (1...1_000_000).contains(given) ? given : 100
    }()
}
