# shellcheck shell=bash
# Shared by the scripts in deploy/: messages, the Swift check, the one privileged step, loopback ports.
# Sourced, never run. Callers have set -euo pipefail.

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Holdfast needs the language and standard library of Swift 6.3.
require_swift() {
    local hint="Swift 6.3 or newer is needed in PATH (https://www.swift.org/install/linux/)"
    command -v swift >/dev/null || fail "$hint; no swift was found"
    local version major minor
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] || fail "$hint; 'swift --version' printed no version"
    major=${version%%.*}
    minor=${version#*.}
    if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
        fail "$hint; this is $version"
    fi
}

# Prints those of the given Debian packages that are not installed, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]; then
            printf '%s\n' "$package"
        fi
    done
}

# Installs those of the given packages that are missing. This is the only step that needs privileges: it runs as root
# directly, or else by sudo. A service that comes with a new package is neither started nor left enabled; one that was
# there before is not touched.
ensure_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        fail "this script installs Debian packages and found no apt-get; needed are: $*"
    fi
    local missing
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    local -a packages runner=()
    mapfile -t packages <<<"$missing"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "not root and no sudo; install these packages first: ${packages[*]}"
        runner=(sudo)
    fi
    say "Installing packages: ${packages[*]}"
    "${runner[@]}" bash "$DEPLOY_LIB/install-packages" "${packages[@]}" || fail "packages could not be installed: ${packages[*]}"
}

# Prints N different TCP ports that are free now, one a line. The kernel gives ports from 32768 on to connections and to
# those who ask for any port. These ports are lower, so nobody gets one by chance before a daemon listens there.
free_ports() {
    python3 - "$1" <<'PYTHON'
import random
import socket
import sys

wanted = int(sys.argv[1])
for port in random.sample(range(26_000, 32_000), 6_000):
    if wanted == 0:
        break
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            continue
    print(port)
    wanted -= 1
else:
    sys.exit("no port is free")
PYTHON
}

# Succeeds when this loopback port can be bound now.
port_is_free() {
    python3 - "$1" <<'PYTHON'
import socket
import sys

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    listener.bind(("127.0.0.1", int(sys.argv[1])))
except OSError:
    sys.exit(1)
PYTHON
}

# wait_for_port PORT PID SECONDS: waits until the port accepts a connection; fails at once when the process has ended.
wait_for_port() {
    local deadline=$((SECONDS + $3))
    while ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || return 1
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# stop_process PID SECONDS: sends SIGTERM, and SIGKILL if the process has not ended in time. Only for children of this
# shell.
stop_process() {
    kill -TERM "$1" 2>/dev/null || return 0
    local deadline=$((SECONDS + $2))
    while kill -0 "$1" 2>/dev/null; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill -KILL "$1" 2>/dev/null || true
            break
        fi
        sleep 0.05
    done
    wait "$1" 2>/dev/null || true
}
