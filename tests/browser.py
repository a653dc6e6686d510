"""Drives Chromium without a window, by its DevTools protocol over two pipes. Needs Python's library only.

    with Browser() as browser:
        tab = browser.open("file:///…/index.html")
        tab.evaluate("document.title")

Chromium writes to a folder of its own in build/, which goes away at the end. It is the leader of its own
process group, which is ended at the end by its number; and Chromium ends by itself when its pipes close.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--mute-audio",
         "--no-default-browser-check", "--disable-extensions", "--disable-sync", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
         "--disable-features=Translate,OptimizationHints,MediaRouter")
LIMIT = 120  # seconds that one call may take
# name, Windows' key code, text
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), " ": (32, " "), "End": (35, ""),
        "Home": (36, ""), "ArrowLeft": (37, ""), "ArrowUp": (38, ""), "ArrowRight": (39, ""),
        "ArrowDown": (40, "")}
# Roles, as DevTools names them.
CONTROLS = {"button", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "link", "slider",
            "spinbutton", "DisclosureTriangle", "region", "image", "img"}
SHIFT = 8  # as DevTools counts modifiers


class BrowserError(Exception):
    """Says what Chromium did not do, or what a script threw."""


def find_browser():
    """Returns the path of Chromium, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """A running Chromium. events is what it told so far: (session, method, params)."""

    def __init__(self, path=None):
        path = path or find_browser()
        if not path:
            raise BrowserError("no Chromium")
        build = os.path.abspath(os.environ.get("B", "build"))
        os.makedirs(build, exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix="browser-", dir=build)
        self.process, self.pipes = None, []
        self.buffer, self.count, self.events = b"", 0, []
        try:
            self.start(path)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, path):
        """Starts Chromium; where its sandbox does not work, as in many containers, without that."""
        attempts = (["--no-sandbox"],) if os.getuid() == 0 else ([], ["--no-sandbox"])
        for more in attempts:
            self.spawn([path, *FLAGS, *more, f"--user-data-dir={self.folder}/profile", "about:blank"])
            try:
                self.version = self.call("Browser.getVersion")["product"]
                return
            except BrowserError:
                if more is attempts[-1]:
                    raise
                self.end()

    def spawn(self, argv):
        """Starts argv, with the ends of two pipes as its file descriptors 3 and 4."""
        theirs, ours = zip(*(pair if n == 0 else pair[::-1] for n, pair in enumerate((os.pipe(), os.pipe()))))
        self.pipes = list(ours)

        def connect():
            # The numbers 3 and 4 may be those of the pipes, in the other order.
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in theirs]
            for number, fd in zip((3, 4), high):
                os.dup2(fd, number)

        try:
            with open(f"{self.folder}/log", "wb") as log:
                self.process = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    pass_fds=(3, 4), preexec_fn=connect, env={**os.environ, "HOME": self.folder})
        finally:
            for fd in theirs:
                os.close(fd)

    def end(self):
        """Ends Chromium and its process group."""
        for fd in self.pipes:
            os.close(fd)
        self.pipes, self.buffer = [], b""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            self.process = None

    def close(self):
        """Ends Chromium and removes its folder."""
        self.end()
        for _ in range(20):  # helpers of Chromium may still write
            shutil.rmtree(self.folder, ignore_errors=True)
            if not os.path.exists(self.folder):
                break
            time.sleep(0.1)

    def fail(self, what):
        """Raises BrowserError: what, and the end of Chromium's log."""
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            raise BrowserError(f"Chromium: {what}\n" + file.read()[-1000:])

    def send(self, method, params, session):
        """Sends a command. Returns its number."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        data = json.dumps({**message, "sessionId": session} if session else message).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self.pipes[0], data):]
        except BrokenPipeError:
            self.fail("it has ended")
        return self.count

    def receive(self, deadline, what):
        """Returns the next message, before time.monotonic() is deadline."""
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.pipes[1]], [], [], left)[0]:
                self.fail(f"no answer in time: {what}")
            data = os.read(self.pipes[1], 1 << 20)
            if not data:
                self.fail(f"it has ended during {what}")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        """Keeps message, an event. A dialog is closed, since scripts wait for that."""
        session, method = message.get("sessionId"), message["method"]
        self.events.append((session, method, message["params"]))
        if method == "Page.javascriptDialogOpening":
            self.send("Page.handleJavaScriptDialog", {"accept": True}, session)

    def call(self, method, params=None, session=None, limit=LIMIT):
        """Sends a command and returns its result."""
        number, deadline = self.send(method, params or {}, session), time.monotonic() + limit
        while True:
            message = self.receive(deadline, method)
            if "method" in message:
                self.note(message)
            elif message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']['message']}")
                return message["result"]

    def wait(self, session, loader, limit=LIMIT):
        """Waits until the document that DevTools calls loader is loaded in session."""
        deadline, seen = time.monotonic() + limit, 0
        while True:
            for own, name, params in self.events[seen:]:
                if own == session and name == "Inspector.targetCrashed":
                    self.fail("the page has crashed")
                if own == session and params.get("loaderId") == loader and params.get("name") == "load":
                    return
            seen = len(self.events)
            message = self.receive(deadline, "a page to load")
            if "method" in message:
                self.note(message)

    def open(self, url, before="", **size):
        """Opens url in a new tab, of a size as Tab.size() has it, and waits until it is loaded. The script
        `before` runs before the page's own. Returns the tab."""
        tab = Tab(self, url)
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        if size:
            tab.size(**size)
        tab.go(url)
        return tab


class Tab:
    """A page that is open."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        self.target = browser.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = browser.call("Target.attachToTarget",
                                    {"targetId": self.target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Inspector"):
            self.call(domain + ".enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, **params):
        """Sends a command of DevTools to the page."""
        return self.browser.call(method, params, self.session)

    def go(self, url):
        """Goes to url, and waits until it is loaded."""
        done = self.call("Page.navigate", url=url)
        if "errorText" in done:
            raise BrowserError(f"{url[:80]}: {done['errorText']}")
        if "loaderId" in done:  # else only the part behind # is another one
            self.browser.wait(self.session, done["loaderId"])

    def close(self):
        """Closes the tab; what it told is still in the browser's log."""
        self.browser.call("Target.closeTarget", {"targetId": self.target})

    def evaluate(self, expression, *values):
        """Returns the value of expression, of a promise its result; with values, expression is a
        function, which is called with them. Raises BrowserError with what it throws."""
        if values:
            expression = f"({expression})(...{json.dumps(values)})"
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True,
                         userGesture=True)
        if "exceptionDetails" in done:
            raise BrowserError(exception_text(done["exceptionDetails"]))
        return done["result"].get("value")

    def wait(self, condition, limit=LIMIT):
        """Waits until condition, an expression, is true."""
        deadline = time.monotonic() + limit
        while not self.evaluate(f"new Promise((done) => setTimeout(() => done(Boolean({condition})), 20))"):
            if time.monotonic() > deadline:
                raise BrowserError(f"not in {limit} s: {condition}")

    def choose_file(self, selector, path):
        """Chooses the file at path in the field for a file that selector finds."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[os.path.abspath(path)])

    def nameless(self):
        """Returns the roles of the controls that have no name for those who do not see the page."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [node["role"]["value"] for node in nodes if not node.get("ignored")
                and node.get("role", {}).get("value") in CONTROLS
                and not node.get("name", {}).get("value", "").strip()]

    def press(self, *keys):
        """Presses keys, one after the other: a name of KEYS, with Shift+ before it, or a character."""
        for name in keys:
            key = name.removeprefix("Shift+")
            code, text = KEYS.get(key) or (ord(key.upper()), key)
            event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": SHIFT if key != name else 0,
                     "code": key if len(key) > 1 else ""}
            down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
            self.call("Input.dispatchKeyEvent", **event, **down)
            self.call("Input.dispatchKeyEvent", **event, type="keyUp")

    def size(self, width, height=800, mobile=False, dark=False):
        """Gives the page width times height pixels, mobile as on a phone, and the user's preference for
        dark or light."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=mobile)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, path):
        """Writes the whole page as a picture, PNG, to path. Returns its bytes."""
        box = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": box["width"], "height": min(box["height"], 16000), "scale": 1}
        done = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = base64.b64decode(done["data"])
        with open(path, "wb") as file:
            file.write(data)
        return data

    def log(self):
        """Returns what the page told so far: [(kind, text)]. Kinds are the levels of the console ("error",
        "warning", "log", …), "exception", "dialog" and "request": one for another file than the page."""
        found = []
        for session, method, params in self.browser.events:
            entry = log_entry(method, params, self.url) if session == self.session else None
            if entry:
                found.append(entry)
        return found


def exception_text(details):
    """Returns the text of details, what DevTools tells of an exception."""
    thrown = details.get("exception", {})
    return str(thrown.get("description") or thrown.get("value") or details["text"])


def log_entry(method, params, url):
    """Returns (kind, text) of an event as Tab.log() has it, or None. url is the page's address."""
    if method == "Runtime.exceptionThrown":
        return "exception", exception_text(params["exceptionDetails"])
    if method == "Runtime.consoleAPICalled":
        return params["type"], " ".join(str(a.get("value", a.get("description"))) for a in params["args"])
    if method == "Log.entryAdded":
        return params["entry"]["level"], params["entry"]["text"]
    if method == "Page.javascriptDialogOpening":
        return "dialog", params["message"]
    if method == "Network.requestWillBeSent":
        address = params["request"]["url"]
        return ("request", address) if address.partition("#")[0] != url.partition("#")[0] else None
    return None
