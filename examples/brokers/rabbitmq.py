#!/usr/bin/python3
"""Sends what is in a queue of RabbitMQ by wxpush. Needs pika: apt install python3-pika.

Settings: AMQP_URL (amqp://guest:guest@127.0.0.1/), WXPUSH_QUEUE (wxpush).
"""

import os
import time

import pika
import wxbatch

queue = os.environ.get("WXPUSH_QUEUE", "wxpush")
parameters = pika.URLParameters(os.environ.get("AMQP_URL", "amqp://guest:guest@127.0.0.1/"))
# No answer goes out while a batch is sent: this must be longer than that takes.
parameters.heartbeat = 600
channel = pika.BlockingConnection(parameters).channel()
channel.queue_declare(f"{queue}-dead", durable=True)
dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{queue}-dead"}
channel.queue_declare(queue, durable=True, arguments=dead)
channel.basic_qos(prefetch_count=wxbatch.MOST)


def take():
    """Waits for a message, and takes those that are there with it."""
    taken = []
    wait = wxbatch.MINUTE
    while len(taken) < wxbatch.MOST:
        method, properties, body = next(channel.consume(queue, inactivity_timeout=wait))
        if method is None:
            break
        # Only its producer can give a message an id that a redelivery keeps.
        key = properties.message_id and f"{queue} {properties.message_id}"
        taken.append((method.delivery_tag, key, body))
        wait = 0.05
    return taken


wxbatch.flush_each_minute()
while True:
    taken = take()
    if not taken:
        continue
    later = False
    outcomes = wxbatch.deliver([(key, body) for _, key, body in taken])
    for (tag, _, _), (outcome, _) in zip(taken, outcomes, strict=True):
        if outcome == wxbatch.DONE:
            channel.basic_ack(tag)
        else:
            later = later or outcome == wxbatch.LATER
            channel.basic_reject(tag, requeue=outcome == wxbatch.LATER)
    if later:
        time.sleep(wxbatch.PAUSE)
