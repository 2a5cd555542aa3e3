import Testing

@testable import Reactor

@Suite struct ProcessorCoresTests {
    @Test func `this process has at least one core, and no more than the machine`() {
        #expect((1...4_096).contains(ProcessorCores.usable))
    }

    @Test(arguments: [
        ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000\n", 2), ("1 100000\n", 1),
        ("400000 100000\n", 4), ("", nil), ("0 100000", nil), ("100000 0", nil), ("-1 -1", nil), ("100000", nil),
        ("1 2 3", nil), ("9223372036854775807 1", .max),
    ])
    func `a control group's share of time is counted in whole cores`(text: String, cores: Int?) {
        #expect(ProcessorCores.share(in: text) == cores)
    }
}
