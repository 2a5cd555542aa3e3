/// How the streams of a world are protected and compressed, and what goes wrong with that.
struct Protection {
    enum TLS: Int {
        case none, startTLS, direct
    }

    let tls: TLS
    /// Whether the worker asks for compression, and most servers offer it.
    let compresses: Bool
    /// Of a thousand connections, how many are cut somewhere in the first bytes of the server.
    let cuts: Int
    /// Of a thousand connections, how many show a certificate that is not good.
    let wrongCertificates: Int
    /// Of a thousand pieces that a server sends, before how many it takes new keys.
    let rekeys: Int
    /// Of a thousand servers, how many do something else than what is asked in the negotiation.
    let refusals: Int
    /// Whether servers speak no newer TLS than 1.2.
    let isOld: Bool

    init(_ world: Plan) {
        tls = TLS(rawValue: world["tls"]) ?? .none
        compresses = world["compresses"] > 0
        cuts = world["cuts"]
        wrongCertificates = world["wrong"]
        rekeys = world["rekeys"]
        refusals = world["refusals"]
        isOld = world["oldtls"] > 0
    }

    /// What the worker is told of it.
    var settings: [(String, String)] {
        let encryption =
            switch tls {
            case .none: [("upstream-tls", "none")]
            case .startTLS: [("upstream-tls", "starttls"), ("upstream-ca", Certificates.authorityFile)]
            case .direct: [("upstream-tls", "direct"), ("upstream-ca", Certificates.authorityFile)]
            }
        return encryption + [("upstream-compression", compresses ? "zlib" : "off")]
    }
}
