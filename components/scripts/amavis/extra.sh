# shellcheck shell=bash
# Sourced by start.sh: lines of an operator's own for SpamAssassin. They stand in the folder of the site's rules, before
# zz_kolab.cf, whose word is the last. What SpamAssassin complains about with them and not without stops the container.
[ -r /kolab/entry/extra.cf ] || return 0
[ -d "${rules-}" ] || fail "SpamAssassin does not say where rules of the site stand: kolab:extra.spamassassin cannot be read"
complaints() {
  # shellcheck disable=SC2016 # Perl's variables
  perl -MMail::SpamAssassin -e '
    my $sa = Mail::SpamAssassin->new({dont_copy_prefs => 1, userprefs_filename => "/dev/null", local_tests_only => 1,
      site_rules_filename => $ARGV[0]});
    $sa->lint_rules()' "$rules" 2>&1 < /dev/null | grep '^config: ' | sort -u || :
}
rm -f "$rules/zy_kolab.cf"
before=$(complaints)
cp /kolab/entry/extra.cf "$rules/zy_kolab.cf"
new=$(comm -13 <(echo "$before") <(complaints))
[ -z "$new" ] || fail "SpamAssassin does not take a line of kolab:extra.spamassassin: ${new%%$'\n'*}"
