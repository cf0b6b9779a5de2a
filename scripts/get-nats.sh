#!/bin/sh
# Brings nats-server, which the tests of the fleet need, into a folder. It installs nothing and needs no root.
#   scripts/get-nats.sh [FOLDER]      the folder is build/nats by default
# A nats-server of the PATH, or the one that was brought before, is taken when it is new enough. Else the newest of Debian
# (of sid) is unpacked, from the mirror that apt uses on this machine. The path of the program is the last line of stdout.
# Status 3: it cannot be had here, and the last line of stderr says why.
set -eu

oldest_major=2
oldest_minor=12

give_up() {
  echo "get-nats.sh: $1" >&2
  exit 3
}

# Whether a program is a nats-server that is new enough: JetStream before that lacks what the fleet relies on.
is_good() {
  version=$("$1" --version 2>/dev/null | sed -n 's/^nats-server: v\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ -n "$version" ] || return 1
  major=${version% *} minor=${version#* }
  [ "$major" -gt "$oldest_major" ] || { [ "$major" -eq "$oldest_major" ] && [ "$minor" -ge "$oldest_minor" ]; }
}

folder=${1:-$(dirname "$0")/../build/nats}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
program=$folder/root/usr/sbin/nats-server

for known in "$program" "$(command -v nats-server || true)"; do
  if [ -n "$known" ] && is_good "$known"; then
    echo "$known"
    exit 0
  fi
done

for tool in apt-get dpkg; do
  command -v "$tool" >/dev/null 2>&1 || give_up "expected $tool, to unpack a package of Debian; found none"
done
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keys" ] || give_up "expected the keys of Debian at $keys; found none"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -v '^ *#' |
  grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ')
[ -n "$mirror" ] || give_up "expected a mirror of Debian in /etc/apt; found none"

# An apt of its own: nothing of the machine's lists, settings and installed packages is read or written.
arch=$(dpkg --print-architecture)
own=$(mktemp -d "$folder/apt-XXXXXX")
trap 'rm -rf "$own"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$own/lists/partial" "$own/archives/partial" "$own/packages"
: >"$own/status"
echo "deb [arch=$arch signed-by=$keys] $mirror sid main" >"$own/sources.list"
own_apt() {
  apt-get -qq \
    -o Dir::Etc::SourceList="$own/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Parts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State="$own" -o Dir::State::Lists="$own/lists" -o Dir::State::Status="$own/status" \
    -o Dir::Cache="$own" -o Dir::Cache::Archives="$own/archives" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3 \
    -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false "$@"
}
own_apt update >&2 || give_up "apt could not read the list of packages of sid from $mirror"
(cd "$own/packages" && own_apt download nats-server >&2) || give_up "apt could not download nats-server from $mirror"
rm -rf "$folder/root"
dpkg -x "$own"/packages/nats-server_*.deb "$folder/root"

is_good "$program" ||
  give_up "expected nats-server $oldest_major.$oldest_minor or newer; found $("$program" --version 2>&1 || true)"
echo "$program"
