/// Certificates and keys for tests. They protect nothing.
enum Certificates {
    /// Valid for a hundred years.
    static let valid = """
        -----BEGIN CERTIFICATE-----
        MIIBhzCCAS2gAwIBAgIUd4cRnWrwQ4PdScbXGRSFnEcSbfQwCgYIKoZIzj0EAwIw
        GDEWMBQGA1UEAwwNdmFsaWQuZXhhbXBsZTAgFw0yNjExMjgxNDE0MzlaGA8yMTI2
        MTEwNDE0MTQzOVowGDEWMBQGA1UEAwwNdmFsaWQuZXhhbXBsZTBZMBMGByqGSM49
        AgEGCCqGSM49AwEHA0IABCBem6OS44pyznY+QutSvTexMpOpeDCEIucc0pDt2Coj
        gfzgtRncADOKmWF7oJXQ2Ubwt4+F6w6NjsCCc+38Qy2jUzBRMB0GA1UdDgQWBBQC
        dLZyzdfhVcKDXErSbLjaXumnqTAfBgNVHSMEGDAWgBQCdLZyzdfhVcKDXErSbLja
        XumnqTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDbw/ICRxB0r
        tBsVVag2HgJ+iC6W6VMFDNn1UhuTsSGbAiEAlTfyDGSQ7mp9v2dbSJpo9AO62eSR
        hq8n8Tn33jqH3ts=
        -----END CERTIFICATE-----

        """

    /// The key of `valid`.
    static let validKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkKQRtVYfGXmrNwqU
        QiBhbkpjIP4xyb4FE5EI87JOCsChRANCAAQgXpujkuOKcs52PkLrUr03sTKTqXgw
        hCLnHNKQ7dgqI4H84LUZ3AAziplhe6CV0NlG8LePhesOjY7AgnPt/EMt
        -----END PRIVATE KEY-----

        """

    /// Valid on the first day of 2020.
    static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBGjCBwgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9leHBpcmVkLmV4YW1w
        bGUwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAaMRgwFgYDVQQDDA9l
        eHBpcmVkLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARHQzVT03Dr
        LGsXhZp0cCPUquxJyDjqDi1J0yh+THShq4e554BcLyoVrEfatYn+caMCouzZMDxN
        UhRV3aK3I4tqMAoGCCqGSM49BAMCA0cAMEQCIDWySKrR6EBhnkLEubcNO2jywh4X
        mOuGQOWsX+ux9YgNAiAxGBJz2bffF0SyihGZHiGwYHFRQkOuBa2D3UidISK0Ag==
        -----END CERTIFICATE-----

        """

    /// The key of `expired`.
    static let expiredKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh98UIohqm8+BRjzl
        7rL3tBKWAYSyXsndBUv9i94ak8ihRANCAARHQzVT03DrLGsXhZp0cCPUquxJyDjq
        Di1J0yh+THShq4e554BcLyoVrEfatYn+caMCouzZMDxNUhRV3aK3I4tq
        -----END PRIVATE KEY-----

        """
}
