<?php
// The webmail, wired by the variables of the image's contract. Logins are by password: there is no OAuth in the lab.
$value = static fn (string $name): string => (string) getenv($name);

$config = [
    'db_dsnw' => "mysql://{$value('DB_RC_USERNAME')}:{$value('DB_RC_PASSWORD')}@{$value('DB_HOST')}/{$value('DB_RC_DATABASE')}",
    'imap_host' => "{$value('IMAP_HOST')}:{$value('IMAP_PORT')}",
    'smtp_host' => ($value('SUBMISSION_ENCRYPTION') === 'starttls' ? 'tls://' : '') . "{$value('SUBMISSION_HOST')}:{$value('SUBMISSION_PORT')}",
    'smtp_user' => '%u',
    'smtp_pass' => '%p',
    // Certificates inside carry public names.
    'smtp_conn_options' => ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]],
    'des_key' => $value('DES_KEY'),
    'username_domain' => $value('APP_DOMAIN'),
    'product_name' => 'Kolab Groupware (lab)',
    'log_driver' => $value('LOG_DRIVER') === 'stdout' ? 'stdout' : 'file',
    'plugins' => [],
    'skin' => 'elastic',
    'enable_spellcheck' => false,
];
