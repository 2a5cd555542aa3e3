import BOSHCore
import Effort
import Testing

/// What counts as proof that a client has read an answer (`T-12` a): the unsound rules, each with the history that
/// refutes it, and the sound one.
@Suite struct ReceiptProofTests {
    /// A session's `requests` and the number that it holds: `hold`, or all while its upstream is congested.
    struct Setting: CustomTestStringConvertible {
        let requests: Int
        let hold: Int

        var testDescription: String { "requests \(requests), hold \(hold)" }
    }

    private static let settings = [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)].map { Setting(requests: $0, hold: $1) }

    /// The shortest history in which the rule counts an unread answer as read.
    private func refutation(
        of rule: ReceiptModel.Rule, _ setting: Setting, pauses: Bool = false
    ) -> [String]? {
        ReceiptModel(rule: rule, requests: setting.requests, hold: setting.hold, pauses: pauses).explore().refutation
    }

    @Test("T-12 a counter-example: a request that crosses the answer was sent before it was read", arguments: settings)
    func refutesWasAlone(setting: Setting) {
        #expect(refutation(of: .wasAlone, setting) == ["send", "send", "arrive 0", "answer 0", "arrive 1"])
    }

    @Test("T-12 a counter-example: whoever reads the later answer first goes on above the earlier one")
    func refutesRequestsFurtherOn() {
        #expect(
            refutation(of: .requestsFurtherOn, Setting(requests: 2, hold: 1)) == [
                "send", "send", "arrive 0", "arrive 1", "answer 1", "read 1", "send", "arrive 2",
            ])
        #expect(
            refutation(of: .requestsFurtherOn, Setting(requests: 3, hold: 2)) == [
                "send", "send", "send", "arrive 0", "answer 0", "arrive 1", "answer 1", "read 1", "send", "refuse 3",
            ])
    }

    @Test("T-12 a P-07 counter-example: a pause is one above `requests`", arguments: settings)
    func refutesPausesAsOthers(setting: Setting) {
        // A request that is missing below an early one may be a pause as well.
        #expect(refutation(of: .countingPausesAsOthers, setting) == nil)
        #expect(refutation(of: .countingPausesAsOthers, setting, pauses: true) != nil)
    }

    /// Every state is visited; a lower effort leaves out settings.
    @Test(
        "T-12 a counting: nothing that the client may not have read is proven",
        arguments: settings.prefix(Effort.cases(5)))
    func holds(setting: Setting) {
        let model = ReceiptModel(rule: .counting, requests: setting.requests, hold: setting.hold)
        let (states, refutation) = model.explore()
        #expect(refutation == nil)
        #expect(states > 100, "the model does hardly anything")
    }

    @Test("T-12 a counting cannot prove more: with one place less it does not hold", arguments: settings)
    func isTight(setting: Setting) {
        #expect(refutation(of: .countingOneSooner, setting) != nil)
    }

    /// For the session a page that read both its answers looks the same as one that was reloaded before it did.
    @Test("T-12 a counter-example: what a page gave up as it was loaded again may count as proven, whatever is counted")
    func cannotSeeReloads() {
        var model = ReceiptModel(rule: .counting, requests: 2, hold: 1, pauses: false)
        model.remembersGivenUp = true
        #expect(
            model.explore().refutation == ["send", "send", "arrive 0", "arrive 1", "reload", "send", "arrive 2"])
    }
}
