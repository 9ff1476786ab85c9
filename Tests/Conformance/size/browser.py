# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Headless Chromium, by the DevTools protocol over two pipes."""

import base64
import json
import os
import subprocess
import tempfile


class Browser:
    """One page of a browser without scripts and without a network."""

    def __init__(self, program, log):
        """log: a file for what the browser prints."""
        self.profile = tempfile.TemporaryDirectory()
        ours, theirs_out = os.pipe()
        theirs_in, self.write_end = os.pipe()
        self.read_end = os.fdopen(ours, "rb")

        def prepare():
            # What the browser reads is 3, what it writes is 4.
            read_copy, write_copy = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(read_copy, 3)
            os.dup2(write_copy, 4)

        words = [
            program, "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
            "--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={self.profile.name}", "about:blank",
        ]
        if os.geteuid() == 0:
            words.insert(1, "--no-sandbox")
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, preexec_fn=prepare
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.number = 0
        self.session = None
        self.events = []
        page = next(t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(domain + ".enable")
        self.send("Emulation.setScriptExecutionDisabled", value=True)
        self.send(
            "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def read(self):
        text = bytearray()
        while (byte := self.read_end.read(1)) != b"\0":
            if not byte:
                raise EOFError("the browser ended")
            text += byte
        return json.loads(text)

    def send(self, method, **parameters):
        """The answer to a command; what happens meanwhile is in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_end, data) :]
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        """Shows the file, until it is loaded."""
        self.events.clear()
        self.send("Page.navigate", url="file://" + path)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.read())

    def look(self, width, height, scheme):
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def evaluate(self, expression):
        """What a script of ours finds out; those of the page stay off."""
        self.send("Emulation.setScriptExecutionDisabled", value=False)
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        self.send("Emulation.setScriptExecutionDisabled", value=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"]["value"]

    def requests(self):
        """URLs that were asked for since the page was opened."""
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        found = [e["params"]["entry"]["text"] for e in self.events if e.get("method") == "Log.entryAdded"]
        return found + [e for e in self.events if e.get("method") == "Runtime.exceptionThrown"]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.profile.cleanup()
