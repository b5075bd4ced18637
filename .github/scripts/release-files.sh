#!/bin/sh
# release-files.sh VERSION: writes dist/: the sources of the tag as an archive, the bill of what it is made of (CycloneDX),
# and the checksums of both.
set -eu
version=$1
mkdir -p dist
git archive --format=tar.gz --prefix="kolab-on-kubernetes-$version/" -o "dist/kolab-on-kubernetes-$version.tar.gz" "v$version"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct "v$version") ./kolab sbom > "dist/kolab-on-kubernetes-$version.cdx.json"
(cd dist && sha256sum ./*"$version"* > SHA256SUMS)
