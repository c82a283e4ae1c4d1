"""Reads server-sent events as they come: sse_client.py PORT PATH COUNT [LAST_EVENT_ID]. Prints one line an event."""

import http.client
import sys

port, path, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
headers = {"Accept": "text/event-stream"}
if len(sys.argv) > 4:
    headers["Last-Event-ID"] = sys.argv[4]
connection.request("GET", path, headers=headers)
reply = connection.getresponse()
if reply.status != 200 or reply.getheader("Content-Type") != "text/event-stream":
    sys.exit(f"unexpected answer: {reply.status} {reply.getheader('Content-Type')}")
event = {"event": "message", "data": [], "id": ""}
while count > 0:
    line = reply.readline()
    if not line:
        sys.exit("the stream ended")
    name, _, value = line.decode().rstrip("\n").partition(": ")
    if name == "data":
        event["data"].append(value)
    elif name in ("event", "id"):
        event[name] = value
    elif not name:
        if event["data"]:
            print(event["event"], event["id"].rpartition("-")[2], "|".join(event["data"]), flush=True)
            count -= 1
        event["event"], event["data"] = "message", []
