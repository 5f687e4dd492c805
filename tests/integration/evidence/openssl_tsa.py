"""A timestamp authority made with openssl, behind a small HTTP server: its own root, its own certificate, its own failures."""

import http.server
import subprocess
import threading
from pathlib import Path

CONFIG = """
[tsa]
default_tsa = one
[one]
dir = {dir}
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
certs = $dir/root.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[purpose]
extendedKeyUsage = critical, timeStamping
"""


class OpensslTsa:
    """`url` answers timestamps while it is `up`; `certificate` is what signs them, `root` what signed that."""

    def __init__(self, folder: Path, key: str = "RSA") -> None:
        self.folder, self.up, self.asked = folder, True, 0
        (folder / "tsa.cnf").write_text(CONFIG.format(dir=folder))
        (folder / "serial").write_text("01\n")
        option = ["-pkeyopt", "rsa_keygen_bits:2048"] if key == "RSA" else ["-pkeyopt", "ec_paramgen_curve:P-384"]
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "root.key")
        self._openssl(
            "req", "-x509", "-new", "-key", "root.key", "-days", "30", "-subj", "/CN=Racine", "-out", "root.pem"
        )
        self._openssl("genpkey", "-algorithm", key, *option, "-out", "tsa.key")
        self._openssl("req", "-new", "-key", "tsa.key", "-subj", "/CN=Horloge", "-out", "tsa.csr")
        self._openssl(
            "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30",
            "-extfile", "tsa.cnf", "-extensions", "purpose", "-out", "tsa.pem",
        )  # fmt: skip
        self._openssl("x509", "-in", "tsa.pem", "-outform", "DER", "-out", "tsa.der")
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/tsa"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def certificate(self) -> bytes:
        return (self.folder / "tsa.der").read_bytes()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, query: bytes) -> bytes:
        with self._lock:
            (self.folder / "query").write_bytes(query)
            self._openssl(
                "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-chain", "root.pem", "-out", "reply"
            )
            return (self.folder / "reply").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        tsa = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                tsa.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                status, body = (200, tsa.answer(query)) if tsa.up else (503, b"away")
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        return Handler
