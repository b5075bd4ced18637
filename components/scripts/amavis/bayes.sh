# shellcheck shell=bash
# Sourced by start.sh: what SpamAssassin learns outlives the pod. It is asked what it understood. Mail is filtered without
# that as well: what is missing is said, and stops nothing.
bayes() { # bayes: where it keeps what it learns, and the folder of its site's rules
  # shellcheck disable=SC2016 # Perl's variables
  perl -MMail::SpamAssassin -e '
    my $sa = Mail::SpamAssassin->new({dont_copy_prefs => 1, userprefs_filename => "/dev/null", local_tests_only => 1});
    $sa->init(0);
    my $conf = $sa->{conf};
    print join("\n", $conf->{bayes_store_module} || "", $conf->{bayes_sql_dsn} || "", $conf->{bayes_path} || "", $sa->first_existing_path(@Mail::SpamAssassin::site_rules_path) || ""), "\n"'
}
{ read -r store; read -r dsn; read -r path; read -r rules; } < <(bayes 2> /dev/null) || true
case ${store-} in
*Redis)
  [[ $dsn == *"server=$REDIS_HOST:"* && $dsn == *"password=$REDIS_PASSWORD" ]] \
    || echo 'entry: SpamAssassin looks for what it has learnt in another Redis than this stack has: it learns nothing' >&2
  ;;
'' | *DBM)
  # A folder of the volume that rules are kept on.
  learnt=/var/lib/spamassassin/bayes
  if [ -d "${rules-}" ] && [ "$path" != "$learnt/bayes" ]; then
    mkdir -p "$learnt"
    chown amavis:amavis "$learnt"
    echo "bayes_path $learnt/bayes" > "$rules/zz_kolab.cf"
  fi
  ;;
*) echo "entry: SpamAssassin keeps what it learns with $store, which this stack does not know" >&2 ;;
esac
