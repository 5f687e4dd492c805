"""The smallest service a supervisor can run: serves `/health/ready` and says when it stops.

With the argument `deaf` it does not heed SIGTERM, and has a child of its own.
"""

import http.server
import os
import signal
import subprocess
import sys
import time


class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


def stop(*_):
    print("stopped at", time.monotonic_ns(), flush=True)  # noqa: T201 - its output is what is tested
    sys.exit(0)


if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)  # noqa: T201
else:
    signal.signal(signal.SIGTERM, stop)
http.server.HTTPServer(("127.0.0.1", int(os.environ["OPPOSABLE_HTTP_PORT"])), Ready).serve_forever()
