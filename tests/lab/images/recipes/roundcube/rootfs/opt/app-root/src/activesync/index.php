<?php
// A stand-in for Syncroton: HTTP Basic is tried as an IMAP login, OPTIONS says which versions there are, and a ping without news
// is answered after the phone's heartbeat, which the lab's says in the query.
function allowed(string $user, string $password): bool
{
    $imap = @stream_socket_client('tcp://' . getenv('IMAP_HOST') . ':' . getenv('IMAP_PORT'), $code, $error, 10);
    if (!$imap) {
        http_response_code(503);
        exit;
    }
    fgets($imap);
    fwrite($imap, sprintf("a LOGIN \"%s\" \"%s\"\r\n", addcslashes($user, '"\\'), addcslashes($password, '"\\')));
    do {
        $line = (string) fgets($imap);
    } while ($line !== '' && !str_starts_with($line, 'a '));
    return str_starts_with($line, 'a OK');
}

if (!allowed($_SERVER['PHP_AUTH_USER'] ?? '', $_SERVER['PHP_AUTH_PW'] ?? '')) {
    header('WWW-Authenticate: Basic realm="ActiveSync"');
    http_response_code(401);
    exit;
}
header('MS-ASProtocolVersions: 2.5,12.0,12.1,14.0,14.1');
header('MS-ASProtocolCommands: Sync,Ping,FolderSync,SendMail');
if (($_GET['Cmd'] ?? '') === 'Ping') {
    sleep((int) ($_GET['HeartbeatInterval'] ?? 0));
    echo 'Status 1: nothing new';
}
