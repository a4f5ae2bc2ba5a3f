"""What the consumers of all brokers share: messages to `wxpush batch`, and what became of each."""

import json
import subprocess

BATCH = ["wxpush", "batch"]
FLUSH = ["wxpush", "outbox", "flush"]

# Most messages at a time. Until they are decided, no more are taken from the broker.
MOST = 100

# Seconds without a message after which the outbox is flushed. While there are messages, `batch`
# delivers what waits beside them.
QUIET = 60

# Seconds to wait when nothing can be delivered or kept: the set-up is wrong, or the disk is full.
PAUSE = 5

# Exit codes that are about the message itself: to send it again would end the same way.
HOPELESS = {64, 65, 66, 67, 69}

# A file of this host is not for whoever may write to the broker.
LOCAL = {"file", "image", "voice", "video"}

DONE, DEAD, LATER = "done", "dead", "later"


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
        if LOCAL & fields.keys():
            outcomes[number] = (DEAD, {"error": "names a file of the consumer's host"})
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
    return outcomes


def outcome_of(answer):
    if answer["status"] in ("sent", "partial", "queued", "duplicate"):
        return DONE
    return DEAD if answer["exit_code"] in HOPELESS else LATER


def flush():
    """Delivers what waits in the outbox: so a consumer needs no crontab beside it."""
    subprocess.run(FLUSH, check=False)
