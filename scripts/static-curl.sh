#!/usr/bin/env bash
# Builds a minimal static libcurl (HTTP and HTTPS, by proxy too) once, and prints the folder of its libcurl.a.
# The distribution's own libcurl.a needs Kerberos, LDAP and more, which exist as shared libraries only. Ours is made from the
# distribution's source package; its names are resolved by c-ares, because glibc's resolver loads shared libraries at run time.
set -euo pipefail
cd "$(dirname "$0")/.."

configure=(
    --disable-shared --enable-static
    --with-openssl --with-zlib --enable-ares --enable-http --enable-proxy --enable-ipv6
    --without-ca-bundle --without-ca-path --disable-openssl-auto-load-config
    --without-brotli --without-zstd --without-libpsl --without-libidn2 --without-librtmp --without-libssh --without-libssh2
    --without-nghttp2 --without-libgsasl --without-gssapi
    --disable-ldap --disable-ldaps --disable-ftp --disable-file --disable-rtsp --disable-dict --disable-telnet --disable-tftp
    --disable-pop3 --disable-imap --disable-smtp --disable-smb --disable-gopher --disable-mqtt
    --disable-ntlm --disable-tls-srp --disable-doh --disable-netrc --disable-cookies --disable-hsts --disable-alt-svc
    --disable-manual --disable-libcurl-option --disable-dependency-tracking
)

# The headers the agent is compiled with come from the -dev package: another version of it, another library.
version=$(dpkg-query --show --showformat='${source:Version}' libcurl4-openssl-dev)
key=$(sha256sum scripts/static-curl.sh | cut -c 1-12)
library=$PWD/.build-curl/$version-$key
if [[ -f $library/libcurl.a ]]; then
    echo "$library"
    exit
fi

work=$(mktemp -d)
exec 3>&2 # where `set -e` ends the script, its output still goes to the log
finish() {
    local status=$?
    if ((status != 0)); then
        tail -n 40 "$work/log" >&3
        echo "static-curl: unable to build libcurl" >&3
    fi
    rm -rf "$work"
}
trap finish EXIT

# A private copy of the apt sources with the source packages switched on; the system's own stay as they are.
mkdir -p "$work"/{parts,lists/partial,cache/archives/partial,source}
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] || continue
    sed -E 's/^deb([[:space:]])/deb-src\1/; s/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file")"
done
apt=(apt-get -qq
    -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts"
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root)

echo "building the static libcurl (once, about a minute) ..." >&2
{
    # A third party's archive may have no source packages; what counts is that the next line finds curl's.
    "${apt[@]}" update || true
    (cd "$work/source" && "${apt[@]}" source curl)
    cd "$work"/source/curl-*/
    ./configure --quiet "${configure[@]}"
    make --silent -C lib -j"$(nproc)" libcurl.la
} >"$work/log" 2>&1

mkdir -p "$library"
cp lib/.libs/libcurl.a "$library/libcurl.a.new"
mv "$library/libcurl.a.new" "$library/libcurl.a"
echo "$library"
