"""Options of Roundcube's configuration (upstream: roundcubemail, config/defaults.inc.php)."""

from __future__ import annotations

from model.extra.language import Language
from model.extra.values import Number

_NUMBER, _SWITCH, _WORD = r"[0-9]{1,6}", "true|false", r"[A-Za-z0-9 ._/:-]{1,60}"

ROUNDCUBE = Language(
    own=r"max_message_size|(db|imap|smtp|redis|memcache|oauth|kolab|fileapi|calendar|tasklist|libkolab|syncroton|chwala|activesync)_.*|des_key|log_(driver|dir).*|per_user_logging|session_storage",
    harmless={
        r"(mail|addressbook)_pagesize": Number(10, 999),
        r"(min_)?refresh_interval": Number(30, 86_400),
        r"session_lifetime": Number(5, 10_080),
        r"max_recipients|max_group_members|undo_timeout|identities_level|contactlist_.*|list_cols_max|image_thumbnail_size|max_disclosed_recipients": _NUMBER,
        r"product_name": r"[\w .,:&()+!'’/-]{1,60}",
        r"skin": r"[a-z][a-z0-9_-]{0,30}",
        r"language|date_(format|short|long|today)|time_format|timezone|default_charset|message_sort_(col|order)|addressbook_(sort_col|name_listing)|reply_mode|default_font(_size)?|mail_read_time|layout|dateformat.*|address_template|contact_form_mode": _WORD,
        r"prefer_html|htmleditor|show_images|draft_autosave|compose_(extwin|save_localstorage|responses_static)|message_extwin|inline_images|preview_pane.*|autoexpand_threads|(top_posting|sig_below|show_sig|sig_separator|strip_existing_sig|sig_max_lines|reply_same_folder)|display_next|standard_windows|read_when_deleted|check_all_folders|show_real_foldernames|subscription_option|autocomplete_(single|threads|max|min_length)|quota_zero_as_unlimited|enable_spellcheck|spellcheck_(before_send|dictionary|ignore_.*)|skip_deleted|flag_for_deletion|autocomplete_.*|default_addressbook|message_show_email|message_threading|hide_blockquote|forward_attachment|mime_param_folding|mdn_requests|dsn_default|attach_.*|line_length|send_format_flowed|multiple_mail_search_.*|advanced_.*": rf"{_SWITCH}|-?{_NUMBER}",
        r"support_url|skin_logo|blankpage_url": r"(https://[A-Za-z0-9._~:/?&=%+-]{1,200})|(/?[A-Za-z0-9._/-]{1,80})",
        r"dont_override|disabled_actions|skins_allowed|list_cols|contact_search_name": r"[A-Za-z0-9_., -]{0,400}",
    },
    kept={
        "plaintext": r".*(password|secret|token|key|cipher|tls|ssl|https).*|login_.*|auto_create_user|.*auth.*|ip_check|username_.*|user_aliases|guest.*|cookie.*|same_?site|session_.*|default_host.*|mail_domain|request_path|use_secure.*|x_frame.*|content_security.*|enable_caps.*",
        "client": r"proxy_whitelist|trusted_host.*|client_.*|.*forwarded.*|.*_hosts?|http_(received|client).*|.*_ip.*|referer_check",
        "data": r"logout_(purge|expunge)|delete_(always|junk)|.*_dir(ectory)?|.*_mbox|.*_path|temp_dir.*|.*_cache.*|cache.*|mailbox.*|create_default_folders|protect_default_folders|.*_folders?|autopurge.*|.*expunge.*|garbage.*",
        "delivery": r"managesieve.*|sendmail.*|smtp.*|generic_message.*|.*_header.*|useragent|mail_.*|message_id.*|.*_from|additional_.*|ldap_.*|.*recipient_.*|always_.*|no_save_sent.*",
        "code": r"plugins.*|enable_installer|.*_(cmd|command|path|plugin|engine|uri|url|server|exec|lib|handler)|devel_mode|mime_(magic|types)|im_.*|include.*|assets_.*|.*hook.*|spellcheck_.*|.*installer.*|php.*|disabled_plugins.*",
        "secret": r".*debug.*|log_session.*|.*_log",
    },
    values={"code": r"\$|<\?|`", "secret": r"(?i)://[^/]*:[^/]*@"},
)
"""config.inc.php. How the webmail looks and behaves is for everybody; where it logs in, and how, is this program's."""
