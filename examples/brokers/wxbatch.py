"""What the consumers of all brokers share: messages to `wxpush batch`, and what became of each."""

import json
import subprocess
import sys
import threading
import time

BATCH = ["wxpush", "batch"]
FLUSH = ["wxpush", "outbox", "flush"]

# Most messages at a time. Until they are decided, no more are taken from the broker.
MOST = 100

# Seconds between two flushes of the outbox: what `batch` kept goes out by them.
MINUTE = 60

# Seconds to wait when nothing can be delivered or kept: the set-up is wrong, or the disk is full.
PAUSE = 5

# Exit codes that are about the message itself: to send it again would end the same way.
HOPELESS = {64, 65, 66, 67, 69}

# A file of this host is not for whoever may write to the broker.
LOCAL = {"file", "image", "voice", "video"}

DONE, DEAD, LATER = "done", "dead", "later"

# What was said of messages that are tried again and again.
said = set()


def fields_of(payload):
    """The fields of a message: a JSON object has those of `wxpush batch`, all else is a text."""
    text = payload.decode(errors="replace") if isinstance(payload, bytes) else payload
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    return fields if isinstance(fields, dict) else {"text": text}


def deliver(messages):
    """Sends messages, pairs of a key and a payload; returns for each what became of it, and the answer.

    DONE: on the phone or safe in the outbox. DEAD: can never be sent. LATER: try again. The key must
    stay the same for a message: wxpush knows by it what a consumer sent before it died. Without a
    key (None), such a message comes twice.
    """
    outcomes = [(LATER, None)] * len(messages)
    lines = []
    for number, (key, payload) in enumerate(messages):
        fields = fields_of(payload)
        # A text in `raw` is the path of a file.
        if LOCAL & fields.keys() or isinstance(fields.get("raw"), str):
            answer = {"status": "invalid", "error": "names a file of the consumer's host"}
            outcomes[number] = (DEAD, answer)
            continue
        once = {} if key is None else {"once": key}
        lines.append(json.dumps(once | fields | {"id": str(number)}) + "\n")
    ran = subprocess.run(
        BATCH, input="".join(lines).encode(), stdout=subprocess.PIPE, check=False
    )
    for line in ran.stdout.splitlines(keepends=True):
        # A line without its end is from a wxpush that was killed: its message is sent again.
        if line.endswith(b"\n"):
            answer = json.loads(line)
            outcomes[int(answer["id"])] = (outcome_of(answer), answer)
    for (key, _), (_, answer) in zip(messages, outcomes, strict=True):
        say(key, answer)
    return outcomes


def outcome_of(answer):
    if answer["status"] in ("sent", "partial", "queued", "duplicate"):
        return DONE
    return DEAD if answer["exit_code"] in HOPELESS else LATER


def say(key, answer):
    """Says on stderr what did not reach everybody: of a message that is tried again, once."""
    if answer is None or answer["status"] in ("sent", "queued", "duplicate"):
        return
    line = f"{key or 'a message'}: {answer['status']}: {answer.get('error')}"
    if line not in said:
        if len(said) >= 1000:
            said.clear()
        said.add(line)
        print(line, file=sys.stderr, flush=True)


def flush_each_minute():
    """Delivers what waits in the outbox, beside all else: so a consumer needs no crontab."""

    def flush():
        while True:
            subprocess.run(FLUSH, check=False)
            time.sleep(MINUTE)

    threading.Thread(target=flush, daemon=True).start()
