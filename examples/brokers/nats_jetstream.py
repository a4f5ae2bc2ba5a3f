#!/usr/bin/python3
"""Sends what is in a NATS JetStream by wxpush. Needs nats-py: pip install nats-py.

Settings: NATS_URL (nats://127.0.0.1:4222), WXPUSH_STREAM (wxpush), which is also the subject.
"""

import asyncio
import json
import os

import nats
import wxbatch
from nats.js.api import ConsumerConfig

stream = os.environ.get("WXPUSH_STREAM", "wxpush")

# Seconds until the messages of a consumer that died are delivered to the next one.
ACK_WAIT = 30


async def hold(messages):
    """Tells the server that these are being worked on."""
    while True:
        await asyncio.sleep(ACK_WAIT / 3)
        for message in messages:
            await message.in_progress()


async def main():
    server = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    jetstream = server.jetstream()
    for name in (stream, f"{stream}-dead"):
        # Does nothing if it is there.
        await jetstream.add_stream(name=name, subjects=[name])
    config = ConsumerConfig(ack_wait=ACK_WAIT, max_ack_pending=10 * wxbatch.MOST)
    taken = await jetstream.pull_subscribe(stream, durable="wxpush", config=config)
    wxbatch.flush_each_minute()
    while True:
        try:
            messages = await taken.fetch(wxbatch.MOST, timeout=wxbatch.MINUTE)
        except nats.errors.TimeoutError:
            continue
        keyed = [(f"{stream} {it.metadata.sequence.stream}", it.data) for it in messages]
        holding = asyncio.create_task(hold(messages))
        outcomes = await asyncio.to_thread(wxbatch.deliver, keyed)
        holding.cancel()
        for message, (outcome, answer) in zip(messages, outcomes, strict=True):
            if outcome == wxbatch.LATER:
                await message.nak(delay=wxbatch.PAUSE)
                continue
            if outcome == wxbatch.DEAD:
                headers = {"Wxpush-Answer": json.dumps(answer)}
                await jetstream.publish(f"{stream}-dead", message.data, headers=headers)
            await message.ack_sync()


asyncio.run(main())
