"""Servers on the loopback that behave as real ones do, at their worst."""

import hashlib
import re
import socket
import threading
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from flarecast.download.wanted import Means

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class Peer:
    """An HTTP server: `files` by path, `tricks` to do instead (one a request), what was `asked`."""

    def __init__(self):
        self.files, self.tricks, self.asked, self.sent = {}, defaultdict(list), [], 0
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = unquote(self.path)
                peer.asked.append((path, dict(self.headers)))
                trick = peer.tricks[path].pop(0) if peer.tricks[path] else serve
                trick(self, peer.files.get(path))
                self.close_connection = True

            def log_message(self, *_):
                pass

            def put(self, code, headers, body=b""):
                self.send_response(code)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                peer.sent += len(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that hangs up is what is tested
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def ranges(self, path):
        """Range headers of the requests for a path."""
        return [headers.get("Range") for asked, headers in self.asked if asked == path]

    def close(self):
        """Answer no more; the port stays taken, so that no server of another test answers there instead."""
        self.server.shutdown()
        self.server.server_close()
        self.server.socket = socket.socket()
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.socket.bind(self.server.server_address)


def tag(body):
    return f'"{hashlib.md5(body).hexdigest()[:8]}"'


def serve(handler, body):
    """As a good server: ranges, If-Range, If-None-Match, 404, 416."""
    if body is None:
        return handler.put(404, {"Content-Type": "text/html"}, b"<html>404</html>")
    asked = handler.headers
    if asked.get("If-None-Match") == tag(body):
        return handler.put(304, {"ETag": tag(body)})
    found = re.fullmatch(r"bytes=(\d+)-", asked.get("Range", ""))
    if found and asked.get("If-Range", tag(body)) == tag(body):
        start = int(found[1])
        if start >= len(body):
            return handler.put(416, {"Content-Range": f"bytes */{len(body)}"})
        head = {"ETag": tag(body), "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        return handler.put(206, head, body[start:])
    return handler.put(200, {"ETag": tag(body)}, body)


def cut(n):
    """Promise all of what is asked for and end after `n` bytes."""

    def trick(handler, body):
        found = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        head = {"ETag": tag(body), "Content-Length": len(body) - start}
        if start:
            head["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.put(206 if start else 200, head, body[start : start + n])

    return trick


def status(code, **headers):
    """A status and nothing else."""
    return lambda handler, body: handler.put(code, {k.replace("_", "-"): v for k, v in headers.items()})


def whole(**headers):
    """All of the file, whatever was asked for, under these headers."""
    return lambda handler, body: handler.put(200, {k.replace("_", "-"): v for k, v in headers.items()}, body)


class FtpPeer:
    """An FTP server that knows SIZE, MDTM, PASV, REST and RETR; `cuts` end transfers early, one a RETR."""

    def __init__(self):
        self.files, self.cuts, self.asked = {}, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ftp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with suppress(OSError), connection, connection.makefile("rw", newline="\r\n") as talk:
            data, rest = None, 0

            def say(line):
                talk.write(line + "\n")
                talk.flush()

            say("220 ready")
            for line in talk:
                word, _, argument = line.strip().partition(" ")
                self.asked.append(line.strip())
                body = self.files.get(argument)
                if word in ("SIZE", "MDTM", "RETR") and body is None:
                    say("550 no such file")
                    if data:
                        data.close()
                elif word == "SIZE":
                    say(f"213 {len(body)}")
                elif word == "MDTM":
                    say("213 20200101000000")
                elif word == "PASV":
                    data = socket.create_server(("127.0.0.1", 0))
                    high, low = divmod(data.getsockname()[1], 256)
                    say(f"227 ok (127,0,0,1,{high},{low})")
                elif word == "REST":
                    rest = int(argument)
                    say("350 ok")
                elif word == "RETR":
                    say("150 here it comes")
                    end = self.cuts.pop(0) if self.cuts else len(body)
                    with data.accept()[0] as there:
                        there.sendall(body[rest : rest + end])
                    data.close()
                    say("226 done" if rest + end >= len(body) else "426 cut")
                    rest = 0
                else:
                    say({"USER": "331 password", "PASS": "230 in", "QUIT": "221 bye"}.get(word, "200 ok"))

    def close(self):
        self.listener.close()


@pytest.fixture
def peer(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Peer()
    yield server
    server.close()
    server.server.server_close()


@pytest.fixture
def ftp_peer():
    server = FtpPeer()
    yield server
    server.close()


@pytest.fixture
def tricks():
    """What a server does instead."""
    return {"cut": cut, "status": status, "whole": whole, "serve": serve}


@pytest.fixture
def slept():
    """Seconds that the download wanted to sleep."""
    return []


@pytest.fixture
def means(slept):
    return Means(sleep=slept.append, now=lambda: NOON, free_bytes=lambda folder: 10**12, tries=3)
