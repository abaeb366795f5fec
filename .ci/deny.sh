#!/bin/bash
# deny.sh policy|advisories: cargo-deny over deny.toml, with a tool of a fixed version kept in target/tools.
# policy      licences, bans and sources; needs no network
# advisories  known vulnerabilities; where the advisory database cannot be reached it says so loudly and passes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VERSION=0.20.2
readonly TOOLS="${CARGO_TARGET_DIR:-target}/tools"

main() {
    local tool
    tool=$(deny_tool)
    case ${1:-policy} in
        policy) "$tool" --log-level warn check --hide-inclusion-graph licenses bans sources ;;
        advisories) advisories "$tool" ;;
        *) echo "usage: .ci/deny.sh policy|advisories" >&2 && exit 2 ;;
    esac
}

deny_tool() {
    local candidate
    for candidate in "$(command -v cargo-deny || true)" "$TOOLS/bin/cargo-deny"; do
        [ -n "$candidate" ] && [ "$("$candidate" --version 2>/dev/null)" = "cargo-deny $VERSION" ] &&
            echo "$candidate" && return 0
    done
    # An unoptimised build: it takes half the time and answers in seconds all the same.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=0 CARGO_TARGET_DIR="$TOOLS/build" \
        cargo install --quiet --debug --locked --root "$TOOLS" --version "$VERSION" cargo-deny >&2
    rm -rf "$TOOLS/build"
    echo "$TOOLS/bin/cargo-deny"
}

advisories() {
    if ! timeout 60 "$1" --log-level error fetch db; then
        echo "!!! NOT RUN: security advisories were not checked, the advisory database cannot be reached from here"
        return 0
    fi
    "$1" --log-level warn check --disable-fetch advisories
}

main "$@"
