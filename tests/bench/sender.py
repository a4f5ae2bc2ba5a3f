"""The usual script, for wxpush to be compared with: sender.py BASE CA_FILE TOKEN_FILE MESSAGE"""

import json
import sys
import time

import requests

base, ca_file, token_file, message = sys.argv[1:]
with open(token_file, encoding="utf-8") as file:
    cache = json.load(file)
if cache["expires_at"] < time.time():
    sys.exit("the token has expired")
answer = requests.post(
    base + "/cgi-bin/message/send",
    params={"access_token": cache["access_token"]},
    json={
        "touser": "zhangsan",
        "msgtype": "text",
        "agentid": 1000002,
        "text": {"content": message},
    },
    timeout=10,
    verify=ca_file,
)
answer.raise_for_status()
if answer.json()["errcode"] != 0:
    sys.exit(answer.json()["errmsg"])
