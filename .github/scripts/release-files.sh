#!/bin/sh
# release-files.sh VERSION: writes dist/: the sources of the tag as an archive, the lists of what it is made of,
# and the checksums of all of them.
set -eu
version=$1
mkdir -p dist
git archive --format=tar.gz --prefix="kolab-on-kubernetes-$version/" -o "dist/kolab-on-kubernetes-$version.tar.gz" "v$version"
cp requirements.txt "dist/python-packages-$version.txt"
cp toolchain/go/pulumi/go.sum "dist/go-modules-$version.txt"
(cd dist && sha256sum ./*"$version"* > SHA256SUMS)
