# shellcheck shell=bash
# What deploy/workers and deploy/renewals share: the two binaries that they need. Sourced, never run.
# shellcheck source=deploy/lib/common.sh
. "$DEPLOY_LIB/common.sh"
# shellcheck source=deploy/lib/packages.sh
. "$DEPLOY_LIB/packages.sh"

# What is proved is what the command line and the file say.
unset HOLDFAST_WORKERS

# Prints where a release binary is, after building it.
build_release() {
    require_swift
    say "Building $1 ..." >&2
    swift build -c release --product "$1" --static-swift-stdlib -q >&2
    printf '%s\n' "$(swift build -c release --product "$1" --static-swift-stdlib --show-bin-path)/$1"
}

# prove PROGRAM [--holdfast BINARY] [--bench BINARY] [ARGUMENT...]: executes the Python program with both binaries and the
# arguments. --help shows the comment at the top of the script that calls it.
prove() {
    local program=$1 holdfast="" bench="" binary
    shift
    while :; do
        case ${1:-} in
        --holdfast | --bench)
            [ $# -ge 2 ] || fail "$1 needs a binary"
            if [ "$1" = --holdfast ]; then holdfast=$2; else bench=$2; fi
            shift 2
            ;;
        -h | --help)
            sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//;p}' "$0"
            exit 0
            ;;
        *) break ;;
        esac
    done
    ensure_packages "${WORKERS_PACKAGES[@]}"
    [ -n "$holdfast" ] || holdfast=$(build_release holdfast)
    [ -n "$bench" ] || bench=$(build_release holdfast-bench)
    for binary in "$holdfast" "$bench"; do [ -x "$binary" ] || fail "$binary is not there"; done
    exec python3 "$program" --holdfast "$holdfast" --bench "$bench" "$@"
}
