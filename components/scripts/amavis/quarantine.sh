# shellcheck shell=bash
# Sourced by start.sh: what the filter keeps from people has a folder of its own, on the volume that rules are kept on.
# Amavis would take a name where no folder is for a mailbox in one file.
kept=/var/lib/quarantine
mkdir -p "$kept"
chown amavis:amavis "$kept"

# keep_room: for ever; a flood is looked at more often than it can fill a volume.
keep_room() {
  while :; do
    perl /kolab/entry/quarantine.pl tidy "$KOLAB_QUARANTINE_DAYS" "$KOLAB_QUARANTINE_BYTES" || :
    sleep 15
  done
}
