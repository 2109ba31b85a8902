# shellcheck shell=bash
# Sourced by `build`, the scripts beside it and those of ../agent-image and ../boot-files. Messages begin with what is being built.
building=${building:-reference-os}

fail() {
    echo "$building: $*" >&2
    exit 1
}

step() { echo "$building: $*" >&2; }

# SHA-256 over all arguments.
digest() { printf '%s\0' "$@" | sha256sum | cut -c 1-64; }

# A UUID that depends on the arguments only.
uuid_from() {
    local hex
    hex=$(digest "$@")
    echo "${hex:0:8}-${hex:8:4}-4${hex:13:3}-8${hex:17:3}-${hex:20:12}"
}

mib() { numfmt --to=iec-i --suffix=B "$(stat -c %s "$1")"; }

# unpack_packages CODENAME DIRECTORY PACKAGE...: unpacks the packages and what they depend on, running nothing of theirs.
# The sources are this machine's own, with its security updates and proxies.
unpack_packages() {
    local codename=$1 directory=$2 options sources=() file
    shift 2
    options=$(mktemp)
    apt-config dump | grep -E '^Acquire::(https?::Proxy|https?::.*::Proxy|https::Ca|Check-|Retries)' >"$options" || true
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        if [ -s "$file" ] && grep -q "$codename" "$file"; then sources+=("$file"); fi
    done
    [ ${#sources[@]} -gt 0 ] || fail "no apt source on this machine names $codename"
    mmdebstrap --quiet --mode=root --variant=extract --format=directory --architectures=amd64 \
        --aptopt='APT::Install-Recommends "false"' --aptopt="$options" --include="$(IFS=,; echo "$*")" \
        "$codename" "$directory" "${sources[@]}" 2> >(grep -v 'skipping mounting of' >&2)
    rm -f "$options"
}
