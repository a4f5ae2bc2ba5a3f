#!/usr/bin/python3
"""Sends what is in a Redis stream by wxpush. Needs redis-py: apt install python3-redis.

Settings: REDIS_URL (redis://127.0.0.1/0), WXPUSH_STREAM (wxpush), WXPUSH_CONSUMER (the host's name).
"""

import json
import os
import socket
import time

import redis
import wxbatch

stream = os.environ.get("WXPUSH_STREAM", "wxpush")
consumer = os.environ.get("WXPUSH_CONSUMER", socket.gethostname())
server = redis.Redis.from_url(
    os.environ.get("REDIS_URL", "redis://127.0.0.1/0"), decode_responses=True
)
try:
    server.xgroup_create(stream, "wxpush", id="0", mkstream=True)
except redis.ResponseError as error:
    if "BUSYGROUP" not in str(error):
        raise

wxbatch.flush_each_minute()
# First what this consumer took and did not acknowledge, then what is new. What can't be sent yet is
# tried again now and then; meanwhile new messages go on.
start = "0"
again = None
while True:
    now = time.monotonic()
    if start == ">" and again is not None and now >= again:
        start, again = "0", None
    wait = wxbatch.MINUTE if again is None else again - now
    reply = server.xreadgroup(
        "wxpush", consumer, {stream: start}, wxbatch.MOST, max(1, int(wait * 1000))
    )
    entries = reply[0][1] if reply else []
    if not entries:
        start = ">"
        continue
    # Pending ones are gone through to their end, in parts; then it reads what is new.
    start = ">" if start == ">" else entries[-1][0]
    # Somebody may have deleted it, and it need not have a message.
    payloads = [(fields or {}).get("message", "") for _, fields in entries]
    keys = [f"{stream} {id}" for id, _ in entries]
    later = False
    outcomes = wxbatch.deliver(list(zip(keys, payloads, strict=True)))
    for (id, _), payload, (outcome, answer) in zip(entries, payloads, outcomes, strict=True):
        if outcome == wxbatch.LATER:
            later = True
            continue
        if outcome == wxbatch.DEAD:
            dead = {"message": payload, "answer": json.dumps(answer)}
            server.xadd(f"{stream}-dead", dead, maxlen=10_000)
        server.xack(stream, "wxpush", id)
    if later:
        if all(outcome == wxbatch.LATER for outcome, _ in outcomes):
            # Nothing gets through: the broker keeps the rest.
            time.sleep(wxbatch.PAUSE)
        if start != ">" or again is None:
            again = time.monotonic() + wxbatch.PAUSE
