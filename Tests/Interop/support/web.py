"""Static pages on an origin of their own, and a headless Chromium to look at them (W3C WebDriver, spoken directly)."""

import base64
import functools
import http.server
import json
import os
import threading
import urllib.error
import urllib.request

from .processes import Child, Scratch, born, free_ports, gone, wait_until

PAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pages")
STROPHE = "/usr/share/javascript/strophe/strophe.js"


class Pages:
    """The folder pages/ and Debian's Strophe.js over HTTP; `more`: further files by their path."""

    def __init__(self, more=None):
        files = {"/strophe.js": STROPHE, **(more or {})}
        handler = functools.partial(self.Handler, files, directory=PAGES)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, files, *arguments, **options):
            self.files = files
            super().__init__(*arguments, **options)

        def translate_path(self, path):
            return self.files.get(path) or super().translate_path(path)

        def log_message(self, *_):
            pass

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Browser:
    """One headless Chromium with one window; with `logs` it keeps what pages say on the console."""

    def __init__(self, logs=False):
        self.logs = logs
        self.scratch = Scratch()
        try:
            self._start()
        except BaseException:
            self.scratch.remove()
            raise

    def _start(self):
        (port,) = free_ports(1)
        environment = dict(os.environ, HOME=self.scratch.sub("home"), TMPDIR=self.scratch.sub("tmp"))
        self.driver = Child(["chromedriver", f"--port={port}"], os.path.join(self.scratch.path, "log"), env=environment)
        self.driver.wait_for_port(port)
        self.base = f"http://127.0.0.1:{port}"
        arguments = [
            "--headless=new", "--window-size=1100,700", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={self.scratch.sub('profile')}",
            # A page that was left is gone, as in a browser without this cache: its connections close (P-13).
            "--disable-features=BackForwardCache",
            # No traffic but to loopback.
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        options = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments}}
        if self.logs:
            options["goog:loggingPrefs"] = {"browser": "ALL"}
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self.session = f"/session/{answer['sessionId']}"
        born(self)  # the driver does not take its browser along when it is ended

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"WebDriver {path}: {error.read().decode(errors='replace')[:2000]}") from None

    def open(self, url):
        self._call("POST", f"{self.session}/url", {"url": url})

    def reload(self):
        self._call("POST", f"{self.session}/refresh", {})

    def run(self, script, *arguments):
        """The value that the JavaScript function body `script` returns."""
        return self._call("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def tab(self):
        """The handle of the tab that is driven now."""
        return self._call("GET", f"{self.session}/window")

    def new_tab(self):
        """Opens a tab and drives it from now on; returns its handle."""
        handle = self._call("POST", f"{self.session}/window/new", {"type": "tab"})["handle"]
        self.switch(handle)
        return handle

    def switch(self, handle):
        self._call("POST", f"{self.session}/window", {"handle": handle})

    def resize(self, width, height):
        """Gives the page this size, also one that is narrower than a window may be."""
        self._call("POST", f"{self.session}/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}})

    def console(self):
        """What the pages have said on the console since the last call, errors of the browser included."""
        return [entry["message"] for entry in self._call("POST", f"{self.session}/se/log", {"type": "browser"})]

    def picture(self, path):
        """Writes what the tab shows as a PNG file."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", f"{self.session}/screenshot")))

    def wait(self, expression, what):
        """Waits until a JavaScript expression is true and returns its value."""
        return wait_until(lambda: self.run(f"return {expression};"), what, pause=0.05)

    def stop(self):
        gone(self)
        try:
            self._call("DELETE", self.session)
        finally:
            self.driver.stop()
            self.scratch.remove()
