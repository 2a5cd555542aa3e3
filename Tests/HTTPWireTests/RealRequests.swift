/// Requests of real clients, byte for byte. Lines of the head end with CRLF; the body has no final line end.
enum RealRequests {
    /// Strophe 5.0.0 in Chromium 156: the preflight.
    static let chromiumPreflight = request(
        #"""
        OPTIONS /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Connection: keep-alive
        Accept: */*
        Access-Control-Request-Method: POST
        Access-Control-Request-Headers: content-type
        Origin: http://127.0.0.1:8000
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
        Sec-Fetch-Mode: cors
        Sec-Fetch-Site: same-site
        Sec-Fetch-Dest: empty
        Referer: http://127.0.0.1:8000/
        Accept-Encoding: gzip, deflate, br, zstd
        Accept-Language: en-US,en;q=0.9
        """#,
        body: #""#)

    /// Strophe 5.0.0 in Chromium 156: session creation.
    static let chromiumCreation = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Connection: keep-alive
        Content-Length: 209
        sec-ch-ua-platform: "Linux"
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
        sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
        Content-Type: text/xml; charset=UTF-8
        sec-ch-ua-mobile: ?0
        Accept: */*
        Origin: http://127.0.0.1:8000
        Sec-Fetch-Site: same-site
        Sec-Fetch-Mode: cors
        Sec-Fetch-Dest: empty
        Referer: http://127.0.0.1:8000/
        Accept-Encoding: gzip, deflate, br, zstd
        Accept-Language: en-US,en;q=0.9
        """#,
        body: #"<body content="text/xml; charset=utf-8" hold="1" rid="4141450188" to="example.test" ver="1.6" w"#
            + #"ait="4" xml:lang="en" xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh" x"#
            + #"mpp:version="1.0"/>"#)

    /// Strophe 5.0.0 in Chromium 156: an empty poll.
    static let chromiumPoll = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Connection: keep-alive
        Content-Length: 111
        sec-ch-ua-platform: "Linux"
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
        sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
        Content-Type: text/xml; charset=UTF-8
        sec-ch-ua-mobile: ?0
        Accept: */*
        Origin: http://127.0.0.1:8000
        Sec-Fetch-Site: same-site
        Sec-Fetch-Mode: cors
        Sec-Fetch-Dest: empty
        Referer: http://127.0.0.1:8000/
        Accept-Encoding: gzip, deflate, br, zstd
        Accept-Language: en-US,en;q=0.9
        """#,
        body: #"<body rid="4141450195" sid="8f0135fb-8cdf-467d-9f5c-cded0fa1fbfe" xmlns="http://jabber.org/prot"#
            + #"ocol/httpbind"/>"#)

    /// libpurple 2.14.12: a media type as the content coding, no `Content-Type`.
    static let libpurpleCreation = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1
        User-Agent: libpurple 2.14.12
        Content-Encoding: text/xml; charset=utf-8
        Content-Length: 230
        """#,
        body: #"<body content='text/xml; charset=utf-8' secure='true' to='example.test' xml:lang='en' xmpp:vers"#
            + #"ion='1.0' ver='1.6' xmlns:xmpp='urn:xmpp:xbosh' rid='2507819948981324' wait='60' hold='1' xmlns"#
            + #"='http://jabber.org/protocol/httpbind'/>"#)

    /// libpurple 2.14.12: the last request of a session.
    static let libpurpleTerminate = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1
        User-Agent: libpurple 2.14.12
        Content-Encoding: text/xml; charset=utf-8
        Content-Length: 233
        """#,
        body: #"<body rid='2507819948981335' sid='5dcb9412-8191-46ff-943b-8a97a492af67' to='example.test' xml:l"#
            + #"ang='en' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' type='terminat"#
            + #"e'><a xmlns='urn:xmpp:sm:3' h='29'/></body>"#)

    /// gloox 1.0.24 speaking HTTP/1.0, one connection a request.
    static let glooxLegacy = request(
        #"""
        POST /http-bind HTTP/1.0
        Connection: close
        Host: 127.0.0.1:5280
        Content-Type: text/xml; charset=utf-8
        Content-Length: 264
        User-Agent: gloox/1.0.24
        """#,
        body: #"<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' content='text/xml"#
            + #"; charset=utf-8' hold='1' rid='1728744506' ver='1.6' wait='30' ack='0' secure='false' route='xm"#
            + #"pp:example.test:5222' xml:lang='en' xmpp:version='1.0' to='example.test'/>"#)

    /// gloox 1.0.24 speaking HTTP/1.1.
    static let glooxPersistent = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Content-Type: text/xml; charset=utf-8
        Content-Length: 264
        User-Agent: gloox/1.0.24
        """#,
        body: #"<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' content='text/xml"#
            + #"; charset=utf-8' hold='1' rid='1728744506' ver='1.6' wait='30' ack='0' secure='false' route='xm"#
            + #"pp:example.test:5222' xml:lang='en' xmpp:version='1.0' to='example.test'/>"#)

    /// gloox 1.0.24 pipelining: the poll.
    static let glooxPipelinedFirst = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Content-Type: text/xml; charset=utf-8
        Content-Length: 117
        User-Agent: gloox/1.0.24
        """#,
        body: #"<body rid='1728681418' sid='cb60c391-9999-4188-83f4-5b92bdd5fcb4' xmlns='http://jabber.org/prot"#
            + #"ocol/httpbind'></body>"#)

    /// gloox 1.0.24 pipelining: the request after the poll.
    static let glooxPipelinedSecond = request(
        #"""
        POST /http-bind HTTP/1.1
        Host: 127.0.0.1:5280
        Content-Type: text/xml; charset=utf-8
        Content-Length: 141
        User-Agent: gloox/1.0.24
        """#,
        body: #"<body rid='1728681419' sid='cb60c391-9999-4188-83f4-5b92bdd5fcb4' type='terminal' xml:lang='en'"#
            + #" xmlns='http://jabber.org/protocol/httpbind'/>"#)

    /// tsung writes no space after the colons and a field `keep-alive:true`.
    static let tsung = request(
        """
        POST /http-bind HTTP/1.1
        Host:127.0.0.1
        Content-Type:text/xml; charset=utf-8
        keep-alive:true
        Content-Length:7
        """,
        body: "<body/>")

    static let all: [(name: String, bytes: [UInt8])] = [
        ("chromiumPreflight", chromiumPreflight),
        ("chromiumCreation", chromiumCreation),
        ("chromiumPoll", chromiumPoll),
        ("libpurpleCreation", libpurpleCreation),
        ("libpurpleTerminate", libpurpleTerminate),
        ("glooxLegacy", glooxLegacy),
        ("glooxPersistent", glooxPersistent),
        ("glooxPipelinedFirst", glooxPipelinedFirst),
        ("glooxPipelinedSecond", glooxPipelinedSecond),
        ("tsung", tsung),
    ]

    private static func request(_ head: String, body: String) -> [UInt8] {
        head.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] } + Array("\r\n\r\n\(body)".utf8)
    }
}
