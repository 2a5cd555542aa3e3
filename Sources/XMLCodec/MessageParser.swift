import Bridge
import StreamCore

/// Reads the messages of clients over WebSocket, one after the other, with one libxml2 context. A worker has one, and
/// another one for long messages.
///
/// A message is one element that parses alone: nothing stands behind it, and it declares all prefixes that it uses.
/// Specification: RFC 7395 §3.3.3, RFC 6120 §11.1 (`W-03`, `W-42`, `W-43`).
package final class MessageParser {
    private let reader: MessageReader
    /// A long message that is read step by step: a document around it, and where the message begins in it.
    private var long: [UInt8] = []
    private var longOffset = 0
    private var longElement = 0..<0

    /// A parser with these limits.
    package init(limits: XMLLimits) {
        reader = MessageReader(limits: limits)
    }

    /// A message up to this length is read at once.
    package static let mostAtOnce = ElementReader.mostInSurroundings

    /// Reads a message of at most `mostAtOnce` bytes.
    package func parse(_ message: Span<UInt8>) -> ClientMessage {
        switch frame(message) {
        case .left(let result): return result
        case .right(let element):
            reader.prepare()
            let fault = reader.read(message.extracting(element), in: .stream(Self.surroundings))
            return outcome(fault, element)
        }
    }

    /// Begins a message of any length.
    ///
    /// - Returns: the message, when it can be judged without reading its content; otherwise nil, and `proceed` goes on.
    ///   No other message may be parsed in between.
    package func begin(_ message: Span<UInt8>) -> ClientMessage? {
        switch frame(message) {
        case .left(let result): return result
        case .right(let element):
            reader.prepare()
            longElement = element
            longOffset = 0
            long.reserveCapacity(element.count + 2 * Self.root.count + 1)
            long.append(contentsOf: Self.root)
            long.append(copying: message.extracting(element))
            long.append(literal: "</")
            long.append(contentsOf: Self.root.dropFirst())
            return nil
        }
    }

    /// Goes on with the long message, through about `budget` bytes.
    ///
    /// - Returns: the message, once it is read to its end.
    package func proceed(budget: Int) -> ClientMessage? {
        guard !long.isEmpty else { return .refused(.malformed) }
        let document = long
        let step = reader.read(document.span, from: &longOffset, budget: budget)
        switch step {
        case .goesOn: return nil
        case .inOrder:
            long = []
            return outcome(nil, longElement)
        case .refused(let fault):
            long = []
            return outcome(fault, longElement)
        }
    }

    private enum Either {
        case left(ClientMessage)
        /// The place of the one element.
        case right(Range<Int>)
    }

    /// Checks the characters of a message and finds its element.
    private func frame(_ message: Span<UInt8>) -> Either {
        var start = message.skippingSpace(from: 0, to: message.count)
        guard start < message.count else { return .left(.blank) }
        guard CharacterCheck.validPrefix(of: message) == message.count else { return .left(.refused(.encoding)) }
        do {
            start += try XMLDeclaration.skip(in: message.extracting(droppingFirst: start))
        } catch {
            return .left(.refused(error))
        }
        start = message.skippingSpace(from: start, to: message.count)
        let text = message.extracting(droppingFirst: start)
        var framer = ElementFramer.insideRoot
        var offset = 0
        switch framer.scan(text, from: &offset, limits: reader.limits) {
        case .childClosed where offset == text.count: return .right(start..<message.count)
        case .fault(let fault): return .left(.refused(fault))
        case .childClosed, .needMore, .rootOpened, .rootClosed, .sectionOpened, .sectionClosed, .wideTag:
            return .left(.refused(.malformed))
        }
    }

    private func outcome(_ fault: XMLFault?, _ element: Range<Int>) -> ClientMessage {
        if let fault { return .refused(fault) }
        return switch reader.kind {
        case .open: .open(reader.attributes)
        case .close: .close
        case .element: .element(element)
        }
    }

    /// The root around each message: it declares nothing.
    private static let root = Array("<m>".utf8)
    private static let surroundings = StreamScope(startTag: root)
}

/// Reads a root without meaning with exactly one element in it.
private final class MessageReader: ElementReader {
    enum Kind {
        case open, close, element
    }

    private var names = BodyNames()
    private var framing = InternedName.none
    private var openName = InternedName.none
    private var closeName = InternedName.none
    private var to = InternedName.none
    private var from = InternedName.none
    private(set) var kind = Kind.element
    private(set) var attributes = OpenAttributes()

    func prepare() { kind = .element }

    override func contextCreated(_ intern: (StaticString) -> InternedName) {
        names = BodyNames(intern)
        framing = intern("urn:ietf:params:xml:ns:xmpp-framing")
        openName = intern("open")
        closeName = intern("close")
        to = intern("to")
        from = intern("from")
    }

    override func childOpened(_ attributes: SAXAttributes) -> XMLFault? {
        guard childCount == 1 else { return .malformed }
        guard !names.forbidden.contains(child.uri), !names.asksForExternal(child, attributes) else {
            return .forbiddenElement
        }
        if child.uri == framing {
            if child.local == openName {
                kind = .open
                readOpening(attributes)
            } else if child.local == closeName {
                kind = .close
            } else {
                return .forbiddenElement
            }
            return nil
        }
        // The stream's default namespace is jabber:client, which stanzas need not name.
        guard child.uri.isNone || child.uri == names.empty else { return nil }
        let isPlainStanza = names.stanzas.contains(child.local) && !childScope.contains { $0.prefix.isNone }
        return isPlainStanza ? nil : .invalidRoot
    }

    private func readOpening(_ attributes: SAXAttributes) {
        self.attributes = OpenAttributes()
        for index in 0..<attributes.count {
            if attributes.uri(index).isNone, attributes.local(index) == to {
                self.attributes.to = unsafe AttributeText.bounded(
                    attributes.value(index), most: AttributeBound.domain)
            } else if attributes.uri(index).isNone, attributes.local(index) == from {
                self.attributes.from = unsafe AttributeText.bounded(
                    attributes.value(index), most: AttributeBound.address)
            } else if names.isLanguage(attributes, at: index) {
                let tag = unsafe AttributeText.bounded(attributes.value(index), most: AttributeBound.language)
                self.attributes.language = LanguageTag.isOne(tag.bytes) ? tag.text : nil
            }
        }
    }
}
