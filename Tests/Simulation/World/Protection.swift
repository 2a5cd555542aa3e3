/// How the streams of a world are protected and compressed, and what goes wrong with that.
struct Protection {
    enum TLS: Int {
        case none, startTLS, direct
    }

    let tls: TLS
    /// Whether the worker asks for compression, and most servers offer it.
    let compresses: Bool
    /// Of a thousand connections, how many are cut within the first bytes of the server.
    let cuts: Int
    /// Of a thousand connections, how many show an invalid certificate.
    let wrongCertificates: Int
    /// Of a thousand pieces that a server sends, how many are preceded by new keys.
    let rekeys: Int
    /// Of a thousand servers, how many do something else in the negotiation than what is asked.
    let refusals: Int
    /// Whether servers speak at most TLS 1.2.
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

    /// The worker's settings for it.
    var settings: [(String, String)] {
        let encryption =
            switch tls {
            case .none: [("upstream-tls", "none")]
            case .startTLS: [("upstream-tls", "starttls"), ("upstream-ca", Certificates.authorityPath)]
            case .direct: [("upstream-tls", "direct"), ("upstream-ca", Certificates.authorityPath)]
            }
        return encryption + [("upstream-compression", compresses ? "zlib" : "off")]
    }
}
