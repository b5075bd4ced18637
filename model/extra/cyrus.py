"""Options of imapd.conf (imapd.conf(5))."""

from __future__ import annotations

from model.extra.language import Language

_SWITCH, _NUMBER, _TIME = "yes|no|on|off|0|1|true|false|t|f", r"[0-9]{1,9}", r"[1-9][0-9]{0,6}[smhd]?"

CYRUS = Language(
    own=r"autocreate_post|publicsieve_.*|smtp_(backend|host)|maxmessagesize|maxlogins.*|servername|admins|imapmagicplus|srs_.*",
    harmless={
        r"(imapidle|pop|nntp|http)?timeout|popminpoll|imap_?idle_?(timeout|poll)|client_timeout|lmtp_timeout|idle_?poll|httpkeepalive|poppollpadding": _TIME,
        r"quotawarn(kb|msg)?|maxquoted|maxword|maxheader(lines|cachelines)?|maxargssize": _NUMBER,
        r"sieve_max(scripts|scriptsize|redirects)|sieve_(max_)?vacation_(min|max)_response|sieve_duplicate_max_expiration|sieve_notify_.*_max": rf"{_NUMBER}|{_TIME}",
        r"(caldav|carddav|webdav|jmap)_max_?[a-z_]*|calendar_(minimum_alarm_interval|default_displayname|component_set)|addressbook_default_displayname|icalendar_max_size|vcard_max_size|webdav_attachments_max_binary_attach_size": r"[A-Za-z0-9 ,]{1,80}",
        r"conversations_(max_[a-z]+|keep_existing)|search_(batchsize|fuzzy_always|index_(headers|parts|skip_[a-z]+)|normalisation_max|snippet_length|maxtime|whitespace)|statuscache": r"[A-Za-z0-9]{1,12}",
        r"reverseacls|munge8bit|reject8bit|rfc2046_strict|skip_(broken_)?whitespace|flushseenstate": _SWITCH,
        r"specialusealways|specialuse_(nochildren|protect)|disconnect_on_vanished_mailbox|immediatenotification|imap_inprogress_interval": rf"{_SWITCH}|{_TIME}",
    },
    kept={
        "plaintext": r".*allowplaintext.*|.*tls.*|sasl.*|.*_sasl.*|allow(anonymouslogin|apop|newnews|setacl|usermoves|plainwithouttls)|.*password.*|apop.*|force_sasl.*|httpallow.*|.*login.*|starttls.*|ssl.*|.*auth.*|.*krb.*|ptscache.*|ldap_.*|pts_.*",
        "client": r"proxy.*|.*_proxy.*|.*admins?|lmtp_.*admins|.*trust.*|(shared|user|deleted|addressbook|calendar|davdrive|davnotifications|alt)prefix|crossdomains.*|virtdomains|defaultdomain|username_tolower|unixhierarchysep|altnamespace.*|.*namespace.*|defaultacl|anyoneuseracl|afspts.*|unix_group_enable|loginuseacl|user_group.*|mupdate_.*|frontend_.*|backend.*|murder_.*|improxyd.*|guid_mode|.*host$|.*hostname.*|.*origin.*",
        "data": r"readonly|createonpost|object_storage.*|openio.*|caringo.*|xbackup.*|skiplist.*|.*partition.*|config(directory|_.*)|.*path.*|.*dir(ectory)?|.*_db|.*_db_.*|archive.*|.*(expunge|delete)_mode|autoexpunge|berkeley.*|hash.*|fulldirhash|metapartition.*|duplicate.*|sync_.*|backup.*|.*(delete|expunge|unlink|purge|cleanup|expire).*|mailbox_.*|mboxlist.*|reconstruct.*|quota_db.*|quotaroot.*|autocreate_quota.*|annotation_.*|dbengine.*|.*_rotate.*|user_deny.*|umask|user_folder_limit|seenstate.*|subscription.*|singleinstance.*",
        "delivery": r"lmtp.*|autocreate.*|sendmail.*|smtp.*|postmaster|post(user|spec)|sieve.*|imip.*|mail(notifier|domain).*|.*notifier|notify.*|.*socket.*|event_.*|.*_allowip|rss.*|news.*|caldav_.*|calendar_.*|carddav_.*|webdav_.*|http.*|jmap_.*|aggregate.*|mime.*",
        "code": r"sql_.*|iolog|lock_debug.*|search_attachment.*|virusscan.*|.*(program|helper|command|plugin|script|exec|engine|module).*|.*_cmd|syslog.*|debug.*|cyrus_.*|chatty|prometheus.*|.*service.*|@.*|include.*|id_response|.*banner|serverinfo|serverlist.*",
    },
    values={"data": r"/", "code": r"[`;|&<>]", "delivery": r"@"},
)
"""imapd.conf. Times, sizes and limits are for everybody; where data lie, who is asked for a password and who is an
administrator is this program's."""
