"""Certificates of every kind, made by openssl when a test wants them."""

import datetime
import os
import subprocess

CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {path}/index
new_certs_dir = {path}
certificate = {path}/ca.crt
private_key = {path}/ca.key
default_md = sha256
rand_serial = yes
unique_subject = no
policy = anything
[anything]
commonName = supplied
"""

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments, data=None):
    """What openssl writes."""
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr.decode(errors='replace')[-2000:]}"
    return done.stdout


def xmpp_address(domain):
    """A subjectAltName of the kind that RFC 6120 §13.7.1.4 calls id-on-xmppAddr."""
    return f"otherName:1.3.6.1.5.5.7.8.5;UTF8:{domain}"


def service_name(domain):
    """One of the kind of RFC 4985, for a client's stream."""
    return f"otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-client.{domain}"


def pin(certificate):
    """What `upstream-pin` says of this certificate's key."""
    key = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    digest = openssl("dgst", "-sha256", "-binary", data=openssl("pkey", "-pubin", "-outform", "DER", data=key))
    return "sha256/" + openssl("base64", "-A", data=digest).decode().strip()


class Authority:
    """A CA of its own in a directory that must exist. Files are readable for all: the servers do not run as root."""

    def __init__(self, path):
        self.path = path
        os.chmod(path, 0o711)
        self.certificate = f"{path}/ca.crt"
        openssl("req", "-x509", *CURVE, "-days", "30", "-subj", "/CN=Interop CA", "-keyout", f"{path}/ca.key",
                "-out", self.certificate, "-addext", "basicConstraints=critical,CA:TRUE",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        open(f"{path}/index", "w", encoding="ascii").close()
        with open(f"{path}/ca.cnf", "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(path=path))

    def issue(self, name, alternatives, years=(-1, 1)):
        """NAME.crt and NAME.key for these subjectAltNames, valid from and to so many years from now."""
        certificate, key, request = (f"{self.path}/{name}.{kind}" for kind in ("crt", "key", "csr"))
        openssl("req", *CURVE, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        with open(f"{self.path}/{name}.ext", "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={','.join(alternatives)}\nbasicConstraints=CA:FALSE\n")
        start, end = (f"{datetime.datetime.now(datetime.timezone.utc).year + offset}0601000000Z" for offset in years)
        openssl("ca", "-batch", "-notext", "-config", f"{self.path}/ca.cnf", "-in", request, "-out", certificate,
                "-startdate", start, "-enddate", end, "-extfile", f"{self.path}/{name}.ext")
        os.chmod(key, 0o644)
        return certificate, key

    def issue_itself(self, name, alternatives):
        """A certificate that is signed with its own key, and that key."""
        certificate, key = f"{self.path}/{name}.crt", f"{self.path}/{name}.key"
        openssl("req", "-x509", *CURVE, "-days", "30", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate,
                "-addext", f"subjectAltName={','.join(alternatives)}")
        os.chmod(key, 0o644)
        return certificate, key
