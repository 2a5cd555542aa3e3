import CSimulatedCalls
import FoundationEssentials
import Glibc

// Hashing differs from process to process unless it is told not to.
if ProcessInfo.processInfo.environment["SWIFT_DETERMINISTIC_HASHING"] == nil {
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", arguments)
    fatalError("cannot begin again")
}

simulation_take_randomness()

/// Plays a scenario twice; a failure is what it found, or a difference between the two.
func judge(_ scenario: Scenario, isRepeated: Bool = true) -> (World.Outcome, String?) {
    let first = World.play(scenario)
    guard isRepeated, first.failure == nil else { return (first, first.failure) }
    let second = World.play(scenario)
    let isSame = first.trace == second.trace && first.turns == second.turns
    return (first, isSame ? second.failure : "two plays of it differ")
}

/// Prints at once, so that a crash does not lose what was found.
func say(_ text: String, terminator: String = "\n") {
    let bytes = Array((text + terminator).utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
}

func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func play(seeds: Range<Int>, until sessions: Int, limit: Double) -> Int32 {
    let begun = seconds()
    let goesOn = CommandLine.arguments.contains("--go-on")
    var failures = 0
    var played = 0
    var count = 0
    var calls: UInt64 = 0
    var time = Duration.zero
    for seed in seeds {
        // Every tenth is played twice: the same seed must give the same history.
        let (outcome, failure) = judge(Scenario(seed: seed), isRepeated: seed % 10 == 0)
        played += 1
        count += outcome.sessions
        calls += outcome.calls
        time += outcome.time
        if let failure {
            say("seed \(seed): \(failure)")
            failures += 1
            if goesOn { continue }
            let smallest = Shrinker.shrink(Scenario(seed: seed), seconds: Double(value("--shrink", 60)))
            say("# \(World.play(smallest).failure ?? failure)\n\(smallest)", terminator: "")
            return 1
        }
        if count >= sessions || seconds() - begun > limit { break }
    }
    let took = seconds() - begun
    say(
        "\(played) worlds from seed \(seeds.lowerBound), \(count) sessions, \(calls) system calls, "
            + "\(time.components.seconds) simulated seconds in \(Int(took)) s: "
            + "\(Int(Double(count) / max(took, 0.001))) sessions a second, "
            + (failures == 0 ? "nothing found" : "\(failures) found"))
    return failures == 0 ? 0 : 1
}

func value(_ name: String, _ standard: Int) -> Int {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else {
        return standard
    }
    return Int(CommandLine.arguments[index + 1]) ?? standard
}

let files = CommandLine.arguments.dropFirst().filter { $0 != "--log" }
if let first = files.first, !first.hasPrefix("--") {
    var code: Int32 = 0
    for file in files {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let scenario = Scenario(text: text) else { fatalError("\(file) is no scenario") }
        World.isTold = CommandLine.arguments.contains("--log")
        let (_, failure) = judge(scenario)
        if let failure {
            say("\(file): \(failure)")
            code = 1
        }
    }
    exit(code)
}
if CommandLine.arguments.contains("--print") {
    say("\(Scenario(seed: value("--seed", 1)))", terminator: "")
    exit(0)
}
let first = value("--seed", 1)
if CommandLine.arguments.contains("--kernel") {
    exit(KernelComparison.play(seeds: first..<(first + value("--scripts", 1_000))))
}
exit(
    play(
        seeds: first..<(first + value("--worlds", 1_000_000_000)), until: value("--sessions", 1_000),
        limit: Double(value("--seconds", 1_000_000))))
