"""A small service as strangers write them: metrics by hand, lines of plain text, spans as Zipkin's JSON. Standard library only.

Usage: plain.py <port> <URL that takes spans>. POST /-/lose/<lines|spans|counts> makes it lose every third of these, /-/keep/… no more.
"""

import json
import logging
import os
import re
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EDGES = (0.005, 0.05, 0.5, 5)
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
access = logging.getLogger("items.access")
lock = threading.Lock()
counts, durations, spans = {}, [], []
lost, turn = set(), {"lines": 0, "spans": 0, "counts": 0}


def kept(what):
    """False for every third, once it is to be lost."""
    turn[what] += 1
    return what not in lost or turn[what] % 3 != 0


def exposition():
    lines = ["# TYPE items_http_requests_total counter"]
    for (method, endpoint, status), count in counts.items():
        labels = f'method="{method}",endpoint="{endpoint}",status="{status}"'
        lines.append(f"items_http_requests_total{{{labels}}} {count}")
    lines.append("# TYPE items_http_request_duration_seconds histogram")
    for edge in EDGES:
        held = sum(1 for one in durations if one <= edge)
        lines.append(f'items_http_request_duration_seconds_bucket{{le="{edge}"}} {held}')
    lines.append(f'items_http_request_duration_seconds_bucket{{le="+Inf"}} {len(durations)}')
    lines.append(f"items_http_request_duration_seconds_sum {sum(durations)}")
    lines.append(f"items_http_request_duration_seconds_count {len(durations)}")
    return "\n".join(lines) + "\n"


def answer(path):
    """Status, route and body, after as long as a look into a database takes."""
    time.sleep(0.003)
    if path == "/items":
        return 200, "/items", [{"id": n} for n in range(3)]
    if re.fullmatch(r"/items/\d+", path):
        return 200, "/items/{id}", {"id": int(path.rsplit("/", 1)[1])}
    return 404, "unknown", {"error": "there is no such thing"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, kind="application/json"):
        payload = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_POST(self):
        _, _, verb, what = self.path.split("/")
        (lost.add if verb == "lose" else lost.discard)(what)
        self.send(200, "{}")

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/metrics":
            with lock:
                text = exposition()
            return self.send(200, text, "text/plain; version=0.0.4")
        began, at = time.perf_counter(), time.time()
        parts = self.headers.get("traceparent", "").split("-")
        trace, parent = (parts[1], parts[2]) if len(parts) == 4 else (os.urandom(16).hex(), None)
        status, route, body = answer(path)
        took = time.perf_counter() - began
        with lock:
            key = ("GET", route, status)
            if kept("counts"):
                counts[key] = counts.get(key, 0) + 1
            durations.append(took)
            if kept("spans"):
                spans.append(self.span(trace, parent, route, path, status, at, took))
            if kept("lines"):
                access.info('[%s] "GET %s" %d %.3f ms', trace, self.path, status, took * 1000)
        self.send(status, json.dumps(body))

    def span(self, trace, parent, route, path, status, at, took):
        span = {
            "traceId": trace,
            "id": os.urandom(8).hex(),
            "kind": "SERVER",
            "name": f"get {route}",
            "timestamp": int(at * 1e6),
            "duration": max(1, int(took * 1e6)),
            "localEndpoint": {"serviceName": "items"},
            "tags": {"http.method": "GET", "http.path": path, "http.status_code": str(status)},
        }
        return span if parent is None else {**span, "parentId": parent}


def deliver(url):
    while True:
        time.sleep(0.3)
        with lock:
            batch, spans[:] = list(spans), []
        if batch:
            request = urllib.request.Request(url, json.dumps(batch).encode(), {"content-type": "application/json"})
            urllib.request.urlopen(request, timeout=10).close()


port, collector = int(sys.argv[1]), sys.argv[2]
threading.Thread(target=deliver, args=(collector,), daemon=True).start()
logging.getLogger("items").info("listening on port %d", port)
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
