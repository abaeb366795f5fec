#!/bin/bash
# fences.sh [--self-test]: the laws of ARCHITECTURE.md that no compiler and no lint checks.
#
# Each law is one function below that prints the lines breaking it and nothing when it is kept. --self-test plants
# one violation after another in a copy of the sources and fails unless the law, silent before, cries.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LAWS="
    egui_stays_in_the_window
    rtc_stays_in_the_media_session
    webrtc_is_only_a_stock_peer_in_the_lab
    cpal_stays_in_the_devices
    opus_stays_in_the_codec
    libvpx_stays_behind_its_wrapper
    x11_is_spoken_to_by_the_screen_and_the_mute_key
    jpegs_are_read_in_one_place
    quinn_stays_in_the_overlay_driver
    mainline_stays_in_the_overlay_driver
    rusqlite_stays_in_storage
    stun_rs_stays_in_relay
    routers_are_asked_in_portmap
    languages_stay_in_the_texts_of_the_window
    the_session_bus_is_spoken_to_in_desktop
    imports_point_one_way
    outside_crates_enter_in_one_place
    versions_are_written_once
    clock_and_sockets_only_in_drivers
    clock_bans_are_the_same_everywhere
    call_state_machine_is_told_the_time
    files_stay_small
    no_lint_is_switched_off
    nothing_is_left_unwritten
"
readonly MOST_LINES=600 MOST_TEST_LINES=800

# ---- third-party fences: which folder may name which crate ----

egui_stays_in_the_window() {
    naming '(egui|eframe|egui_kittest|egui_material_icons)' '^app/(src/ui/|src/ui\.rs|src/main\.rs|tests/|examples/)'
}
rtc_stays_in_the_media_session() { naming 'rtc' '^(media/src/session(/|\.rs)|lab/tests/)'; }
webrtc_is_only_a_stock_peer_in_the_lab() { naming 'webrtc' '^lab/tests/'; }
cpal_stays_in_the_devices() { naming 'cpal' '^media/src/device(/|\.rs)'; }
opus_stays_in_the_codec() { naming '(opus|opusic_sys)' '^media/src/codec(/|\.rs)'; }
x11_is_spoken_to_by_the_screen_and_the_mute_key() { naming 'x11rb' '^(media/src/video/driver/screen(/|\.rs)|app/src/desktop/mute_key(/|\.rs)|lab/src/page\.rs)'; }
jpegs_are_read_in_one_place() { naming 'zune_jpeg' '^media/src/video/camera/mjpeg\.rs'; }
libvpx_stays_behind_its_wrapper() { naming 'vpx_sys' '^media/src/video/vpx/sys\.rs'; }
quinn_stays_in_the_overlay_driver() { naming 'quinn' '^overlay/src/(.*/)?driver(/|\.rs)'; }
mainline_stays_in_the_overlay_driver() { naming 'mainline' '^overlay/src/driver(/|\.rs)'; }
rusqlite_stays_in_storage() { naming 'rusqlite' '^(app/src/|overlay/src/driver/)storage(/|\.rs)'; }
stun_rs_stays_in_relay() { naming 'stun_rs' '^relay/'; }
routers_are_asked_in_portmap() { naming '(crab_nat|igd_next)' '^app/src/portmap(/|\.rs)'; }
languages_stay_in_the_texts_of_the_window() { naming '(fluent_bundle|fluent_syntax|sys_locale)' '^app/src/ui/text/'; }
the_session_bus_is_spoken_to_in_desktop() { naming '(zbus|zvariant|ksni|notify_rust)' '^app/(src/desktop/|tests/)'; }

# naming CRATE ALLOWED: code (not comments) that uses CRATE as the start of a path, outside the ALLOWED files.
naming() {
    code | grep -vE "$2" | grep -E "(^|[^:A-Za-z0-9_])$1::|(use|extern crate) $1( |;|\$)"
}

# ---- the crates among themselves (read from the manifests by cargo metadata) ----

imports_point_one_way() {
    manifests '
order = {"lab": {"app", "media", "overlay", "relay"}, "app": {"media", "overlay", "relay"},
         "media": {"relay"}, "overlay": {"relay"}, "relay": set()}
for package in packages:
    if package["name"] not in order:
        print(package["name"], "is a crate that ARCHITECTURE.md does not know")
    for dependency in package["dependencies"]:
        if dependency["name"] in order and dependency["name"] not in order.get(package["name"], set()):
            print(package["name"], "must not import", dependency["name"])
'
}

outside_crates_enter_in_one_place() {
    manifests '
home = {"eframe": {"app"}, "egui": {"app"}, "egui_kittest": {"app"}, "egui_material_icons": {"app"},
        "fluent-bundle": {"app"}, "fluent-syntax": {"app"}, "sys-locale": {"app"}, "zbus": {"app"},
        "cpal": {"media"}, "crab_nat": {"app"}, "env-libvpx-sys": {"media"}, "igd-next": {"app"}, "mainline": {"overlay"}, "opus": {"media"}, "opusic-sys": {"media"}, "quinn": {"overlay"}, "realfft": {"media"}, "rtc": {"media", "lab(dev)"},
        "rusqlite": {"app", "overlay"}, "stun-rs": {"relay"}, "webrtc": {"lab(dev)"}, "x11rb": {"app", "lab", "media"}, "zune-jpeg": {"media"}}
for package in packages:
    for dependency in package["dependencies"]:
        where = package["name"] + ("(dev)" if dependency["kind"] == "dev" else "")
        allowed = home.get(dependency["name"])
        if allowed and where not in allowed and package["name"] not in allowed:
            print(where, "must not depend on", dependency["name"])
'
}

versions_are_written_once() {
    python3 - <<'PY'
import glob, tomllib
for path in sorted(set(glob.glob("*/Cargo.toml")) - {"fuzz/Cargo.toml"}):
    manifest = tomllib.load(open(path, "rb"))
    tables = [manifest] + list(manifest.get("target", {}).values())
    for table in tables:
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name, wish in table.get(kind, {}).items():
                if not (isinstance(wish, dict) and wish.get("workspace") is True):
                    print(f"{path}: {name} must say `workspace = true`; its version belongs in the root Cargo.toml")
PY
}

manifests() {
    cargo metadata --no-deps --offline --format-version 1 |
        python3 -c "import json, sys; packages = json.load(sys.stdin)['packages']$1"
}

# ---- time and sockets ----

# The ban itself is clippy's. Here: only a driver may lift it (driver.rs), and tests: a loopback test proves a driver,
# and virtual time needs some Instant to begin at.
clock_and_sockets_only_in_drivers() {
    product_code | grep -E 'disallowed_(methods|types)' | grep -vE '^[^:]*/driver\.rs:'
}

clock_bans_are_the_same_everywhere() {
    local ban
    for ban in Instant::now Instant::elapsed SystemTime::now rand::rng rand::random net::UdpSocket net::TcpStream; do
        grep -L -F "$ban\"" {media,overlay,relay}/clippy.toml | sed "s/\$/: does not ban $ban/"
    done
    cmp media/clippy.toml overlay/clippy.toml
    cmp overlay/clippy.toml relay/clippy.toml
}

# app has no clippy ban, for its engine is a driver; its call state machine is not.
call_state_machine_is_told_the_time() {
    product_code | grep -E '^app/src/call(/|\.rs)' | grep -vE '^[^:]*/driver\.rs:' |
        grep -E '(Instant|SystemTime)::now|\.elapsed\(\)|rand::(rng|random)\('
}

# ---- habits ----

files_stay_small() {
    local file lines most
    sources | while read -r file; do
        lines=$(wc -l <"$file")
        most=$MOST_LINES
        [[ $file =~ (^|/)tests(/|\.rs$) ]] && most=$MOST_TEST_LINES
        [ "$lines" -le "$most" ] || echo "$file: $lines lines, at most $most: split it"
    done
}

no_lint_is_switched_off() { code | grep -E '#!?\[(cfg_attr\(.*)?allow\('; }

nothing_is_left_unwritten() {
    sources | xargs grep -nE '\b(TODO|FIXME|XXX)\b|\b(unimplemented|todo)!' -- /dev/null
}

# ---- reading the sources ----

# Tracked Rust files, and those not yet tracked but not ignored either.
sources() {
    if [ -d .git ] || [ -f .git ]; then
        git ls-files --cached --others --exclude-standard '*.rs' | while read -r file; do [ -f "$file" ] && echo "$file"; done
    else
        find . -name '*.rs' -not -path './target/*' | sed 's|^\./||' | sort
    fi
}

# Every line of code as FILE:LINE:TEXT, without comments.
code() { sources | xargs awk '{ text = $0; sub(/\/\/.*/, "", text); if (text ~ /[^ ]/) print FILENAME ":" FNR ":" text }'; }

# The lines of `code` that are compiled into the product: neither tests/ nor what hangs under #[cfg(test)].
product_code() {
    code | awk -F: -v skip="$(test_modules | tr '\n' ' ')" '
        BEGIN { split(skip, names, " "); for (i in names) tests[names[i]] = 1 }
        $1 != file {
            file = $1; inside = 0; armed = 0; path = file; sub(/\.rs$/, "", path)
            only_tests = file ~ /^[a-z]+\/(tests|examples|benches)\//
            # A module is for tests only when it or a module above it is.
            while (path ~ /\//) { if (path in tests) only_tests = 1; sub(/\/[^\/]*$/, "", path) }
        }
        { text = substr($0, length($1) + length($2) + 3) }
        # By the house style an inline test module is the last thing in its file.
        armed && text ~ /^ *(pub(\([a-z]+\))? )?mod [a-z_]+ \{/ { inside = 1 }
        { armed = text ~ /^ *#\[cfg\(test\)\]/ }
        !only_tests && !inside'
}

# The modules declared as `#[cfg(test)] mod NAME;`, as paths without .rs.
test_modules() {
    code | awk -F: '
        { text = substr($0, length($1) + length($2) + 3) }
        armed && match(text, /mod [a-z_]+;/) {
            folder = $1
            if (folder !~ /\/(lib|main|mod)\.rs$/) sub(/\.rs$/, "", folder); else sub(/\/[^\/]*$/, "", folder)
            print folder "/" substr(text, RSTART + 4, RLENGTH - 5)
        }
        { armed = text ~ /#\[cfg\(test\)\]/ }'
}

# ---- running the laws ----

check() {
    local law broken=0 kept=0 offences
    for law in $LAWS; do
        offences=$($law 2>&1)
        if [ -n "$offences" ]; then
            broken=$((broken + 1))
            printf 'BROKEN %s\n' "$law"
            printf '%s\n' "$offences" | head -20 | sed 's/^/    /'
        else
            kept=$((kept + 1))
        fi
    done
    echo "fences: $kept kept, $broken broken"
    [ $broken -eq 0 ]
}

# ---- proving that each law can cry ----

self_test() {
    local copy fired=0 silent=0
    copy=$(mktemp -d)
    trap "rm -rf '$copy'" EXIT
    git ls-files --cached --others --exclude-standard -- '*.rs' '*.toml' Cargo.lock |
        while read -r file; do [ -f "$file" ] && cp --parents "$file" "$copy"; done
    cd "$copy" || exit 1

    plant egui_stays_in_the_window app/src/engine/planted.rs 'use egui::Color32;'
    plant rtc_stays_in_the_media_session media/src/voice/planted.rs 'fn f(_: rtc::peer::Connection) {}'
    plant webrtc_is_only_a_stock_peer_in_the_lab media/src/session/planted.rs 'use webrtc::api::API;'
    plant cpal_stays_in_the_devices media/src/voice/planted.rs 'use cpal::traits::HostTrait;'
    plant opus_stays_in_the_codec media/src/voice/planted.rs 'use opus::Encoder;'
    plant x11_is_spoken_to_by_the_screen_and_the_mute_key app/src/ui/planted.rs 'use x11rb::connection::Connection;'
    plant jpegs_are_read_in_one_place media/src/video/driver/planted.rs 'use zune_jpeg::JpegDecoder;'
    plant libvpx_stays_behind_its_wrapper media/src/video/planted.rs 'use vpx_sys::vpx_codec_ctx_t;'
    plant quinn_stays_in_the_overlay_driver overlay/src/routing/planted.rs 'use quinn::Connection;'
    plant mainline_stays_in_the_overlay_driver overlay/src/routing/planted.rs 'use mainline::Dht;'
    plant rusqlite_stays_in_storage overlay/src/directory/planted.rs 'use rusqlite::Connection;'
    plant stun_rs_stays_in_relay overlay/src/planted.rs 'use stun_rs::MessageType;'
    plant routers_are_asked_in_portmap app/src/engine/planted.rs 'use crab_nat::PortMapping;'
    plant languages_stay_in_the_texts_of_the_window app/src/ui/views/planted.rs 'use fluent_bundle::FluentArgs;'
    plant the_session_bus_is_spoken_to_in_desktop app/src/ui/planted.rs 'use zbus::Connection;'
    plant imports_point_one_way relay/Cargo.toml '[dependencies.overlay]
workspace = true'
    plant imports_point_one_way overlay/Cargo.toml '[dependencies.media]
workspace = true'
    plant outside_crates_enter_in_one_place overlay/Cargo.toml '[dependencies.cpal]
workspace = true'
    plant versions_are_written_once relay/Cargo.toml '[build-dependencies]
cc = "1"'
    plant clock_and_sockets_only_in_drivers overlay/src/planted.rs '#![expect(clippy::disallowed_methods, reason = "haste")]'
    plant clock_and_sockets_only_in_drivers overlay/src/lib.rs '#[expect(clippy::disallowed_types, reason = "haste")]'
    plant clock_bans_are_the_same_everywhere overlay/clippy.toml 'disallowed-names = []'
    plant call_state_machine_is_told_the_time app/src/call/planted.rs 'fn f() { Instant::now(); }'
    plant files_stay_small relay/src/planted.rs "$(seq 601 | sed 's/.*/const C&: u8 = 0;/')"
    plant files_stay_small relay/src/planted/tests.rs "$(seq 801 | sed 's/.*/const C&: u8 = 0;/')"
    plant no_lint_is_switched_off relay/src/planted.rs '#[allow(dead_code)]'
    plant nothing_is_left_unwritten relay/src/planted.rs 'fn f() { todo!() }'

    echo "fences self-test: $fired fired, $silent silent"
    [ $silent -eq 0 ]
}

# plant LAW FILE TEXT: appends TEXT to FILE and expects LAW, silent before, to cry.
plant() {
    local law=$1 file=$2 before='' noise
    noise=$($law 2>&1)
    [ -z "$noise" ] || { echo "NOISY $law before anything was planted: $(printf '%s' "$noise" | head -1)"; silent=$((silent + 1)); return; }
    [ -f "$file" ] && before=$(mktemp) && cp "$file" "$before"
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$3" >>"$file"
    if [ -n "$($law 2>&1)" ]; then
        fired=$((fired + 1))
    else
        silent=$((silent + 1))
        echo "SILENT $law about: $(printf '%s' "$3" | head -1)"
    fi
    if [ -n "$before" ]; then mv "$before" "$file"; else rm "$file"; fi
}

case ${1:-} in
    '') check ;;
    --self-test) self_test ;;
    *) echo "usage: .ci/fences.sh [--self-test]" >&2 && exit 2 ;;
esac
