import Bridge
import Effort
import Primitives
import Testing

@testable import WebSocketCore

/// Random histories of a session. What must hold of each is stated here once more, without the session's own terms.
@Suite struct SessionPropertyTests {
    private struct Observer {
        var hasStream = false
        var hasOpened = false
        var isManaged = false
        var hasLoggedIn = false
        var isOver = false
        /// Stanzas that were delivered after login and not managed, with the number of the ping behind each.
        var delivered: [(text: String, ping: Int?)] = []
        var saidGoodbye = false
        var isPaused = false

        mutating func see(_ lines: [String], _ history: String) {
            for line in lines {
                #expect(!isOver, "\(line) follows the end: \(history)")
                let word = line.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
                let rest = line.dropFirst(word.count + 1)
                switch word {
                case "open":
                    #expect(!hasOpened, "a second stream: \(history)")
                    hasOpened = true
                    hasStream = true
                case "forward", "restart": #expect(hasStream, "\(line) without a stream: \(history)")
                case "pause":
                    #expect(hasStream && !isPaused, "\(history)")
                    isPaused = true
                case "resume":
                    #expect(hasStream && isPaused, "\(history)")
                    isPaused = false
                case "ping":
                    for index in delivered.indices where delivered[index].ping == nil {
                        delivered[index].ping = Int(rest)
                    }
                case "return":
                    #expect(!isManaged && rest == delivered.map(\.text).joined(), "\(line): \(history)")
                    delivered = []
                case "leave", "drop":
                    #expect(hasStream, "\(line) without a stream: \(history)")
                    #expect(isManaged || delivered.isEmpty, "stanzas are lost: \(history)")
                    hasStream = false
                case "deliver":
                    #expect(hasStream && !saidGoodbye, "\(history)")
                    if hasLoggedIn, !isManaged { delivered.append((String(rest), nil)) }
                case "send": saidGoodbye = saidGoodbye || rest.hasPrefix("<close")
                case "ended":
                    isOver = true
                    #expect(!hasStream, "the stream is left behind: \(history)")
                default: break
                }
            }
        }
    }

    private static let ends: [WebSocketInput] = [.close, .socketClosed, .lost(.clientLost), .tooLarge]

    @Test("random histories: nothing is lost, said twice or said after the end")
    func plays() {
        let first = UInt64.random(in: 0...UInt64.max)
        for round in 0..<UInt64(Effort.cases(20_000, atLeast: 2_000)) { Self.play(seed: first &+ round) }
    }

    private static func play(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var session = SessionHarness()
        var observer = Observer()
        var history = "seed \(seed): "
        for step in 0..<Int.random(in: 1...30, using: &generator) where !observer.isOver {
            let choice = Int.random(in: 0..<16, using: &generator)
            history += "\(choice) "
            let lines: [String]
            switch choice {
            case 0, 1: lines = session.open()
            case 2: lines = session.element("<e\(step)/>")
            case 3, 4:
                lines =
                    observer.hasStream
                    ? session.upstream(.opened(StreamIdentity(id: "s", version: nil), features: [])) : []
            case 5: lines = observer.hasStream ? session.upstream(.restarted(features: [])) : []
            case 6:
                lines = observer.hasStream ? session.upstream(.loggedIn) : []
                observer.hasLoggedIn = observer.hasLoggedIn || observer.hasStream
            case 7, 8: lines = observer.hasStream ? session.stanzas("<s\(step)/>") : []
            case 9:
                let number = UInt32.random(in: 0...4, using: &generator)
                lines = session(.pong(number))
                observer.delivered.removeAll {
                    $0.ping.map { $0 <= number } ?? false && number <= session.session.pings
                }
            case 10:
                session.noteRead()
                lines = session.pass(.milliseconds(Int64.random(in: 0...30_000, using: &generator)))
            case 11: lines = session.unsent(Int.random(in: 0...2_000, using: &generator))
            case 12:
                let isManaged = observer.hasStream && Int.random(in: 0..<3, using: &generator) == 0
                lines = isManaged ? session.upstream(.managed(isResumable: Bool.random(using: &generator))) : []
                if isManaged {
                    observer.isManaged = true
                    observer.delivered = []
                }
            case 13:
                guard observer.hasStream, Int.random(in: 0..<4, using: &generator) == 0 else { continue }
                observer.hasStream = false
                lines = session.upstream(.ended(.upstreamLost, streamError: []))
            case 14:
                guard Int.random(in: 0..<4, using: &generator) == 0 else { continue }
                lines = session(Self.ends[generator.below(Self.ends.count)])
            default: lines = session(.deadlineReached)
            }
            observer.see(lines, history)
        }
        #expect(observer.isOver == (session.session.phase == .over), "\(history)")
    }
}
