#!/bin/bash
# The account on standard input: every login of it that the web application has handed out counts no more. Prints how many.
read -r user
MYSQL_PWD=$DB_PASSWORD mysql -N -B -u "$DB_USERNAME" -h "$DB_HOST" "$DB_DATABASE" -e "
  UPDATE oauth_access_tokens SET revoked = 1
  WHERE NOT revoked AND user_id IN (SELECT id FROM users WHERE email = '$user'); SELECT ROW_COUNT()"
