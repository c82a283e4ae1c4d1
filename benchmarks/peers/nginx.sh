#!/usr/bin/env bash
# nginx in the foreground, one process, everything it writes below build/bench/peers: nginx.sh PORT
# Its replies are fixed; it neither routes among a hundred routes nor reads the POST's body.
set -euo pipefail
port=$1
room=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/bench/peers/nginx-$port
mkdir -p "$room"
cat >"$room/nginx.conf" <<CONF
worker_processes 1;
daemon off;
master_process off;
error_log stderr crit;
pid $room/pid;
worker_rlimit_nofile 20000;
events { worker_connections 16000; multi_accept on; }
http {
  access_log off;
  keepalive_requests 1000;
  keepalive_timeout 75s;
  client_body_temp_path $room/body;
  proxy_temp_path $room/proxy;
  fastcgi_temp_path $room/fastcgi;
  uwsgi_temp_path $room/uwsgi;
  scgi_temp_path $room/scgi;
  server {
    listen 127.0.0.1:$port backlog=4096;
    default_type text/plain;
    location = /plaintext { return 200 'Hello, World!'; }
    location = /json { default_type application/json; return 200 '{"message":"Hello, World!"}'; }
    location ~ ^/api/v1/projects/([^/]+)/tasks/([^/]+)\$ {
      default_type application/json;
      return 200 '{"id":"\$1","taskId":"\$2"}';
    }
  }
}
CONF
exec nginx -p "$room" -c "$room/nginx.conf"
