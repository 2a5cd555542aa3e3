# shellcheck shell=bash
# Debian packages by purpose. Sourced.
# shellcheck disable=SC2034

# To build: the C libraries Holdfast wraps, and what the Swift linker needs.
BUILD_PACKAGES=(libssl-dev libxml2-dev zlib1g-dev libtomlplusplus-dev pkg-config gcc g++ libc6-dev)
# To run deploy/quickstart: an XMPP server, a web client, a static file server.
QUICKSTART_PACKAGES=(prosody openssl python3 libjs-strophe)
# To run Tests/Interop in addition: four proxies, another XMPP server, a name server, a browser, client libraries. To check
# the manual pages, the metrics and the filter of failed log-ins: groff, promtool, fail2ban.
INTEROP_PACKAGES=(iproute2 nginx libnginx-mod-http-js haproxy apache2 caddy ejabberd unbound chromium chromium-driver libgloox-dev
    libpurple-dev ruby-xmpp4r python3-websockets python3-wsproto python3-nbxmpp python3-pip tkabber tcllib groff-base prometheus
    fail2ban)
# To run deploy/bench --peers: two XMPP servers with their own BOSH, and a proxy.
PEERS_PACKAGES=(prosody ejabberd nginx openssl python3)
# To run deploy/workers and deploy/renewals: two proxies, and what makes another program of one.
WORKERS_PACKAGES=(nginx haproxy python3 binutils)
