"""A webhook endpoint. pip install standardwebhooks

OPPOSABLE_WEBHOOK_SECRET=whsec_… python webhook.py 8080      /hook takes events, /check answers the conformance kit
"""

import json
import os
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fold import Fold
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SECRET = Webhook(os.environ["OPPOSABLE_WEBHOOK_SECRET"].strip())
FOLD, SEEN, ANSWERS, LOCK = Fold(), set(), {}, threading.Lock()  # in your system: one transaction of your database


def take(headers, body):
    """(status, answer) of one webhook: verified, counted once, an order answered with what was done."""
    try:
        event = SECRET.verify(body, headers)
    except WebhookVerificationError:
        return 401, {"error": "signature"}
    kind, data, order = event["type"], event["data"], event["data"].get("order_id")
    if headers["webhook-id"] not in SEEN:
        SEEN.add(headers["webhook-id"])
        if kind == "opposable.stop.ordered.v1":
            now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            ANSWERS[order] = (
                {"status": "applied", "applied_at": now} if FOLD.knows(data) else {"status": "unknown_person"}
            )
        FOLD.take(kind, data)
    return (200, ANSWERS[order]) if kind == "opposable.stop.ordered.v1" else (204, None)


def check(body):
    """The question of `opposable party check`: may this person be contacted?"""
    asked = json.loads(body)
    key = (asked.get("match_key") or {}).get("key")
    return 200, {
        "allowed": FOLD.may(asked["channel"], asked["purpose"], consent_id=asked.get("consent_id"), match_key=key)
    }


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with LOCK:
            status, answer = check(body) if self.path == "/check" else take(dict(self.headers), body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Endpoint).serve_forever()
