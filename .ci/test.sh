#!/bin/bash
# test.sh: everything CI runs, step by step; stops at the first failure and ends with a summary.
# A step that cannot run on this machine ends with status 77 and is named in the summary; nothing is skipped silently.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

readonly CANNOT_RUN=77
export RUST_BACKTRACE=1 CARGO_TERM_COLOR=never
# A run from a clean clone never builds anything twice: what would make that quicker only fills the disk.
[ "${CI:-}" != true ] || export CARGO_INCREMENTAL=0
summary=()

main() {
    trap summarise EXIT
    step "format" cargo fmt --all --check
    step "fences" bash .ci/fences.sh
    step "fences can cry" bash .ci/fences.sh --self-test
    step "one egui only" one_egui
    step "clippy" cargo clippy --quiet --workspace --all-targets --locked -- -D warnings
    step "relay core without its driver" cargo check --quiet --package relay --no-default-features --locked
    step "overlay core without its driver" cargo check --quiet --package overlay --no-default-features --locked
    step "app without its window" cargo check --quiet --package app --no-default-features --locked
    step "documentation" env RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --workspace --no-deps --locked
    step "licences, bans, sources" bash .ci/deny.sh policy
    step "what a package holds" bash .ci/package.sh check
    step "scoring tools" bash .ci/venv.sh
    step "build" cargo build --quiet --workspace --all-targets --locked
    step "tests" cargo test --workspace --locked
    step "NAT lab, short calls" "${CARGO_TARGET_DIR:-target}/debug/nat" --quick
    step "routers that open ports" "${CARGO_TARGET_DIR:-target}/debug/portmap"
}

# step HEADING COMMAND...
step() {
    local heading=$1 started=$SECONDS status took
    shift
    printf '\n=== %s\n' "$heading"
    "$@"
    status=$?
    took=$((SECONDS - started))
    case $status in
        0) note ok "$took" "$heading" ;;
        "$CANNOT_RUN") note "NOT RUN" "$took" "$heading" ;;
        *) note FAILED "$took" "$heading" && exit "$status" ;;
    esac
}

note() {
    local line
    line=$(printf '%-8s %4d s  %s' "$1" "$2" "$3")
    summary+=("$line")
    printf -- '--- %s\n' "$line"
}

one_egui() {
    local duplicates
    duplicates=$(cargo tree --workspace --duplicates --locked --depth 0 --target all) || return 1
    ! grep -E '^(egui|eframe|epaint|emath|ecolor|egui-winit|egui_glow|winit) v' <<<"$duplicates"
}

summarise() {
    local status=$?
    printf '\n=== summary (%d s)\n' "$SECONDS"
    printf '%s\n' "${summary[@]}"
    [ $status -eq 0 ] && echo "make test: everything that ran passed" || echo "make test: FAILED"
    exit $status
}

main
