"""Prints the words that Python's own package finds in mails: a JSON object of them, by paths."""

import email
import html.parser
import json
import re
import sys
from email import policy


class Text(html.parser.HTMLParser):
    """The text of HTML that a browser shows."""

    UNREAD = ("script", "style", "title", "template", "noscript")

    def __init__(self):
        super().__init__()
        self.pieces, self.unread = [], 0

    def handle_starttag(self, tag, attrs):
        self.unread += tag in self.UNREAD
        # A table's cells and a page's paragraphs are words of their own.
        self.pieces.append(" ")

    def handle_endtag(self, tag):
        self.unread -= tag in self.UNREAD and self.unread > 0
        self.pieces.append(" ")

    def handle_data(self, data):
        if not self.unread:
            self.pieces.append(data)


def rightly_decoded(part):
    """The text of a part. Where its charset is plainly wrong, the bytes count."""
    text = part.get_content()
    try:
        utf8 = part.get_payload(decode=True).decode()
    except UnicodeDecodeError:
        # What has been replaced leaves pieces of words.
        return re.sub(r"[^\x00-\x7f]+", " ", text) if "\ufffd" in text else text
    return text if utf8.isascii() else utf8


def words(part):
    """The words of a part to be read; of alternatives those of one."""
    kind = part.get_content_type()
    if part.is_multipart() and kind.startswith("multipart/"):
        parts = list(part.iter_parts())
        if kind != "multipart/alternative":
            return [word for inner in parts for word in words(inner)]
        plain = [inner for inner in parts if inner.get_content_type() == "text/plain"]
        other = [inner for inner in parts if inner not in plain]
        return next(filter(None, map(words, plain + other)), [])
    if part.get_filename() or part.is_attachment() or kind not in ("text/plain", "text/html"):
        return []
    text = rightly_decoded(part)
    if kind == "text/html":
        parser = Text()
        parser.feed(text)
        text = "".join(parser.pieces)
    # Those are files.
    text = re.sub(r"(?ms)^begin [0-7]{3,4} .*?^end\s*$", "", text)
    return re.findall(r"\w+", text)


found = {}
for path in sys.stdin.read().splitlines():
    with open(path, "rb") as file:
        try:
            found[path] = words(email.message_from_binary_file(file, policy=policy.default))
        except Exception:  # it has faults of its own: then there is nothing to compare with
            found[path] = []
json.dump(found, sys.stdout)
