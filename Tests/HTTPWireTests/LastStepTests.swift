import HTTPWire
import Testing

/// The way to the end of a connection whose client sends no more (H-27, RFC 9112 §9.6).
@Suite struct LastStepTests {
    private static let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test("H-27: without input and without requests it ends")
    func idle() {
        var connection = HTTPConnection(limits: HTTPLimits())
        connection.closeAfterAnswers()
        #expect(connection.lastStep(isBusy: false) == .end)
        #expect(connection.lastStep(isBusy: true) == .wait)
    }

    @Test("H-27: what came is taken in before anything is released, and released where no more can be taken in")
    func takesIn() {
        var limits = HTTPLimits()
        limits.pipelining = 2
        var connection = HTTPConnection(limits: limits)
        _ = connection.feed(Self.request)
        connection.closeAfterAnswers(behind: 3 * Self.request.utf8.count)
        #expect(connection.lastStep(isBusy: false) == .takeIn)
        _ = connection.feed(Self.request)
        #expect(connection.owed == 2)
        #expect(connection.lastStep(isBusy: false) == .release)
        #expect(connection.lastStep(isBusy: true) == .wait)
        connection.answer(1, "1")
        #expect(connection.lastStep(isBusy: false) == .wait)
        _ = connection.takeText()
        #expect(connection.lastStep(isBusy: false) == .takeIn)
        _ = connection.feed(Self.request)
        #expect(connection.lastStep(isBusy: false) == .release)
        connection.answer(2, "2")
        _ = connection.takeText()
        _ = connection.feed(Self.request)
        // All input is handled; open requests do not prevent that.
        #expect(connection.owed == 2)
        #expect(connection.lastStep(isBusy: false) == .end)
    }

    @Test("H-27: answers behind a held one that take too much have it released")
    func fullOfAnswers() {
        var limits = HTTPLimits()
        limits.answers = 10
        var connection = HTTPConnection(limits: limits)
        _ = connection.feed(Self.request + Self.request)
        connection.closeAfterAnswers(behind: 1_000)
        connection.answer(2, "2")
        #expect(connection.lastStep(isBusy: false) == .release)
        connection.answer(1, "1")
        _ = connection.takeText()
        #expect(connection.lastStep(isBusy: false) == .takeIn)
    }

    @Test("H-27: what stands behind a refusal or the last request is not waited for")
    func dropsWhatIsNotTaken() {
        for first in ["GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /\r\n\r\n"] {
            var connection = HTTPConnection(limits: HTTPLimits())
            connection.closeAfterAnswers(behind: .max)
            _ = connection.feed(first)
            _ = connection.takeText()
            #expect(connection.lastStep(isBusy: false) == .end)
        }
    }

    @Test("H-27: a request that is half there when no more comes is given up")
    func givesUpHalves() {
        for half in ["GET", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na"] {
            var connection = HTTPConnection(limits: HTTPLimits())
            connection.closeAfterAnswers(behind: half.utf8.count)
            _ = connection.feed(half)
            #expect(connection.lastStep(isBusy: false) == .end)
        }
    }
}
