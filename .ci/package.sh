#!/bin/bash
# package.sh [check]: builds a Debian package of the release with cargo-deb, installs it in a file system of its own (an
# overlay in a mount namespace: nothing of this one changes) and tries it there. `check` looks only at what goes into it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly CARGO_DEB=3.8.0
readonly TARGET=${CARGO_TARGET_DIR:-target}
readonly DESKTOP=assets/desktop

main() {
    check
    [ "${1:-}" != check ] || return 0
    tool
    local package
    package=$("$TARGET/tools/bin/cargo-deb" deb --locked --quiet --package app --output "$TARGET/debian/") ||
        fail "cargo-deb built no package"
    echo "package: $package ($(du -h "$package" | cut -f1))"
    in_a_namespace "$(realpath "$package")"
    echo "package: installed, started and removed"
}

# What is packed is there, and says what the program understands.
check() {
    local file key
    for file in silbo.desktop silbo.svg silbo-supernode.service; do
        grep -q "$DESKTOP/$file" app/Cargo.toml || fail "app/Cargo.toml does not pack $DESKTOP/$file"
    done
    for key in Type=Application 'Exec=silbo gui %u' 'MimeType=x-scheme-handler/silbo;' Icon=silbo StartupWMClass=silbo; do
        grep -qxF "$key" $DESKTOP/silbo.desktop || fail "$DESKTOP/silbo.desktop lacks $key"
    done
    grep -q 'const APP_ID: &str = "silbo";' app/src/ui/driver.rs || fail "StartupWMClass is not what the window says it is"
    ! command -v desktop-file-validate >/dev/null || desktop-file-validate $DESKTOP/silbo.desktop
}

tool() {
    [ "$("$TARGET/tools/bin/cargo-deb" --version 2>/dev/null)" = "$CARGO_DEB" ] ||
        cargo install --quiet --locked --root "$TARGET/tools" --version "$CARGO_DEB" cargo-deb
}

in_a_namespace() {
    local room
    room=$(mktemp -d)
    trap "rmdir '$room' 2>/dev/null || true" EXIT
    local unshare=(unshare --mount --pid --fork --kill-child)
    [ "$(id -u)" = 0 ] || unshare+=(--map-root-user)
    "${unshare[@]}" bash -euo pipefail -s "$room" "$1" <<'INSIDE'
room=$1 package=$2
mount -t tmpfs silbo "$room"
mkdir "$room"/{upper,work,root}
mount -t overlay silbo -o "lowerdir=/,upperdir=$room/upper,workdir=$room/work" "$room/root"
cp "$package" "$room/root/tmp/silbo.deb"
mount -t proc proc "$room/root/proc"
mount --rbind /dev "$room/root/dev"
inside() { chroot "$room/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home LANG=C.UTF-8 "$@"; }
mkdir "$room/root/tmp/home"
# What it depends on is what `make run` installs; a package that asks for more fails here.
inside dpkg --install /tmp/silbo.deb >"$room/root/tmp/dpkg.log" 2>&1 || { cat "$room/root/tmp/dpkg.log"; exit 1; }
inside silbo --version
inside silbo --lab --profile /tmp/home/p --json history
inside test -s /usr/share/icons/hicolor/scalable/apps/silbo.svg
inside grep -q x-scheme-handler/silbo /usr/share/applications/silbo.desktop
! [ -x "$room/root/usr/bin/systemd-analyze" ] || inside XDG_RUNTIME_DIR=/tmp/home systemd-analyze verify --user --man=no /usr/lib/systemd/user/silbo-supernode.service
# A supernode as the unit starts it serves, and ends when it is told to.
inside silbo --lab --profile /tmp/home/n --json supernode --drain 20 --listen 127.0.0.1:0 --relay-listen 127.0.0.1:0 >"$room/root/tmp/node.log" &
node=$!
for _ in $(seq 100); do grep -q '"event":"role"' "$room/root/tmp/node.log" && break; sleep 0.1; done
grep -q '"event":"role"' "$room/root/tmp/node.log" || { echo "the installed supernode does not start"; exit 1; }
kill -INT "$(inside pidof -s silbo)"
wait "$node"
inside dpkg --remove silbo >/dev/null
! [ -e "$room/root/usr/bin/silbo" ]
INSIDE
}

fail() {
    echo "package: $*" >&2
    exit 1
}

main "$@"
