import Glibc

/// How many cases a test over random input plays.
///
/// `HOLDFAST_EFFORT` is a percentage of the full number; without it, or with one that is no whole number from 1 on, all of them
/// are played.
package enum Effort {
    /// The part of `full` that is played, never less than `least`, so that no test passes because it had nothing to do.
    ///
    /// - Parameter least: the fewest cases that still say something, 1 or more.
    package static func cases<Count: BinaryInteger>(_ full: Count, atLeast least: Count = 1) -> Count {
        Count(max(Int(full) * percent / 100, Int(least), 1))
    }

    private static let percent: Int = {
        let given = getenv("HOLDFAST_EFFORT").flatMap { Int(String(cString: $0)) } ?? 100
        return (1...1_000_000).contains(given) ? given : 100
    }()
}
