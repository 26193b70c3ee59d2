"""Headless Chromium, from Debian's packages chromium and chromium-driver, driven by selenium."""
import base64
import pathlib
import shutil

from selenium import webdriver
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stack import wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver") or shutil.which("chromedriver", path="/usr/lib/chromium")
DESKTOP, PHONE = (1440, 900), (360, 740)
# whether the dashboard is connected to its process
LIVE = "return document.getElementById('live').dataset.live === 'yes'"


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = CHROMIUM
        # the sandbox needs user namespaces, which containers lack; the browser opens only our own pages
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--hide-scrollbars",
                         "--disable-background-networking", "--no-first-run"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.size, self.media = DESKTOP, {}

    def close(self):
        self.driver.quit()

    def open(self, url, size=DESKTOP, **media):
        """`media`: features to emulate, such as prefers_color_scheme="dark"."""
        self.driver.get("about:blank")
        self.look(size, **media)
        self.errors()
        self.driver.get(url)

    def look(self, size=DESKTOP, **media):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False})
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, ident):
        return self.run("return document.getElementById(arguments[0]).textContent", ident)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def press(self, *keys):
        """Types into the focused element."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def tab(self):
        self.press(Keys.TAB)

    def errors(self):
        """The errors in the console since the last call; a violated content security policy counts too."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def errors_but_of(self, path):
        """The same without failed requests for `path`: a page whose process is gone asks in vain."""
        return [error for error in self.errors() if not (f"/{path} - Failed to load resource: net::ERR_" in error)]

    def until(self, what, script, seconds=20):
        """Waits until the script returns something true, and returns it. A node may not be there yet, or not any more
        for as long as it is drawn again."""
        missing = set()

        def answer():
            try:
                return self.run(script)
            except JavascriptException as error:
                if "Cannot read properties of null" not in error.msg:
                    raise
                missing.add(error.msg)
        try:
            return wait_for(what, answer, seconds, pause=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; {' '.join(missing)}") from None

    def picture(self, path, size=DESKTOP, whole=False, **media):
        """A PNG of the whole page or of the visible part."""
        self.look(size, **media)
        if whole:
            size = (size[0], self.run("return document.documentElement.scrollHeight"))
            self.look(size, **media)
        # two frames: the first one draws what depends on the size
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(() => "
                                         "setTimeout(arguments[0], 600)))")
        answer = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))
