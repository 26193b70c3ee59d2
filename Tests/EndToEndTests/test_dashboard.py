"""The dashboard in Chromium, with states of a stand-in: what it shows, says and survives."""
import datetime
import re

import pytest
from selenium.webdriver.common.keys import Keys

import browser as browser_module
import fake_operations
from browser import LIVE, PHONE

EVIL = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>\"'&" + "x" * 200


# what reaches beyond the window and is not in a part that scrolls by itself
WIDE = """
return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && !e.closest('.scroll, .out')
  && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 150));
"""


@pytest.fixture
def page(chromium):
    """page(state, size, ...) -> the stand-in, with the page open and live (but for `nothing`, which never says
    anything)."""
    started = []

    def open_(state="following", size=browser_module.DESKTOP, still=False, **media):
        fake = fake_operations.FakeOperations(state, still=still)
        started.append(fake)
        chromium.open(fake.url, size, **media)
        if state == "nothing":
            chromium.until("the stream", "return document.getElementById('foot').textContent.includes('No figures')")
        else:
            chromium.until("the first status", LIVE)
            chromium.until("its drawing", "return document.getElementById('name').textContent !== 'Crossfade'")
        return fake
    yield open_
    chromium.run("try { localStorage.clear() } catch {}")
    for fake in started:
        fake.close()


def test_values_move_lag_reaches_0_and_phases_advance(page, chromium):
    fake = page("replaying")
    now = "return document.querySelector('.step[aria-current=step] span').textContent"
    chromium.until("the phase", now + " === 'replaying'")
    read = chromium.text("rate-under")
    drawn = chromium.run("return document.querySelector('#chart-lag path:not(.area)').getAttribute('d')")
    assert drawn.count("L") > 200, "the history is not drawn"
    # what is done between two statuses is counted, and the charts go on
    chromium.until("a next point",
                   f"return document.querySelector('#chart-lag path:not(.area)').getAttribute('d') !== {drawn!r}")
    chromium.until("more records", f"return document.getElementById('rate-under').textContent !== {read!r}")
    for total in (900_000, 31_000, 0):
        fake.lag(total)
        said = f"{fake.status['lag']:,}"
        chromium.until(f"lag {said}", f"return document.getElementById('lag').textContent === {said!r}")
    assert chromium.text("lag-under") == (
        "level with the end of the topic, in the 4 of 6 partitions that this process reads")
    fake.change(phase="following", command="follow", switch={"ready": True, "reasons": []})
    chromium.until("the next phase", now + " === 'following'")
    chromium.until("the switch", "return document.getElementById('switch').textContent === 'yes'")
    steps = chromium.run("return [...document.querySelectorAll('.step')].map(s => s.dataset.state)")
    assert steps == ["done"] * 5 + ["now"]
    assert "Phase: following." in chromium.text("speak")
    fake.change(phase="stopping")
    chromium.until("that it drains",
                   "return document.querySelector('.step[aria-current=step]').innerText.endsWith('stopping')")
    assert chromium.run(now) == "following", "where it is was forgotten"
    fake.change(phase="replay_interrupted")
    chromium.until("the step", now + " === 'replaying'")
    assert chromium.run("return document.querySelector('.step[aria-current=step] small').textContent") == "interrupted"
    assert chromium.run("return document.title").startswith("lag 0 · incidents")
    assert chromium.errors() == []


def test_where_the_readers_are_and_whether_they_could_go_back(page, chromium):
    fake = page("following")
    assert chromium.text("h-switch") == "Ready to switch" and chromium.text("switch") == "yes"
    assert chromium.text("old-indexer") == "Old indexer (group incident-indexer): 12 records behind."
    moved = {"position": "rolled_over", "aliases": ["incidents"], "old_indexer": {"group": "g", "lag": None},
             "rollback": {"ready": False, "reasons": ["the old index incidents-v1 is closed"]}}
    fake.change(readers=moved)
    chromium.until("the readers", "return document.getElementById('switch').textContent === 'on the new side'")
    assert chromium.text("h-switch") == "Readers"
    assert chromium.text("rollback") == ("Moved: incidents. Rollback ready: no, because the old index incidents-v1 is "
                                         "closed.")
    assert chromium.text("old-indexer") == "Old indexer (group g): how far behind is not known."
    fake.change(readers={**moved, "position": "rolled_back", "aliases": [], "rollback": None})
    chromium.until("the way back", "return document.getElementById('h-switch').textContent === 'Ready to switch'")
    assert chromium.text("rollback") == "Readers are back on the old side."
    assert chromium.errors() == []


def test_a_topic_that_is_away_and_the_last_stop_are_shown(page, chromium):
    fake = page("following", still=True)
    then = datetime.datetime.fromtimestamp(fake.status["now"] / 1000 - 720, datetime.timezone.utc)
    bars = "return [...document.querySelectorAll('#alarms .bar')].map(b => b.innerText.replaceAll('\\n', ' | '))"
    assert chromium.run(bars) == []
    fake.change(log={"answers": False, "trouble": "no broker answers"}, last_stop={
        "time": then.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "what": "follow_stopped",
        "host": "search-ops-2", "user": "u",
        "fingerprint": "f", "detail": "id <b>7</b> has commands in two partitions"})
    chromium.until("both", "return document.querySelectorAll('#alarms .bar').length === 2")
    log, stop = chromium.run(bars)
    assert log.startswith("LOG") and "the command topic could not be looked at: no broker answers" in log, log
    assert "follow_stopped on search-ops-2: id <b>7</b> has commands in two partitions" in stop, stop
    assert stop.startswith("STOPPED") and stop.endswith("12 min ago"), stop
    # what is waited for says the same
    fake.change(waiting="no broker answers", last_stop=None)
    chromium.until("one", "return document.querySelectorAll('#alarms .bar').length === 1")
    assert "WAITING" in chromium.run(bars)[0]
    assert chromium.errors() == []


def test_a_cut_stream_is_said_and_comes_back(page, chromium):
    fake = page("following")
    fake.cut()
    said = chromium.until("the cut", "return document.getElementById('cut').textContent")
    assert re.match(r"Disconnected since \d\d:\d\d:\d\dShowing what was last known, of \d\d:\d\d:\d\d\.", said)
    assert chromium.text("live-text") == "disconnected" and chromium.text("lag") == "0"
    assert chromium.run("return document.body.dataset.cut") == "yes"
    assert chromium.text("ready") == "This process was ready.", "what was last known reads as if it were so now"
    assert re.match(r"at \d\d:\d\d:\d\d", chromium.text("chart-rate").removeprefix("Records per second"))
    fake.change(lag=77)
    asked = fake.asked.count("/history")
    fake.restore()
    chromium.until("the return", LIVE)
    chromium.until("new figures", "return document.getElementById('lag').textContent === '77'")
    assert chromium.text("ready") == "This process is ready."
    assert chromium.text("cut") == "" and chromium.run("return document.body.dataset.cut") == "no"
    browser_module.wait_for("the history of the time between", lambda: fake.asked.count("/history") > asked)
    assert all("/events" in error and "503" in error for error in chromium.errors())


EMPTY = ("return ['lag', 'rate', 'bulk']"
         ".map((name) => document.querySelector(`#chart-${name} .empty`)?.textContent ?? null)")


def test_right_after_a_start(page, chromium):
    """One of everything, so that every plural shows; and no chart of one dot."""
    fake = page("started", still=True)
    chromium.until("the charts",
                   f"return ({EMPTY.removeprefix('return ')}).every((text) => text === 'waiting for data')")
    assert chromium.run("return document.querySelectorAll('.chart circle, .chart:not(.hist) path').length") == 0
    assert chromium.text("so-far") == "less than 1 min of data so far"
    assert chromium.text("lag-under") == "record behind the topic's end, 8 s behind", "not as in the reasons beside it"
    assert "1 partition" in chromium.text("foot")
    fake.change(copy={"expected": 1, "returned": 1, "slices": 1, "slices_done": 1, "finished": False})
    chromium.until("the copy",
                   "return document.getElementById('copy-under').textContent === '1 of 1 document, 1 of 1 slice'")
    shown = chromium.run("return document.body.innerText")
    assert re.findall(r"(?<![\d.,])1 (?:record|request|partition|document|slice|letter)s\b", shown) == []
    fake.is_still = False
    chromium.until("two points", EMPTY + "[0] === null")


def test_figures_of_one_thing_say_which_they_are(page, chromium):
    fake = page("started", still=True)
    assert chromium.text("h-unresolved") == "Dead letters unresolved in the topic: 3"
    assert chromium.text("unresolved") == "not_json2mapper_parsing_exception1"
    assert chromium.text("h-dead") == "Dead letters written by this process: 1"
    assert chromium.text("dead") == "not_json1" and chromium.text("dead-topic") == "incident-commands-dead"
    assert chromium.text("outcomes-sum") == "1 record by this process"
    assert chromium.text("rate-under").startswith("mean of the last 5 s, ")
    assert "in the last second" in chromium.text("chart-rate")
    # only a follower looks the topic up
    fake.change(dead_letters={**fake.status["dead_letters"], "unresolved": None, "unresolved_by_reason": None})
    chromium.until("one figure only",
                   "return document.getElementById('h-unresolved').hidden && "
                   "document.getElementById('unresolved').hidden")


def test_time_without_data_is_not_claimed(page, chromium):
    page("replaying")
    chromium.until("the history", "return document.getElementById('so-far').textContent === '4 min of data so far'")
    assert ", last 4 min: " in chromium.run("return document.querySelector('#chart-rate "
                                            "svg').getAttribute('aria-label')")
    chromium.find("[data-minutes='1']").click()
    chromium.until("all of it", "return document.getElementById('so-far').textContent === ''")


@pytest.mark.parametrize("size", [PHONE, browser_module.DESKTOP])
def test_both_clusters_begin_at_one_height(page, chromium, size):
    fake = page("following", size)
    fake.change(source={**fake.status["source"],
                        "name": "a cluster with a long name that needs several lines of a telephone, and of a desk, "
                                "too"})
    chromium.until("the name", "return document.getElementById('source-where').textContent.startsWith('a cluster')")
    assert chromium.run("const top = (id) => document.getElementById(id).getBoundingClientRect().top; return "
                        "top('source') - top('target')") == 0


def test_a_server_that_goes_away_and_comes_back_at_its_port(page, chromium):
    fake = page("following")
    port = int(fake.url.split(":")[-1].strip("/"))
    fake.close()
    chromium.until("the cut", "return document.getElementById('cut').textContent.startsWith('Disconnected since')")
    again = fake_operations.FakeOperations("replaying", port)
    try:
        chromium.until("the return, with another process's figures", LIVE)
        chromium.until("its phase",
                       "return document.querySelector('.step[aria-current=step] span').textContent === 'replaying'")
        # the points of the process before are gone: the scale is the new one's
        chromium.until("its history",
                       "return document.querySelector('#chart-lag "
                       "path:not(.area)').getAttribute('d').split('L').length < 400")
    finally:
        again.close()
    chromium.errors()


def test_waiting_and_alarms_are_loud_and_said_once(page, chromium):
    fake = page("waiting")
    bar = chromium.until("WAITING", "return document.querySelector('.bar.waiting')?.textContent")
    assert bar.startswith("WAITINGthe target http://127.0.0.1:9202 does not answer") and "for " in bar
    assert chromium.text("lag") == "unknown" and chromium.text("rate") == "0"
    aloud = chromium.text("shout")
    assert "WAITING" in aloud and "for " not in aloud, "a text that changes each second would be read out each second"
    fake.change(waiting=None, alarms=[{"name": "stale writes", "text": "somebody else writes"}])
    chromium.until("the alarm",
                   "return document.querySelector('.bar.alarm')?.textContent === 'ALARM stale writessomebody else "
                   "writes'")
    assert chromium.run("return document.querySelector('.bar.waiting')") is None
    fake.change(alarms=[])
    chromium.until("silence", "return document.getElementById('alarms').children.length === 0")
    assert chromium.errors() == []


def test_a_verification_shows_how_far_both_sides_are(page, chromium):
    fake = page("verifying")
    assert chromium.text("verify") == "66.5 %", "as far as the slower side"
    assert "old side: 1,204,113 of 1,811,402, 29,140/s" in chromium.text("verify-parts")
    assert chromium.text("verify-under") == "comparing, about 21 s left"
    fake.change(verification={"stage": "one by one", "seconds_left": None, "waiting": "Crossfade stands at offset 7",
                              "parts": [{"name": "30 still settling; documents", "done": 70, "total": 100,
                                         "per_second": 0}]})
    chromium.until("the next stage", "return document.getElementById('verify').textContent === '70 %'")
    assert chromium.text("verify-under") == "one by one, waiting: Crossfade stands at offset 7"
    # its own page has nothing else to say
    fake.change(command="verify", lag=None)
    chromium.until("its own page", "return document.querySelector('[aria-labelledby=h-outcomes]').hidden")
    assert not chromium.run("return document.getElementById('verify-card').hidden")
    fake.change(verification=None, command="follow")
    chromium.until("no card", "return document.getElementById('verify-card').hidden")


def test_what_is_not_known_is_said_to_be_unknown(page, chromium):
    page("unknown")
    chromium.until("the status", "return document.getElementById('switch').textContent === 'no'")
    for ident in ("lag", "rate", "target", "memory-read", "outcomes-sum"):
        assert chromium.text(ident) == "unknown"
    assert chromium.run("return [...document.querySelectorAll('#outcomes dd:nth-of-type(odd)')].map(d => "
                        "d.textContent)") == ["unknown"] * 8
    chromium.until("points without a lag",
                   "return document.querySelector('#chart-lag .empty').textContent === 'unknown in this time'")
    assert not re.search(r"\b(NaN|undefined|null|Infinity)\b", chromium.run("return document.body.innerText"))
    assert chromium.errors() == []


@pytest.mark.parametrize("state", fake_operations.STATES)
def test_no_state_needs_scrolling_sideways(page, chromium, state):
    page(state)
    for width in (320, 360, 820, 1440, 2560):
        chromium.look((width, 740))
        # the charts are drawn anew in the frame after the one that has the new width
        chromium.until(f"charts for {width} px", f"""
            const chart = document.querySelector('#chart-rate .chart');
            return innerWidth === {width} && chart.firstElementChild.viewBox.baseVal.width === chart.clientWidth""")
        assert chromium.run("return document.documentElement.scrollWidth") == width
        assert chromium.run(WIDE) == [], f"at {width} px"
    assert chromium.errors() == []


def test_the_theme_follows_the_system_and_the_choice_is_kept(page, chromium):
    fake = page("following", prefers_color_scheme="light")
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = chromium.run(colour)
    chromium.look(prefers_color_scheme="dark")
    dark = chromium.until("dark",
                          f"const c = getComputedStyle(document.body).backgroundColor; return c !== {light!r} && c")
    chromium.find("[data-set=light]").click()
    assert chromium.run(colour) == light
    chromium.open(fake.url, prefers_color_scheme="dark")
    chromium.until("the first status", LIVE)
    assert chromium.run(colour) == light, "the choice was not kept"
    chromium.find("[data-set=auto]").click()
    assert chromium.run(colour) == dark
    assert chromium.run("return document.querySelector('[data-set=auto]').getAttribute('aria-pressed')") == "true"


CONTRAST = """
const style = getComputedStyle(document.documentElement);
const light = (name) => {
  const rgb = style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((h) => parseInt(h, 16) / 255);
  const [r, g, b] = rgb.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return arguments[0].map(([ink, paper]) => {
  const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
});
"""
TEXT = [("--ink", "--panel"), ("--ink", "--page"), ("--ink", "--well"), ("--soft", "--panel"), ("--soft", "--page"),
        ("--old", "--panel"), ("--new", "--panel"),
        ("--good", "--panel"), ("--lag", "--panel"), ("--dead", "--page"), ("--page", "--ink"),
        ("--warn-ink", "--warn-page"),
        ("--alarm-ink", "--alarm-page"), ("--cut-ink", "--cut-page")]
SHAPES = [(name, "--panel") for name in (
    "--rate", "--bulk", "--bulk2", "--memory", "--indexed", "--merged", "--deleted", "--stale", "--superseded",
    "--skipped", "--dead", "--focus")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(page, chromium, theme):
    """WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for text, 3 for shapes that mean something."""
    page("following", prefers_color_scheme=theme)
    low = [(pair, round(found, 2)) for least, pairs in ((4.5, TEXT), (3, SHAPES))
           for pair, found in zip(pairs, chromium.run(CONTRAST, pairs)) if found < least]
    assert low == []


def test_everything_is_reached_by_keyboard_and_charts_are_read_by_it(page, chromium):
    page("replaying")
    wanted = chromium.run("""
        window.wanted = [...document.querySelectorAll('button, summary, .chart[tabindex], a[href], main .scroll')]
            .filter((e) => e.checkVisibility());
        return window.wanted.length""")
    seen = set()
    chromium.run("document.activeElement.blur()")
    for _ in range(wanted + 10):
        chromium.tab()
        at = chromium.run("const e = document.activeElement; return [window.wanted.indexOf(e), e === document.body || "
                          "getComputedStyle(e).outlineStyle !== 'none']")
        assert at[1], "the focus cannot be seen"
        seen.add(at[0])
    assert seen >= set(range(wanted)), "not reached: " + str(chromium.run(
        "return arguments[0].map((i) => window.wanted[i].outerHTML.slice(0, 90))", sorted(set(range(wanted)) - seen)))
    chromium.run("document.querySelector('#chart-rate .chart').focus()")
    chromium.press(Keys.ARROW_LEFT)
    chromium.press(Keys.ARROW_LEFT)
    spoken = chromium.until("a value read", "return document.getElementById('speak').textContent")
    assert re.match(r"\d\d:\d\d:\d\d: records/s [\d,]+$", spoken)
    # all charts are drawn anew in the next frame
    chromium.until("the time read",
                   "return document.querySelector('#chart-lag .read').textContent.startsWith('at ')")
    chromium.press(Keys.ESCAPE)
    chromium.until("no cursor", "return document.querySelector('.cursor') === null")
    assert chromium.errors() == []


def test_hovering_reads_a_chart(page, chromium):
    page("replaying")
    box = chromium.find("#chart-lag .chart")
    browser_module.webdriver.ActionChains(chromium.driver).move_to_element(box).perform()
    chromium.until("all charts at one time",
                   "return [...document.querySelectorAll('.chart:not(.hist)')].every((c) => "
                   "c.querySelector('.cursor'))")
    assert chromium.run("return document.querySelector('#chart-lag .read b').textContent") != chromium.text("lag")


def test_a_screen_reader_finds_its_way(page, chromium):
    page("alarm")
    assert chromium.run("return ['header', 'main', 'footer', 'h1'].map((tag) => "
                        "document.querySelectorAll(tag).length)") == [1, 1, 1, 1]
    unnamed = chromium.run("""
        const named = (e) => e.getAttribute('aria-label') || e.textContent.trim()
            || document.getElementById(e.getAttribute('aria-labelledby'))?.textContent;
        const shown = 'svg[role=img], [role=img], button, section, summary, [role=region], [role=group]';
        return [...document.querySelectorAll(shown)]
          .filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML.slice(0, 120))""")
    assert unnamed == []
    silent = chromium.run("return [...document.querySelectorAll('svg')].filter((e) => !e.getAttribute('aria-label') && "
                          "e.getAttribute('aria-hidden') !== 'true').length")
    assert silent == 0
    label = chromium.run("return document.querySelector('#chart-rate svg').getAttribute('aria-label')")
    assert re.match(r"Records per second, last 15 min: records/s now [\d,]+, lowest [\d,]+, highest [\d,]+\.$", label)
    # what a chart draws is there as a table, too, on request
    chromium.find("#chart-bulk summary").click()
    chromium.until("the table", "return document.querySelectorAll('#chart-bulk tbody tr').length >= 30")
    heads = chromium.run("return [...document.querySelectorAll('#chart-bulk th')].map((t) => t.scope + t.textContent)")
    assert heads == ["colTime", "colp99", "colp50"]


def test_nothing_moves_for_those_who_asked_for_that(page, chromium):
    page("following", prefers_reduced_motion="no-preference")
    assert chromium.run("return document.getAnimations().length") > 0
    chromium.look(prefers_reduced_motion="reduce")
    chromium.until("rest", "return document.getAnimations().length === 0")


def test_text_from_outside_stays_text(page, chromium):
    fake = page("alarm", PHONE)
    status = fake.status
    fake.change(
        migration=EVIL, phase=EVIL, waiting=EVIL, next=[EVIL], fingerprint=EVIL, alarms=[{"name": EVIL, "text": EVIL}],
        source={key: EVIL for key in ("product", "version", "name", "url")}, switch={"ready": False, "reasons": [EVIL]},
        ready={"ready": False, "reasons": [EVIL]}, topic={"name": EVIL, "partitions": 6, "group": EVIL},
        members=[{**status["members"][0], "member": EVIL, "host": EVIL, "waiting": EVIL}],
        indices=[{**status["indices"][0], "index": EVIL}],
        bulk={**status["bulk"], "retries": {EVIL: 3}, "requests": {EVIL: 2}},
        dead_letters={"topic": EVIL, "written": 1, "by_reason": {EVIL: 1}})
    chromium.until("the name", "return document.getElementById('name').textContent.startsWith('<img')")
    chromium.until("the command", "return document.querySelector('#next code').textContent.startsWith('<img')")
    assert chromium.run("return document.querySelectorAll('img, body script:not(:last-of-type)').length") == 0
    assert chromium.run("return document.title") != "owned"
    assert chromium.run(WIDE) == [], "a long word makes the page wide"
    assert chromium.errors() == []


def test_the_command_is_copied_whole(page, chromium):
    page("alarm")
    chromium.driver.execute_cdp_cmd("Browser.grantPermissions",
                                    {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    chromium.find("#next li:nth-child(2) button").click()
    chromium.until("the word", "return document.querySelector('#next li:nth-child(2) button').textContent === 'Copied'")
    copied = chromium.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], (e) => "
                                                  "arguments[0](String(e)))")
    assert copied == "crossfade dead-letters redrive incidents.yaml --reason mapper_parsing_exception"


def test_many_partitions_are_drawn_and_thousands_are_not(page, chromium):
    fake = page("many")
    chromium.until("64 charts", "return document.querySelectorAll('#cells li').length === 64")
    fake.status, _ = fake_operations.replaying(3000)
    chromium.until("the hindmost only",
                   "return document.getElementById('partitions-most').textContent.includes('the 64 with the most lag, "
                   "of 3000')")
    assert chromium.run("return document.querySelectorAll('#cells li').length") == 64
