"""Options of imapd.conf (imapd.conf(5))."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.values import Number, Time

_SWITCH = "yes|no|on|off|0|1|true|false|t|f"
_COMPONENT = "(VEVENT|VTODO|VJOURNAL|VFREEBUSY|VAVAILABILITY|VPOLL)"


def _time(least: str, most: str, bare: str) -> Time:
    # Cyrus knows no weeks.
    return Time(least, most, bare, units="smhd")


CYRUS = Language(
    own=r"autocreate_post|publicsieve_.*|smtp_(backend|host)|maxmessagesize|maxlogins.*|servername|admins|imapmagicplus|srs_.*",
    # Least values are those of RFCs, and Cyrus' own where less makes it refuse mail.
    harmless={
        # RFC 3501 section 5.4.
        r"timeout|imapidletimeout": _time("30m", "7d", "m"),
        r"poptimeout": _time("10m", "1d", "m"),
        r"httptimeout": _time("1m", "1h", "m"),
        r"popminpoll": _time("0m", "1h", "m"),
        r"client_timeout|httpkeepalive": _time("5s", "5m", "s"),
        r"imapidlepoll": _time("10s", "10m", "s"),
        r"poppollpadding": Number(1, 100),
        # Of a command line (RFC 7162 section 4).
        r"maxquoted|maxword": Number(8000, 10_000_000),
        r"maxargssize": ("0", Number(100_000, 100_000_000)),
        r"maxheaderlines": Number(1000, 100_000),
        r"quotawarn": Number(0, 100),
        r"quotawarn(kb|msg)": Number(0, 999_999_999),
        r"sieve_maxscripts|sieve_maxscriptsize": Number(1, 1000),
        # RFC 5230 section 4.1.
        r"sieve_vacation_min_response": _time("1d", "7d", "d"),
        r"sieve_vacation_max_response|sieve_duplicate_max_expiration": _time("7d", "365d", "d"),
        r"(calendar|addressbook)_default_displayname": r"[A-Za-z0-9 ,]{1,80}",
        r"calendar_component_set": rf"{_COMPONENT}( {_COMPONENT}){{0,5}}",
        r"icalendar_max_size|vcard_max_size": ("0", Number(1_000_000, 999_999_999)),
        r"conversations_max_(thread|guidexists)": Number(100, 100_000),
        r"conversations_max_guidrecords": Number(5000, 1_000_000),
        r"conversations_max_guidinfolder": Number(10, 100_000),
        r"search_batchsize": Number(1, 1000),
        r"search_normalisation_max": Number(100, 100_000),
        r"search_snippet_length": Number(1, 10_000),
        r"search_maxtime": Number(5, 3600),
        r"search_whitespace": "merge|skip|keep",
        r"search_index_skip_(domains|users)": r"[A-Za-z0-9@._-]{1,80}( [A-Za-z0-9@._-]{1,80}){0,9}",
        r"reject8bit": "no|off|0|false|f",
        r"reverseacls|munge8bit|rfc2046_strict|specialusealways|disconnect_on_vanished_mailbox|statuscache|conversations_keep_existing|search_(fuzzy_always|index_headers)": _SWITCH,
        r"specialuse_(nochildren|protect)": r"\\[A-Z][a-z]{1,20}( \\[A-Z][a-z]{1,20}){0,9}",
    },
    kept={
        "plaintext": r".*allowplaintext.*|.*tls.*|sasl.*|.*_sasl.*|allow(anonymouslogin|apop|newnews|setacl|usermoves|plainwithouttls)|.*password.*|apop.*|force_sasl.*|httpallow.*|.*login.*|starttls.*|ssl.*|.*auth.*|.*krb.*|ptscache.*|ldap_.*|pts_.*",
        "client": r"proxy.*|.*_proxy.*|.*admins?|lmtp_.*admins|.*trust.*|(shared|user|deleted|addressbook|calendar|davdrive|davnotifications|alt)prefix|crossdomains.*|virtdomains|defaultdomain|username_tolower|unixhierarchysep|altnamespace.*|.*namespace.*|defaultacl|anyoneuseracl|afspts.*|unix_group_enable|loginuseacl|user_group.*|mupdate_.*|frontend_.*|backend.*|murder_.*|improxyd.*|guid_mode|.*host$|.*hostname.*|.*origin.*",
        "data": r"readonly|createonpost|object_storage.*|openio.*|caringo.*|xbackup.*|skiplist.*|.*partition.*|config(directory|_.*)|.*path.*|.*dir(ectory)?|.*_db|.*_db_.*|archive.*|.*(expunge|delete)_mode|autoexpunge|berkeley.*|hash.*|fulldirhash|metapartition.*|duplicate.*|sync_.*|backup.*|.*(delete|expunge|unlink|purge|cleanup|expire).*|mailbox_.*|mboxlist.*|reconstruct.*|quota_db.*|quotaroot.*|autocreate_quota.*|annotation_.*|dbengine.*|.*_rotate.*|user_deny.*|umask|user_folder_limit|seenstate.*|subscription.*|singleinstance.*",
        "delivery": r"reject8bit|lmtp.*|autocreate.*|sendmail.*|smtp.*|postmaster|post(user|spec)|sieve.*|imip.*|mail(notifier|domain).*|.*notifier|notify.*|.*socket.*|event_.*|.*_allowip|rss.*|news.*|caldav_.*|calendar_.*|carddav_.*|webdav_.*|http.*|jmap_.*|aggregate.*|mime.*",
        "code": r"sql_.*|iolog|lock_debug.*|search_attachment.*|virusscan.*|.*(program|helper|command|plugin|script|exec|engine|module).*|.*_cmd|syslog.*|debug.*|cyrus_.*|chatty|prometheus.*|.*service.*|@.*|include.*|id_response|.*banner|serverinfo|serverlist.*",
    },
    values={"data": r"/", "code": r"[`;|&<>]", "delivery": r"@"},
)
"""imapd.conf. Times, sizes and limits are for everybody; where data lie, who is asked for a password and who is an
administrator is this program's."""
