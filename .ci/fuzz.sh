#!/bin/bash
# fuzz.sh [SECONDS [TARGET...]]: runs libFuzzer over each target (or those named), two at a time, for so many seconds
# each (60). New inputs are kept below the target folder; what crashes lies in fuzz/artifacts afterwards: copied into
# fuzz/corpus/TARGET it becomes a test of `cargo test`.
#
# No sanitizer: Silbo's own code is safe Rust, so that a stable compiler will do; memory is counted by the targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VERSION=0.13.2
readonly BUILT="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
readonly TOOLS="$BUILT/tools"
readonly FOUND="$BUILT/fuzz-corpus"

main() {
    local seconds=${1:-60} targets
    shift $(($# > 0 ? 1 : 0))
    tool
    targets=${*:-$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' fuzz/Cargo.toml)}
    echo "fuzz: building"
    # The versions that Silbo is built with; cargo adds libFuzzer.
    cp Cargo.lock fuzz/Cargo.lock
    fuzz build --target-dir "$BUILT/fuzz" >/dev/null
    export -f fuzz one
    export TOOLS FOUND BUILT
    if ! printf '%s\n' $targets | xargs -P 2 -I{} bash -c 'one "$@"' _ {} "$seconds"; then
        echo "fuzz: FAILED; the inputs lie in fuzz/artifacts" >&2
        return 1
    fi
}

# one TARGET SECONDS
one() {
    local found="$FOUND/$1" log
    mkdir -p "$found"
    log=$(mktemp)
    if fuzz run --target-dir "$BUILT/fuzz" "$1" "$found" "fuzz/corpus/$1" -- \
        -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 >"$log" 2>&1; then
        printf 'fuzz: %-14s %10s inputs tried, %5s kept, %4s MB\n' "$1" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(ls "$found" | wc -l)" \
            "$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")"
    else
        printf 'fuzz: %s FAILED\n' "$1"
        tail -40 "$log"
        return 1
    fi
}

fuzz() { "$TOOLS/bin/cargo-fuzz" fuzz "$1" --sanitizer none "${@:2}"; }

tool() {
    [ "$("$TOOLS/bin/cargo-fuzz" --version 2>/dev/null)" = "cargo-fuzz $VERSION" ] && return 0
    echo "fuzz: installing cargo-fuzz $VERSION"
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="$TOOLS/build" \
        cargo install --quiet --debug --locked --root "$TOOLS" --version "$VERSION" cargo-fuzz >&2 ||
        { echo "fuzz: NOT RUN: cargo-fuzz $VERSION cannot be installed here" >&2; return 1; }
    rm -rf "$TOOLS/build"
}

main "$@"
