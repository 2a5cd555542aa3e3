/// An encoded answer. What others keep too, a response in the replay cache, is not copied: its bytes stand apart.
struct EncodedAnswer: Sendable {
    /// The head and the beginning of the body, or all of it.
    var start: [UInt8]
    /// What follows, shared with whoever else keeps it.
    var shared: [UInt8] = []
    /// What follows that.
    var end: [UInt8] = []
    /// How much of `shared` has left.
    var sharedLeft = 0

    var count: Int { start.count + shared.count - sharedLeft + end.count }
}

/// What is to be sent, in order: bytes, and behind them answers whose shared part is copied only as it leaves.
struct AnswerOutput: Sendable {
    private var bytes: [UInt8] = []
    /// Empty but for large answers and what stands behind them.
    private var answers: [EncodedAnswer] = []

    var isEmpty: Bool { bytes.isEmpty && answers.isEmpty }

    var count: Int { answers.isEmpty ? bytes.count : answers.reduce(bytes.count) { $0 + $1.count } }

    /// Memory that is set aside for it; what it shares counts too, since it may be the last to keep it.
    var reservedBytes: Int {
        answers.isEmpty
            ? bytes.capacity : answers.reduce(bytes.capacity) { $0 + $1.count + MemoryLayout<EncodedAnswer>.size }
    }

    /// Lets `encode` write behind everything that waits; where nothing large does, that is one buffer.
    mutating func append(_ encode: (inout [UInt8]) -> Void) {
        if answers.isEmpty {
            encode(&bytes)
        } else {
            var start: [UInt8] = []
            encode(&start)
            answers.append(EncodedAnswer(start: start))
        }
    }

    /// Puts an answer behind everything that waits.
    mutating func append(_ answer: consuming EncodedAnswer) {
        if answers.isEmpty {
            bytes.append(contentsOf: answer.start)
            guard !answer.shared.isEmpty else { return }
            answer.start = []
        }
        answers.append(answer)
    }

    /// Whether it has no storage to write to.
    var lacksRoom: Bool { bytes.capacity == 0 }

    /// Takes storage over for what will be written; only where it lacks room.
    mutating func takeRoom(_ room: consuming [UInt8]) { bytes = room }

    /// Moves what is to be sent to `target`, shared bytes until it has `limit` of them. An empty target takes the buffer over
    /// uncopied.
    mutating func take(into target: inout [UInt8], limit: Int) {
        if target.isEmpty {
            swap(&target, &bytes)
        } else {
            target.append(contentsOf: bytes)
        }
        bytes = []
        var left = 0
        while left < answers.count, target.count < limit {
            target.append(contentsOf: answers[left].start)
            answers[left].start = []
            let from = answers[left].sharedLeft
            let to = min(answers[left].shared.count, from + max(limit - target.count, 0))
            target.append(contentsOf: answers[left].shared[from..<to])
            answers[left].sharedLeft = to
            guard to == answers[left].shared.count else { break }
            target.append(contentsOf: answers[left].end)
            left += 1
        }
        if left == answers.count { answers = [] } else { answers.removeFirst(left) }
    }
}
