/// The answers that a connection owes, in the order of the requests (RFC 9112 §9.3.2, H-12).
///
/// Invariant: exchange numbers in the queue are consecutive; the front is never answered, because an answer at the front
/// leaves at once. The front is stored apart from the rest: the usual one or no open exchange then costs no allocation.
/// Answers that wait share what others keep too: a repeat of little bytes must not cost a copy of a large response.
struct AnswerQueue: Sendable {
    private struct Entry: Sendable {
        var terms: AnswerTerms
        /// The encoded answer, waiting for those before it.
        var answer: EncodedAnswer?
    }

    private var front: AnswerTerms?
    private var rest: [Entry] = []
    /// The number of the front, or of the next request when there is none.
    private var frontNumber: UInt64 = 1

    var isEmpty: Bool { front == nil }

    /// Exchanges in the queue, answered or not. The bound on pipelining counts them all: an answer that waits takes memory too.
    var count: Int { front == nil ? 0 : rest.count + 1 }

    /// The numbers of the exchanges that no answer was given to, in order.
    var open: [UInt64] {
        guard front != nil else { return [] }
        var numbers = [frontNumber]
        for (index, entry) in rest.enumerated() where entry.answer == nil {
            numbers.append(frontNumber + 1 + UInt64(index))
        }
        return numbers
    }

    var openCount: Int {
        front == nil ? 0 : rest.reduce(into: 1) { count, entry in count += entry.answer == nil ? 1 : 0 }
    }

    /// Bytes of the answers that wait for those before them.
    var waitingBytes: Int { rest.isEmpty ? 0 : rest.reduce(0) { $0 + ($1.answer?.count ?? 0) } }

    /// Memory that the queue takes, with the answers that wait.
    var reservedBytes: Int { rest.isEmpty ? 0 : rest.capacity * MemoryLayout<Entry>.stride + waitingBytes }

    /// Takes in a request and gives it its number.
    mutating func open(_ terms: AnswerTerms) -> UInt64 {
        let number = frontNumber + UInt64(count)
        if front == nil { front = terms } else { rest.append(Entry(terms: terms, answer: nil)) }
        return number
    }

    /// Takes in an answer that no request asked for (a refusal): to `output` at once, or behind what is owed.
    mutating func close(with answer: [UInt8], into output: inout AnswerOutput) {
        if front == nil {
            output.append(EncodedAnswer(start: answer))
        } else {
            rest.append(Entry(terms: AnswerTerms(), answer: EncodedAnswer(start: answer)))
        }
    }

    /// The terms of an exchange that is still open; nil for an unknown or answered one.
    func terms(_ number: UInt64) -> AnswerTerms? {
        if isFront(number) { return front }
        guard let index = restIndex(number), rest[index].answer == nil else { return nil }
        return rest[index].terms
    }

    func isFront(_ number: UInt64) -> Bool { front != nil && number == frontNumber }

    func isLast(_ number: UInt64) -> Bool { front != nil && number == frontNumber + UInt64(rest.count) }

    /// The front was answered: it leaves, and so do the waiting answers that follow it.
    mutating func leaveFront(into output: inout AnswerOutput) {
        guard front != nil else { return }
        var left = 1
        while left <= rest.count, let answer = rest[left - 1].answer {
            output.append(answer)
            left += 1
        }
        frontNumber += UInt64(left)
        if left <= rest.count {
            front = rest[left - 1].terms
            rest.removeFirst(left)
        } else {
            front = nil
            rest = []
        }
    }

    /// Keeps the encoded answer of an exchange that is not at the front.
    mutating func keep(_ answer: EncodedAnswer, for number: UInt64) {
        guard let index = restIndex(number) else { return }
        rest[index].answer = answer
    }

    /// Forgets every exchange behind `number`, which are never answered.
    mutating func drop(after number: UInt64) {
        if isFront(number) {
            rest = []
        } else if let index = restIndex(number) {
            rest.removeSubrange((index + 1)...)
        }
    }

    private func restIndex(_ number: UInt64) -> Int? {
        guard front != nil, number > frontNumber, number - frontNumber <= UInt64(rest.count) else { return nil }
        return Int(number - frontNumber) - 1
    }
}
