# shellcheck shell=bash
# A private Prosody: its own configuration, data directory, CA and loopback ports. Sourced.
#
#   prosody_prepare DIR strict|open    writes everything into DIR (which must exist) and DIR/env
#   prosody_exec DIR                   becomes `prosody -F`; to be run in a subshell or child process
#
# Hosts: anon.localhost (SASL ANONYMOUS), accounts.localhost (see PROSODY_ACCOUNTS), rooms.localhost (XEP-0045).
# `strict` refuses logins on connections without TLS. `open` allows them, serves Prosody's own BOSH and WebSocket as a control for the
# tests, stores messages for who is offline, keeps a stream with XEP-0198 for PROSODY_RESUME seconds, and has wrongname.localhost, a host whose certificate is for another name.

PROSODY_ACCOUNTS=(romeo juliet mercutio benvolio)
PROSODY_RESUME=6
PROSODY_PASSWORD=montague

# issue_certificate DIR NAME SUBJECT_ALT_NAMES: DIR/NAME.crt and DIR/NAME.key, signed by DIR/ca.
issue_certificate() {
    local dir=$1 name=$2 names=$3
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" \
        -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
        -extfile <(printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$names") -out "$dir/$name.crt" 2>/dev/null
    rm "$dir/$name.csr"
    chmod 600 "$dir/$name.key"
}

# issue_authority DIR NAME: a separate CA, DIR/NAME.crt and DIR/NAME.key.
issue_authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=Private CA ($2)" \
        -keyout "$1/$2.key" -out "$1/$2.crt" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
    chmod 600 "$1/$2.key"
}

prosody_prepare() {
    local dir=$1 mode=$2 tls=$1/tls
    local c2s direct http
    { read -r c2s && read -r direct && read -r http; } < <(free_ports 3)

    mkdir -p "$dir/data" "$tls"
    issue_authority "$tls" ca
    issue_certificate "$tls" server "DNS:anon.localhost,DNS:accounts.localhost,DNS:rooms.localhost"

    local encryption='c2s_require_encryption = true' bosh=''
    if [ "$mode" = open ]; then
        issue_authority "$tls" stranger
        issue_certificate "$tls" elsewhere "DNS:elsewhere.example"
        encryption='c2s_require_encryption = false; allow_unencrypted_plain_auth = true'
        bosh='"bosh"; "websocket"; "carbons"; "offline";'
    fi
    cat >"$dir/prosody.cfg.lua" <<LUA
data_path = "$dir/data"
pidfile = "$dir/prosody.pid"
log = { info = "$dir/prosody.log" }
plugin_paths = {}
modules_enabled = { "roster"; "saslauth"; "tls"; "disco"; "ping"; "presence"; "message"; "iq"; "smacks"; "posix"; $bosh }
modules_disabled = { "s2s"; "offline_mam"; "mam" }
c2s_interfaces = { "127.0.0.1" }
c2s_ports = { $c2s }
c2s_direct_tls_ports = { $direct }
legacy_ssl_ports = {}
http_interfaces = { "127.0.0.1" }
http_ports = { $http }
https_ports = {}
http_default_host = "anon.localhost"
consider_bosh_secure = true
consider_websocket_secure = true
$encryption
authentication = "internal_plain"
storage = "internal"
allow_registration = false
ssl = { certificate = "$tls/server.crt"; key = "$tls/server.key" }
c2s_direct_tls_ssl = { certificate = "$tls/server.crt"; key = "$tls/server.key" }

VirtualHost "anon.localhost"
    authentication = "anonymous"
    disco_items = { { "rooms.localhost", "Rooms" } }
VirtualHost "accounts.localhost"
Component "rooms.localhost" "muc"
    modules_enabled = {}
    restrict_room_creation = false
    muc_room_locking = false
LUA
    if [ "$mode" = open ]; then
        sed -i "1i smacks_hibernation_time = $PROSODY_RESUME" "$dir/prosody.cfg.lua"
        cat >>"$dir/prosody.cfg.lua" <<LUA
VirtualHost "wrongname.localhost"
    authentication = "anonymous"
    ssl = { certificate = "$tls/elsewhere.crt"; key = "$tls/elsewhere.key" }
LUA
    fi

    # The same file that "prosodyctl register" would write (it encodes host names: a dot is %2e).
    local accounts="$dir/data/accounts%2elocalhost/accounts" user
    mkdir -p "$accounts"
    for user in "${PROSODY_ACCOUNTS[@]}"; do
        printf 'return {\n\t["password"] = "%s";\n};\n' "$PROSODY_PASSWORD" >"$accounts/$user.dat"
    done

    cat >"$dir/env" <<ENV
PROSODY_C2S_PORT=$c2s
PROSODY_DIRECT_TLS_PORT=$direct
PROSODY_HTTP_PORT=$http
PROSODY_CA=$tls/ca.crt
PROSODY_STRANGER_CA=$tls/stranger.crt
PROSODY_PASSWORD=$PROSODY_PASSWORD
ENV
    # Prosody does not run as root. Its user needs the files and access to them, and nothing else.
    if [ "$(id -u)" -eq 0 ]; then
        chown -R prosody:prosody "$dir"
        chmod 711 "$dir" "$tls"
        chmod 644 "$tls/ca.crt" "$dir/env"
    fi
}

prosody_exec() {
    cd "$1" || return
    # Debian has the program in /usr/bin, and its Lua modules where the program expects them.
    if [ "$(id -u)" -eq 0 ]; then
        exec setpriv --reuid=prosody --regid=prosody --init-groups prosody -F --config "$1/prosody.cfg.lua"
    fi
    exec prosody -F --config "$1/prosody.cfg.lua"
}
