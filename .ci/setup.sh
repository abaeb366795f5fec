#!/bin/bash
# setup.sh run|test: makes sure that this machine can build and open Silbo (run), or also prove it (test).
# Says nothing when nothing is missing. SILBO_SETUP=skip passes it over, for systems set up by hand.
set -euo pipefail

readonly MIN_RUST=1.95
readonly BUILD="build-essential pkg-config libasound2-dev libvpx-dev cmake"
readonly RUN="libgl1 libegl1 libgl1-mesa-dri libx11-6 libxcursor1 libxi6 libxrandr2 libxkbcommon0
    libxkbcommon-x11-0 libx11-xcb1 fonts-noto-core"
readonly TEST="xvfb openbox xdotool imagemagick x11-utils dbus espeak-ng sox alsa-utils pulseaudio pulseaudio-utils
    mesa-vulkan-drivers nftables miniupnpd-nftables iproute2 ethtool conntrack procps strace coturn python3 python3-dev python3-venv chromium"

main() {
    [ "${SILBO_SETUP:-}" != skip ] || return 0
    case ${1:-run} in
        run) packages "$BUILD $RUN" ;;
        test) packages "$BUILD $RUN $TEST" ;;
        *) fail "usage: .ci/setup.sh run|test" ;;
    esac
    rust
}

packages() {
    if ! command -v dpkg-query apt-get >/dev/null; then
        fail "this is not a Debian-like system, so nothing was installed. Install what these Debian packages hold:" \
            "$(echo $1 | fold -s -w 100 | sed 's/^/    /')" \
            "and Rust $MIN_RUST or newer from https://rustup.rs, then run again with SILBO_SETUP=skip."
    fi
    local package missing=()
    for package in $1; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        fail "packages are missing and there is no sudo here. As root run:" "    apt-get install ${missing[*]}"
    echo "setup: installing ${missing[*]}"
    as_root apt-get update -qq || echo "setup: the package lists could not be refreshed; trying with the old ones" >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install: ${missing[*]}" "Install them by hand, then run again."
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

rust() {
    recent_cargo && rust_parts && return 0
    if ! command -v rustup >/dev/null; then
        if apt-cache show rustup >/dev/null 2>&1; then
            packages rustup
        else
            echo "setup: installing Rust with rustup's own installer into ~/.cargo"
            command -v curl >/dev/null || packages "curl ca-certificates"
            curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
                sh -s -- -y --profile minimal --component clippy,rustfmt || how_to_get_rust
        fi
    fi
    hash -r
    if ! recent_cargo; then
        rustup default stable && rustup update stable || how_to_get_rust
    fi
    rustup component add clippy rustfmt || how_to_get_rust
    recent_cargo || how_to_get_rust
}

recent_cargo() {
    local version
    version=$(cargo --version 2>/dev/null | cut -d' ' -f2) || return 1
    [ -n "$version" ] && [ "$(printf '%s\n' "$MIN_RUST" "$version" | sort -V | head -1)" = "$MIN_RUST" ]
}

rust_parts() { cargo clippy --version && cargo fmt --version; } >/dev/null 2>&1

how_to_get_rust() {
    fail "Silbo needs cargo $MIN_RUST or newer with clippy and rustfmt; this machine has: $(cargo --version 2>&1 | head -1)." \
        "Install it from https://rustup.rs, or with rustup present: rustup update stable && rustup component add clippy rustfmt"
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

main "$@"
