import Testing

@testable import Deflate

/// Data expanded in steps gives exactly the same result as data expanded at once.
@Suite struct InflaterStepTests {
    private enum Outcome: Equatable {
        case bytes([UInt8])
        case failed(DeflateError)
    }

    private func atOnce(_ input: [UInt8], _ format: DeflateFormat, _ limit: Int) throws -> Outcome {
        var inflater = try makeInflater()
        var output: [UInt8] = []
        do throws(DeflateError) {
            try inflater.inflate(input.span, as: format, limit: limit, into: &output)
            return .bytes(output)
        } catch {
            return .failed(error)
        }
    }

    private func inSteps(
        _ input: [UInt8], _ format: DeflateFormat, _ limit: Int, _ step: Int, _ inflater: inout Inflater
    ) -> Outcome {
        var output: [UInt8] = []
        do throws(DeflateError) {
            try inflater.begin(as: format, limit: limit)
            var before = 0
            while try !inflater.proceed(input.span, step: step, into: &output) {
                #expect(output.count - before <= step)
                before = output.count
            }
            return .bytes(output)
        } catch {
            return .failed(error)
        }
    }

    private func compressed(_ text: String, _ format: DeflateFormat) throws -> [UInt8] {
        var deflater = try makeDeflater(format)
        var output: [UInt8] = []
        #expect(deflater.deflate(Array(text.utf8).span, limit: text.utf8.count + 100, into: &output))
        return output
    }

    @Test("each format and each fault, with steps of every size", arguments: DeflateFormat.allCases)
    func everyStep(format: DeflateFormat) throws {
        let text = "<body>" + String(repeating: "so long, ", count: 40) + "</body>"
        let whole = try compressed(text, format)
        var damaged = whole
        damaged[whole.count / 2] ^= 0x55
        var inflater = try makeInflater()
        let inputs = [whole, [], Array(whole.dropLast()), damaged, whole + [0], whole + whole, whole + whole + [0x1F]]
        for input in inputs {
            for limit in [0, 10, text.utf8.count - 1, text.utf8.count, 10_000] {
                let expected = try atOnce(input, format, limit)
                for step in 1...(text.utf8.count + 2) {
                    #expect(inSteps(input, format, limit, step, &inflater) == expected, "\(input) by \(step)")
                }
            }
        }
    }

    @Test("a step takes a bounded part of the input, even if nothing comes out of it")
    func emptyMembers() throws {
        let member = try compressed("", .gzip)
        let input = [[UInt8]](repeating: member, count: 100).flatMap { $0 }
        var inflater = try makeInflater()
        var output: [UInt8] = []
        try inflater.begin(as: .gzip, limit: 100)
        var steps = 1
        while try !inflater.proceed(input.span, step: 50, into: &output) { steps += 1 }
        #expect(steps >= input.count / 50)
        #expect(output.isEmpty)
    }
}
