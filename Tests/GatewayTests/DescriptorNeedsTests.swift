import Testing

@testable import Gateway

/// What a limit on open files means at the start.
@Suite struct DescriptorNeedsTests {
    @Test("too few are refused with what is needed, and the fewest that are enough are not")
    func least() throws {
        func refusal(_ limit: Int, workers: Int) -> String? {
            DescriptorNeeds(limit: limit, workers: workers).refusal(isRunning: false)
        }
        #expect(refusal(127, workers: 1)?.contains("is 127, and at least 128 are needed: raise it (Limit") == true)
        #expect(refusal(128, workers: 1) == nil)
        #expect(refusal(128, workers: 0) == nil)
        #expect(refusal(133, workers: 4)?.contains("at least 134 are needed for 4 workers: ") == true)
        #expect(refusal(134, workers: 4) == nil)
        let running = DescriptorNeeds(limit: 133, workers: 4).refusal(isRunning: true)
        #expect(running?.contains("raise it (prlimit --nofile=NUMBER --pid PID for the program that runs, ") == true)
        #expect(DescriptorNeeds(limit: 134, workers: 4).refusal(isRunning: true) == nil)
        for workers in 1...64 {
            let needs = DescriptorNeeds(limit: 0, workers: workers)
            #expect(DescriptorNeeds(limit: needs.least, workers: workers).sessions >= 32 * workers)
        }
    }

    @Test("the warning says for how many sessions there is room: each has a stream and a connection")
    func warning() throws {
        let one = DescriptorNeeds(limit: 1_024, workers: 1)
        #expect(one.sessions == 480)
        #expect(
            one.warning?.contains("the limit of open files is 1024, so there is room for about 480 sessions") == true)
        let two = DescriptorNeeds(limit: 1_024, workers: 2)
        #expect(two.sessions == 2 * 479)
        #expect(two.warning?.contains("of each of the 2 workers is 1024") == true)
        #expect(DescriptorNeeds(limit: 4_062, workers: 1).warning != nil)
        #expect(DescriptorNeeds(limit: 4_064, workers: 1).warning == nil)
        #expect(DescriptorNeeds(limit: .max, workers: 64).warning == nil)
        #expect(DescriptorNeeds(limit: 0, workers: 1).sessions == 0)
    }
}
