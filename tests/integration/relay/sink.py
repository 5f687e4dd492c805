"""An endpoint as a partner would run it: the standard library's server, signatures checked by the public package."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook


class Sink(ThreadingHTTPServer):
    """`answer(body)` → (status, JSON or None); what came is in `received`, in order: (webhook-id, event)."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, secret=None, answer=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.secret, self.answer = secret, answer or (lambda _event: (204, None))
        self.received, self.refused, self.at_once, self.most_at_once = [], 0, 0, 0
        self.arrived, self.lock = [], threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hooks/opposable?v=1"

    def events(self, kind=None):
        with self.lock:
            return [event for _, event in self.received if kind is None or event["type"] == kind]

    def handle_error(self, request, client_address):
        pass  # a client that was killed


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        sink = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        with sink.lock:
            sink.arrived.append((time.monotonic(), self.headers["webhook-id"]))
            sink.at_once += 1
            sink.most_at_once = max(sink.most_at_once, sink.at_once)
        try:
            event = json.loads(body)
            if sink.secret is not None:
                Webhook(sink.secret).verify(body, dict(self.headers))
            status, answer = sink.answer(event)
            if 200 <= status < 300:
                with sink.lock:
                    sink.received.append((self.headers["webhook-id"], event))
        except Exception:  # noqa: BLE001
            sink.refused += 1
            status, answer = 401, None
        with sink.lock:
            sink.at_once -= 1
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def sink(**options):
    server = Sink(**options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
