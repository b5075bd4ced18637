#!/bin/sh
# start.sh BUCKET PORT. A folder of the drive is a bucket: that is how upstream makes it, too.
mkdir -p "/data/$1" && exec minio server /data --address ":$2"
