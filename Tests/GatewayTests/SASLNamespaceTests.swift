import Testing

@testable import Gateway

/// The search for the namespaces whose responses must not be compressed.
struct SASLNamespaceTests {
    private let names = ["urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:"]

    private func isNamed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return SASLNamespace.isNamed(in: bytes.span)
    }

    @Test("a namespace is found at every place, at the ends too")
    func everywhere() {
        for name in names {
            for before in 0..<12 {
                for after in 0..<6 {
                    let text = String(repeating: "x", count: before) + name + String(repeating: "u", count: after)
                    #expect(isNamed(text), "\(text)")
                }
            }
        }
    }

    @Test("a part of it is none")
    func parts() {
        for name in names {
            for index in name.indices {
                #expect(!isNamed(String(name[..<index])))
                let rest = String(name[index...])
                if rest != name { #expect(!isNamed(rest), "\(rest)") }
                var changed = name
                changed.replaceSubrange(index...index, with: "_")
                #expect(!isNamed(changed), "\(changed)")
            }
        }
        #expect(!isNamed(""))
        #expect(!isNamed("urn:xmpp:sm:3 urn:ietf:params:xml:ns:xmpp-bind"))
    }

    @Test("it is found behind what looks like its beginning")
    func lookalikes() {
        for prefix in ["u", "ur", "urn", "urn:", "uurn", "urnurn:", "nurn:", ":", "::", "rnu", "urn:xmpp:", "urn:urn"] {
            for name in names { #expect(isNamed(prefix + name), "\(prefix)") }
        }
    }

    @Test("the search skips nothing: random texts of its own letters")
    func random() {
        var state: UInt64 = .random(in: 0 ... .max)
        let seed = state
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let pieces = ["u", "r", "n", ":", "urn:", "xmpp:", "sasl:", "urn:xmpp:", "ietf:", names[0], names[1]]
        var found = 0
        for _ in 0..<5_000 {
            let text = (0..<next(9)).map { _ in pieces[next(pieces.count)] }.joined()
            let expected = names.contains { text.contains($0) }
            if expected { found += 1 }
            #expect(isNamed(text) == expected, "seed \(seed): \(text)")
        }
        #expect(found > 100 && found < 4_900, "seed \(seed)")
    }
}
