/// The certificates of the simulated servers. They were made for this purpose, and their keys protect nothing.
///
/// All have one Ed25519 key and are valid from 2030-01-01 to 2031-01-01 unless their kind says otherwise: worlds begin
/// in March 2030.
enum Certificates {
    /// Where the settings say that the authority is which the worker trusts.
    static let authorityPath = "/etc/simulated/ca.pem"

    /// The files of the settings, as if they had been read.
    static let files: [String: [UInt8]] = [authorityPath: Array(authority.utf8)]

    /// The certificate that a server shows.
    enum Kind: Int, CaseIterable {
        case good
        /// The certificate names another domain.
        case ofAnother
        /// The certificate expired two years before; it is valid again if somebody sets the clock back.
        case expired
        /// Nobody trusts the issuer.
        case ofStranger

        var text: String {
            switch self {
            case .good: Certificates.good
            case .ofAnother: Certificates.ofAnother
            case .expired: Certificates.expired
            case .ofStranger: Certificates.ofStranger
            }
        }

        /// Whether a client that trusts the authority has to accept it. `time`: in seconds since 1970.
        func isGood(at time: Int) -> Bool {
            switch self {
            case .good: (1_893_456_000...1_924_992_000).contains(time)
            case .expired: (1_830_297_600...1_861_920_000).contains(time)
            case .ofAnother, .ofStranger: false
            }
        }
    }

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIGzJx2qUJx0gtColPe6M0Ryyja3Lu5FIG8yhoX64cEbv
        -----END PRIVATE KEY-----
        """

    private static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBMzCB5qADAgECAhQ2SzZWhA4b5csM7/pwKbM9ZFy9PTAFBgMrZXAwFzEVMBMG
        A1UEAwwMU2ltdWxhdGVkIENBMCAXDTAwMDEwMTAwMDAwMFoYDzIwOTkxMjMxMjM1
        OTU5WjAXMRUwEwYDVQQDDAxTaW11bGF0ZWQgQ0EwKjAFBgMrZXADIQAocKbFr0Zu
        SuL/+VJE5kpEiYDqs4kDtU+qOOLtBdnVh6NCMEAwDwYDVR0TAQH/BAUwAwEB/zAO
        BgNVHQ8BAf8EBAMCAgQwHQYDVR0OBBYEFPHOycB6m3hahkEDHYtsJIOpEtHKMAUG
        AytlcANBAIWWNOd1NSB38VV5oZCBxvfs6etiK/Qlh11g9vk3bXGVbxGC7XUV9Cab
        hDyZKDsd0fqgaWCu1LlDL2cfClHohgQ=
        -----END CERTIFICATE-----
        """

    private static let good = """
        -----BEGIN CERTIFICATE-----
        MIIBSDCB+6ADAgECAhRkqZKTJI2oUE1x91OCtwoctbJ2zzAFBgMrZXAwFzEVMBMG
        A1UEAwwMU2ltdWxhdGVkIENBMB4XDTMwMDEwMTAwMDAwMFoXDTMxMDEwMTAwMDAw
        MFowFjEUMBIGA1UEAwwLZXhhbXBsZS5vcmcwKjAFBgMrZXADIQCtldEnk1AzhiQx
        FZzpuMd+1r6CXnmHtL5pCgxUrC/QRKNaMFgwFgYDVR0RBA8wDYILZXhhbXBsZS5v
        cmcwHQYDVR0OBBYEFBywlnEJ9ZcXNy6kukET2Yoq6ud3MB8GA1UdIwQYMBaAFPHO
        ycB6m3hahkEDHYtsJIOpEtHKMAUGAytlcANBAP/xz2GZG43BTgDKzmD26FlY80Eo
        V9HFwlPJsndh7DCMiQQa9+9wx0jlBKV9Y7+STpoCzSxqoHCp43WvQLEQZwk=
        -----END CERTIFICATE-----
        """

    private static let ofAnother = """
        -----BEGIN CERTIFICATE-----
        MIIBSDCB+6ADAgECAhRwXm81V6g2uP7QvI2YtXh37fDkhTAFBgMrZXAwFzEVMBMG
        A1UEAwwMU2ltdWxhdGVkIENBMB4XDTMwMDEwMTAwMDAwMFoXDTMxMDEwMTAwMDAw
        MFowFjEUMBIGA1UEAwwLZXhhbXBsZS5uZXQwKjAFBgMrZXADIQCtldEnk1AzhiQx
        FZzpuMd+1r6CXnmHtL5pCgxUrC/QRKNaMFgwFgYDVR0RBA8wDYILZXhhbXBsZS5u
        ZXQwHQYDVR0OBBYEFBywlnEJ9ZcXNy6kukET2Yoq6ud3MB8GA1UdIwQYMBaAFPHO
        ycB6m3hahkEDHYtsJIOpEtHKMAUGAytlcANBANZCEyTLIEPdNKwgkIy1Nem81I6q
        gXd+0B+Khz3d3wowsWJgGcTOT5QNi+y3AUO27Ahhlj8Ad8fflG4f04komQM=
        -----END CERTIFICATE-----
        """

    private static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBSDCB+6ADAgECAhQdOQjkUhmyPJA29qpiaJ1UaBFVoTAFBgMrZXAwFzEVMBMG
        A1UEAwwMU2ltdWxhdGVkIENBMB4XDTI4MDEwMTAwMDAwMFoXDTI5MDEwMTAwMDAw
        MFowFjEUMBIGA1UEAwwLZXhhbXBsZS5vcmcwKjAFBgMrZXADIQCtldEnk1AzhiQx
        FZzpuMd+1r6CXnmHtL5pCgxUrC/QRKNaMFgwFgYDVR0RBA8wDYILZXhhbXBsZS5v
        cmcwHQYDVR0OBBYEFBywlnEJ9ZcXNy6kukET2Yoq6ud3MB8GA1UdIwQYMBaAFPHO
        ycB6m3hahkEDHYtsJIOpEtHKMAUGAytlcANBAPnm4Iyavp6aA0vFbXAlkghMGmCp
        ZK0SUD/EDjUhhaWWgSbRnIIB6gSn8n/6uX6+W2QWYPr3/Ik9H/CknZE1NQs=
        -----END CERTIFICATE-----
        """

    private static let ofStranger = """
        -----BEGIN CERTIFICATE-----
        MIIBRjCB+aADAgECAhRh6+PDDZL5hc8gRVyJNcwE0fZ4WDAFBgMrZXAwFTETMBEG
        A1UEAwwKU3RyYW5nZSBDQTAeFw0zMDAxMDEwMDAwMDBaFw0zMTAxMDEwMDAwMDBa
        MBYxFDASBgNVBAMMC2V4YW1wbGUub3JnMCowBQYDK2VwAyEArZXRJ5NQM4YkMRWc
        6bjHfta+gl55h7S+aQoMVKwv0ESjWjBYMBYGA1UdEQQPMA2CC2V4YW1wbGUub3Jn
        MB0GA1UdDgQWBBQcsJZxCfWXFzcupLpBE9mKKurndzAfBgNVHSMEGDAWgBQNDauk
        kX2wROeEIe5GCIi9baoODTAFBgMrZXADQQAFoheWJF1GvAi3p8r5HkYhtHTA5i9p
        PNAtvbDH2xvyqZXXt8djAs/DJFmEe9rprRxtzrWzbldpa/m0Vv7fSMMB
        -----END CERTIFICATE-----
        """
}
