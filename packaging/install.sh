#!/bin/sh
# Installs wxpush on any Linux: picks the program for this machine, verifies its checksum and puts it into
# ~/.local/bin, or for root into /usr/local/bin. Needs curl or wget, and no root.
#
#   sh install.sh
#
# Settings, from the environment:
#   WXPUSH_PREFIX=DIR    the program goes to DIR/bin
#   WXPUSH_VERSION=1.2.3 not the latest release
#   WXPUSH_MIRROR=URL    where the files of a release lie, instead of the repository
#   WXPUSH_SHA256=SUM    of the tarball, as you know it: then the mirror needn't be trusted
set -eu

# Says it in the reader's language: by the locale, Chinese if there is none.
say() {
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-C}}} in
    C | C.* | POSIX | zh*) printf '%s\n' "$2" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

fail() {
    say "install.sh: $1" "install.sh：$2" >&2
    exit 1
}

target() {
    [ "$(uname -s)" = Linux ] || fail "only Linux is served, this is $(uname -s)" "只支持 Linux，本机是 $(uname -s)"
    case $(uname -m) in
    x86_64 | amd64) echo x86_64-unknown-linux-musl ;;
    aarch64 | arm64) echo aarch64-unknown-linux-musl ;;
    armv7* | armv8l) echo armv7-unknown-linux-musleabihf ;;
    riscv64) echo riscv64gc-unknown-linux-musl ;;
    i[3-6]86) echo i686-unknown-linux-musl ;;
    *) fail "no program for $(uname -m): build it from source" "没有适用于 $(uname -m) 的程序，请从源码编译" ;;
    esac
}

# Loads $1 of the release into the directory.
get() {
    if command -v curl >/dev/null; then
        curl -fsL --proto-redir '=https' --connect-timeout 20 -o "$dir/$1" "$from/$1"
    elif command -v wget >/dev/null; then
        # Without -T: with it, busybox 1.35 crashes.
        wget -q -O "$dir/$1" "$from/$1"
    else
        fail "neither curl nor wget is here: install one" "本机没有 curl，也没有 wget，请先安装其中一个"
    fi || fail "cannot load $from/$1" "下载失败：$from/$1"
}

# Prints the SHA-256 of a file.
sum() {
    case $hasher in
    shasum) shasum -a 256 "$1" ;;
    openssl) openssl dgst -sha256 -r "$1" ;;
    *) sha256sum "$1" ;;
    esac | cut -c 1-64
}

# All of it is read before any of it is done: a download that was cut off does nothing.
main() {
    releases=https://github.com/wxpush/wxpush/releases
    if [ -n "${WXPUSH_MIRROR:-}" ]; then
        from=${WXPUSH_MIRROR%/}
    elif [ -n "${WXPUSH_VERSION:-}" ]; then
        from=$releases/download/v${WXPUSH_VERSION#v}
    else
        from=$releases/latest/download
    fi
    case $from in
    https://* | http://127.0.0.1[:/]* | http://localhost[:/]*) ;;
    *) [ -n "${WXPUSH_SHA256:-}" ] ||
        fail "$from isn't https: set WXPUSH_SHA256, too" "$from 不是 https，请同时设置 WXPUSH_SHA256" ;;
    esac
    prefix=${WXPUSH_PREFIX:-}
    if [ -z "$prefix" ] && [ "$(id -u)" = 0 ]; then
        prefix=/usr/local
    elif [ -z "$prefix" ]; then
        prefix=${HOME:?}/.local
    fi
    bin=${prefix%/}/bin
    hasher=$(command -v sha256sum || command -v shasum || command -v openssl) ||
        fail "nothing verifies the checksum: install sha256sum, shasum or openssl" \
            "无法校验，请先安装 sha256sum、shasum 或 openssl"
    hasher=${hasher##*/}
    target=$(target)
    tarball=wxpush-$target.tar.gz

    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    trap 'exit 1' HUP INT TERM
    expected=${WXPUSH_SHA256:-}
    if [ -z "$expected" ]; then
        get SHA256SUMS
        expected=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$tarball\$/\1/p" "$dir/SHA256SUMS")
        [ -n "$expected" ] || fail "$from has no $tarball" "$from 中没有 $tarball"
    fi
    get "$tarball"
    found=$(sum "$dir/$tarball")
    [ "$found" = "$expected" ] ||
        fail "$tarball is damaged or forged: SHA-256 is $found, not $expected" \
            "$tarball 已损坏或被篡改：SHA-256 是 $found，应为 $expected"
    gzip -dc "$dir/$tarball" | (cd "$dir" && tar -xf -)
    set -- "$dir"/wxpush-*/wxpush
    version=$("$1" --version) ||
        fail "the program doesn't run on this machine ($(uname -m))" "程序无法在本机（$(uname -m)）运行"

    # By renaming: a program that runs meanwhile isn't harmed.
    { mkdir -p "$bin" && cp "$1" "$bin/.wxpush.$$" &&
        chmod 755 "$bin/.wxpush.$$" && mv "$bin/.wxpush.$$" "$bin/wxpush"; } 2>/dev/null ||
        fail "cannot write to $bin: choose another place with WXPUSH_PREFIX" "无法写入 $bin，请用 WXPUSH_PREFIX 指定其他位置"
    say "$version is installed: $bin/wxpush" "已安装 $version：$bin/wxpush"
    command=wxpush
    case :$PATH: in *":$bin:"*) ;; *) command=$bin/wxpush ;; esac
    say "Next: $command init" "下一步：$command init"
}

main
