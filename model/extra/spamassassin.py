"""Lines of SpamAssassin's local.cf (Mail::SpamAssassin::Conf): the first word is the name."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.values import Number

_RULE = r"[A-Za-z_][A-Za-z0-9_]{1,63}"
# Code in a regular expression (perlre).
_PERL = r"\(\?\??\{"
_NAMES = r"(\S{1,200})( \S{1,200}){0,20}"

SPAMASSASSIN = Language(
    own="required_score|required_hits|rewrite_header|add_header|remove_header|clear_headers|report_.*|.*report.*|bayes_redis.*|fold_headers",
    harmless={
        "score": rf"{_RULE}( -?[0-9]{{1,3}}(\.[0-9]{{1,3}})?){{1,4}}",
        "describe": rf"{_RULE} [^\\]{{1,120}}",
        "header|body|rawbody|full|uri|mimeheader": rf"{_RULE} (?!.*(eval:|{_PERL})).{{1,300}}",
        "meta": rf"{_RULE} [A-Za-z0-9_ ()&|!<>=+*.-]{{1,300}}",
        "tflags": rf"{_RULE} [a-z0-9_= ]{{1,80}}",
        "(white|black|welcome|block)list_(from|to|auth|from_spf|from_dkim|from_rcvd|uri_host|subject)|(def|un)(white|black|welcome|block)list_[a-z_]+|more_spam_to|all_spam_to": _NAMES,
        "ok_(languages|locales)": r"[a-z_ .-]{2,200}",
        "use_(bayes|bayes_rules|txrep|auto_whitelist|auto_welcomelist|pyzor|razor2|dcc)|bayes_(auto_learn|auto_expire|use_hapaxes|learn_during_report)|skip_(rbl|uribl)_checks|normalize_charset": "[01]",
        "bayes_min_(ham|spam)_num": Number(1, 100_000),
        "bayes_expiry_max_db_size": Number(20_000, 10_000_000),
        "bayes_auto_learn_threshold_nonspam": r"(0|-?[0-9]\.[0-9]{1,3})",
        "bayes_auto_learn_threshold_spam": r"([6-9]|[1-9][0-9])(\.[0-9]{1,3})?",
        "rbl_timeout": r"[1-9][0-9]?( [1-9][0-9]?)?",
        "(raw)?body_part_scan_size": ("0", Number(10_000, 10_000_000)),
        "time_limit": Number(30, 600),
        "dns_available": "yes|no",
        "uridnsbl_skip_domain|clear_uridnsbl_skip_domain|dns_query_restriction": _NAMES,
        "bayes_ignore_(header|from|to)": _NAMES,
    },
    kept={
        "secret": r".*(password|secret|token)",
        "client": r".*_networks|.*originating_ip_headers|.*_received.*|envelope_sender_header|.*trust.*",
        "data": r"bayes_(path|store.*|sql.*|file_mode|.*_dsn)|.*_path|.*_db.*|.*_file.*|txrep.*|auto_(white|welcome)list_.*|lock_method|user_(scores|awl|prefs).*|.*dsn.*",
        "delivery": r"spamcop_.*|subjprefix",
        # The parser has words that carry, or swallow, other lines.
        "code": r"lang|file|extracttext.*|pyzor_perl|razor_config|phishing_.*_feed|load.*|try.*|include|.*(plugin|eval|cmd|command|binary|exec|script|module|agent|home|util|options).*|allow_user_rules|if.*|else|endif|require_version|version_tag|score_set.*|.*_servers?|dns_server|.*_uri|.*_url|use_.*",
    },
    values={"code": rf"eval:|`|{_PERL}", "data": r"(^| )/\S+/\S+$"},
)
"""local.cf. What is spam, and how bad, is for everybody; where SpamAssassin keeps what it learns, whom it believes and what
it runs is this program's."""
