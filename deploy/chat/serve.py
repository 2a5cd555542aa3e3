#!/usr/bin/env python3
"""Serves the chat page, and passes its HTTP polling on to Holdfast: `serve.py PORT DIRECTORY HOLDFAST_PORT`.

Holdfast takes HTTP polling from no page of another origin, and it names a session in a cookie, which no script may read. So the
requests of the page go to its own server, which repeats the identifier in the field Polling-Identifier.
"""

import functools
import http.client
import http.server
import re
import sys

PATH = "/http-poll"
MOST_BYTES = 1_000_000


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments, holdfast, **options):
        self.holdfast = holdfast
        super().__init__(*arguments, **options)

    def do_POST(self):
        # A page elsewhere could else begin sessions for whoever looks at it.
        own = [f"http://{name}:{self.server.server_port}" for name in ("127.0.0.1", "localhost")]
        length = self.headers.get("Content-Length", "")
        if self.path != PATH or self.headers.get("Origin") not in own:
            self.send_error(403)
        elif not length.isascii() or not length.isdigit() or int(length) > MOST_BYTES:
            self.send_error(413)
        else:
            self.pass_on(self.rfile.read(int(length)))

    def pass_on(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.holdfast, timeout=30)
        try:
            connection.request("POST", PATH, body)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self.send_error(502)
            return
        finally:
            connection.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if identifier := re.match("ID=([^;]*)", answer.getheader("Set-Cookie", "")):
            self.send_header("Polling-Identifier", identifier[1])
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main(port, directory, holdfast):
    handler = functools.partial(Handler, directory=directory, holdfast=int(holdfast))
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
