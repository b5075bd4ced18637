<?php
// A stand-in for Chwala: what it answers to anybody without a session, from PHP, so that a dead php-fpm shows.
header('Content-Type: application/json');
echo json_encode(['status' => 'ERROR', 'reason' => 'Invalid session', 'code' => 403]);
