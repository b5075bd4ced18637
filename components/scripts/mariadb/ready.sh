#!/bin/bash
# /tmp/initialized appears after the init phase, which runs on another socket.
mysqladmin -u root ping && test -e /tmp/initialized
