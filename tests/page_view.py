#!/usr/bin/env -S python3 -B
"""Tests what the page shows and how it is used, in headless Chromium: a mouse's and a keyboard's way
through it, addresses, four looks. TAP. tests/page.py tests what it computes."""
import base64
import html.parser
import json
import os
import re
import sys
import urllib.parse

from browser import Browser, BrowserError, find_browser
from map_inputs import read
from page import BUILD, MACHINES, PAGE, REPLAY, URL, WORK, complaints, native, skip
from replay import BAD
from tap import Tap

SCREENS = os.path.join(BUILD, "page", "screens")
LOG = "tests/maps/linux-6-whole-start.txt"
TWO_MAPS = "tests/maps/two-boots-in-one-log.txt"
EVIL = "<img src=x onerror=globalThis.hacked=1>"
MACHINE = "bochs-2g"
MAP = "tests/e820/%s.map"

# The part of an address behind #, and whether the page must say what is wrong with it; else it may show a
# map instead.
ADDRESSES = (
    ("machine=none", True), ("machine=", True), ("map=garbage", True), ("map=", True), ("map=%00", True),
    (f"map={'9' * 10000}", True), ("map=" + "0.1p-" * 2000, True), ("9" * 10000, True), ("%00", True), ("%", True),
    ("%ff%fe", True), ("=", True), ("machine=%E0%A4%A", True), (f"machine={urllib.parse.quote(EVIL)}", True),
    (f"map={urllib.parse.quote(EVIL)}", True), (f"machine={MACHINE}&steps=zz", True),
    (f"machine={MACHINE}&steps=a0_a99", True), (f"machine={MACHINE}&steps=a0_%00", True),
    (f"machine={MACHINE}&steps={urllib.parse.quote(EVIL)}", True), (f"machine={MACHINE}&steps=" + "a0_" * 3333, False),
    (f"machine={MACHINE}&steps=a0&step=999999", False), (f"machine={MACHINE}&steps=a0&step=-1", False),
    (f"machine={MACHINE}&steps=a0&step=x", False), (f"machine={MACHINE}&at=-1", False),
    (f"machine={MACHINE}&at=0xfffffffffffffffff", False), (f"machine={MACHINE}&at=%00", False),
    (f"machine={MACHINE}&other=1&__proto__=2&constructor=3", False), ("", False), ("&&", False),
    ("map=.9fcs-100000.7ffp.1", False),
)


def files_of(text):
    """Returns what a page, text, would load: the values of attributes and of CSS's url()."""
    found = []

    class Reader(html.parser.HTMLParser):
        """Notes what tags refer to."""
        def handle_starttag(self, tag, attrs):
            found.extend(f"{tag} {name}={value}" for name, value in attrs
                         if name in ("src", "srcset", "href", "action", "data", "poster", "background", "xlink:href")
                         and not (value or "").startswith(("#", "data:")))
            if tag in ("base", "iframe", "object", "embed"):
                found.append(tag)

        def error(self, message):
            """Exists in Python 3.9 and older as a demand."""
            found.append(message)

    Reader().feed(text)
    styles = "".join(re.findall(r"(?s)<style>(.*?)</style>", text))
    return found + [url for url in re.findall(r"url\(([^)]*)\)|@import", styles) if "data:" not in url]


def check_file(tap, _browser):
    """Checks that the page is one file, which asks for no other."""
    text = read(PAGE).decode()
    found = files_of(text)
    tap.check(not found, "the page refers to no other file", found)
    wrong = [bad for bad in ('<p src="x">', '<a href="http://x/">', "<style>a { b: url(x) }</style>", "<iframe>")
             if not files_of(bad)]
    tap.check(not wrong and not files_of('<a href="#x"><img src="data:,">'), "a reference would be found", wrong)
    print(f"# {PAGE}: {len(text.encode())} bytes")


def open_view(browser, address="", **options):
    """Opens the page with address behind #, and waits until it is at rest. Returns the tab."""
    tab = browser.open(f"{URL}#{address}" if address else URL, **options)
    with open("tests/page_view.js", encoding="utf-8") as file:
        tab.evaluate(file.read() + "0")
    rest(tab)
    return tab


def rest(tab):
    """Waits until the page is at rest."""
    tab.wait("view.isIdle()")


def do(tab, expression, *values):
    """Evaluates expression, which makes the page work, and waits until it is done."""
    tab.evaluate(expression, *values)
    rest(tab)


def shown_complaint(tab, out):
    """Returns None, or how what is shown of a map differs from out, replay's JSON for it."""
    answer, shown = json.loads(out), tab.evaluate("view.mapShown()")
    if tab.evaluate("view.errorText()"):
        return tab.evaluate("view.errorText()")
    if shown["json"] != out and shown["json"] != out.rstrip("\n"):
        return f"the JSON is not replay's: {str(shown['json'])[:200]}"
    if shown["corrections"] != len(answer["corrections"]) + len(answer["numa_corrections"]):
        return f"{shown['corrections']} corrections are shown"
    words = f"{len(answer['corrections'])} correction" if answer["corrections"] else "Nothing had to be corrected."
    if not shown["correctionWords"].startswith(words):
        return f"the words on corrections: {shown['correctionWords']}"
    if shown["zones"] != [zone["name"] for zone in answer["zones"]]:
        return f"zones are {shown['zones']}"
    return None if shown["pictures"] == 1 else f"{shown['pictures']} pictures"


def replay_json(text, *flags):
    """Returns what `replay --json` prints for text."""
    return native([REPLAY, "--json", *flags, "-"], text)[1]


def check_choices(tap, browser):
    """Checks the ways to choose a map."""
    tab = open_view(browser)
    tap.check(tab.evaluate("document.querySelectorAll('#machine option[value]:not([value=\"\"])').length")
              == len(MACHINES), "the list has all machines")
    wrong = None
    for name in MACHINES:
        do(tab, "(name) => view.setValue('machine', name)", os.path.basename(name)[:-4])
        bad = shown_complaint(tab, replay_json(read(name)))
        wrong = wrong or (bad and f"{name}: {bad}")
    tap.check(not wrong, "each machine of the list is shown as replay has it", wrong)
    log = read(LOG)
    do(tab, "(text) => { view.setValue('text', text); document.getElementById('show').click(); }", log.decode())
    wrong = shown_complaint(tab, replay_json(log))
    tap.check(not wrong, "a log that is pasted", wrong)
    do(tab, "(name) => view.setValue('machine', name)", MACHINE)
    do(tab, "(name, text) => view.drop(name, text)", "boot.log", log.decode())
    wrong = shown_complaint(tab, replay_json(log))
    tap.check(not wrong and "boot.log" in tab.evaluate("view.mapShown().heading"), "a file that is dropped", wrong)
    do(tab, "(name) => view.setValue('machine', name)", MACHINE)
    tab.choose_file("#file", TWO_MAPS)
    tab.wait("view.isIdle() && /two-boots/.test(view.mapShown().heading)")
    wrong = shown_complaint(tab, replay_json(read(TWO_MAPS)))
    tap.check(not wrong, "a file that is chosen", wrong)
    do(tab, "() => view.setValue('number', '1')", 0)
    wrong = shown_complaint(tab, replay_json(read(TWO_MAPS), "--map", "1"))
    tap.check(not wrong, "the other map of it", wrong)
    wrong = None
    for name, (text, _) in BAD.items():
        try:
            do(tab, "(text) => { view.setValue('text', text); document.getElementById('show').click(); }", text.decode())
        except UnicodeDecodeError:
            continue
        want, got = native([REPLAY, "--json", "-"], text)[2].strip(), tab.evaluate("view.errorText()").strip()
        shows = tab.evaluate("view.mapShown().json")
        if got != want or shows:
            wrong = wrong or f"{name}: {got!r}, replay says {want!r}"
    tap.check(not wrong, f"{len(BAD)} inputs that are refused show replay's words and no result", wrong)
    finish(tap, tab, "choosing a map")


def finish(tap, tab, what):
    """Checks that a page has not complained, and closes it."""
    bad = complaints(tab)
    tap.check(not bad and not tab.evaluate("globalThis.hacked"), f"{what}: no message on the console", bad)
    tab.close()


def check_copy(tap, browser):
    """Checks what is copied."""
    browser.call("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    tab = open_view(browser, f"machine={MACHINE}")
    wanted = {"JSON": replay_json(read(f"tests/e820/{MACHINE}.map")), "link": tab.evaluate("location.href")}
    for word, want in wanted.items():
        tab.evaluate("(word) => [...document.querySelectorAll('#result button')].find((b) => "
                     "b.textContent.includes('Copy') && b.textContent.includes(word)).focus()", word)
        tab.press("Enter")
        got = tab.evaluate("new Promise((done) => setTimeout(done, 300)).then(() => navigator.clipboard.readText())")
        tap.check(got.strip() == want.strip(), f"the {word} is copied", got[:300])
    finish(tap, tab, "copying")


def hash_of(tab):
    """Returns the words behind # in the address of the page: {key: text}."""
    return dict(urllib.parse.parse_qsl(tab.evaluate("location.hash").removeprefix("#"), keep_blank_values=True))


def cells_of(answer):
    """Returns the cells of the three pictures in answer, page_work's."""
    return [answer[level]["cells"] for level in ("block", "gib", "shelf")]


def session_complaint(tab):
    """Returns None, or how what is shown of the allocator differs from what page_work says of the session
    that the address names."""
    words, shown = hash_of(tab), tab.evaluate("view.allocatorShown()")
    steps = words.get("steps", "").split("_")[:int(words.get("step") or 0)]
    text = tab.evaluate("document.getElementById('allocator').textContent")
    frame = re.search("Shown is frame (0x[0-9a-f]+)", text)
    at = [frame[1]] if frame else ["no frame is named"]
    boots = (read(MAP % words["machine"]) if "machine" in words else
             tab.evaluate("document.querySelector('textarea').value").encode())
    status, out, err = native([WORK, "_".join(steps), *at], boots)
    if status or shown["error"]:
        return f"{words}: status {status} {err} {shown['error']}"
    answer = json.loads(out)
    if words.get("step") != "0" and shown["shown"]["story"] != [s.replace("`", "") for s in answer["story"]]:
        return f"{words}: the story is {shown['shown']['story']}, not {answer['story']}"
    want = cells_of(answer)
    if shown["shown"]["cells"] != want:
        return f"{words}: cells {shown['shown']['cells']}, not {want}"
    if not steps:
        return None
    before = cells_of(json.loads(native([WORK, "_".join(steps[:-1]), *at], boots)[1]))
    changed = [[a != b for a, b in zip(*pair)] for pair in zip(want, before)]
    marked = [["alloc-changed" in look for look in looks.split("|")] for looks in shown["shown"]["looks"]]
    return None if marked == changed else f"{words}: the cells that are outlined are not those that have changed"


def press_button(tab, text, limit=400):
    """Goes by Tab to the button of the allocator that says text, without its key, and presses Enter."""
    is_there = ("(text) => { const e = document.activeElement; return e.localName === 'button' && "
                "e.closest('#allocator') !== null && e.firstChild.textContent.trim() === text; }")
    for _ in range(limit):
        if tab.evaluate(is_there, text):
            tab.press("Enter")
            return
        tab.press("Tab")
    raise BrowserError(f"Tab does not come to {text}")


def check_allocator(tap, browser):
    """Checks a session at the allocator, by the keyboard alone."""
    tab = open_view(browser, f"machine={MACHINE}")
    views, wrong = [tab.evaluate("view.allocatorShown()")], None
    keys = ("Allocate", "Allocate", "Random ×10", "Free", "Allocate", "Drain", "Random ×100", "Free")
    for key in keys:
        press_button(tab, key)
        views.append(tab.evaluate("view.allocatorShown()"))
        wrong = wrong or session_complaint(tab)
    tap.check(not wrong, f"{len(keys)} buttons, by Tab and Enter: story and cells are page_work's", wrong)
    same = [key for key, one, two in zip(keys, views, views[1:]) if one["shown"] == two["shown"]]
    tap.check(not same and f"{len(keys)} of {len(keys)}" in views[-1]["step"],
              "each of them changes what is shown", same)
    address = tab.evaluate("location.href")
    for key, order in (("Back", range(len(keys) - 1, -1, -1)), ("Forward", range(1, len(keys) + 1))):
        wrong = None
        for number in order:
            press_button(tab, key)
            got = tab.evaluate("view.allocatorShown()")
            if got["shown"] != views[number]["shown"]:
                differ = [k for k, v in got["shown"].items() if v != views[number]["shown"][k]]
                wrong = wrong or f"step {number}: {differ}, {got['step']}"
            wrong = wrong or (number and session_complaint(tab))
        tap.check(not wrong, f"{key} shows exactly what was shown", wrong)
    tap.check(tab.evaluate("location.href") == address, "and the address is what it was",
              tab.evaluate("location.href"))
    tab.press("[", "[")
    address, want = tab.evaluate("location.href"), tab.evaluate("view.allocatorShown()")
    other = open_view(browser, address.partition("#")[2])
    got = other.evaluate("view.allocatorShown()")
    tap.check(f"{len(keys) - 2} of {len(keys)}" in want["step"] and got == want,
              "the address in a new tab shows the same state", f"{address}\n{got['step']}, {want['step']}")
    finish(tap, other, "an address")
    press_button(tab, "Allocate")
    tap.check(f"{len(keys) - 1} of {len(keys) - 1}" in tab.evaluate("view.allocatorShown().step"),
              "a step that is added after Back takes the place of those behind it", hash_of(tab))
    tab.evaluate("document.querySelectorAll('#allocator [role=listbox]')[1].focus()")
    tab.press("ArrowRight", "ArrowRight", "Enter")
    wrong = session_complaint(tab)
    tap.check(hash_of(tab).get("at") and not wrong, "a cell that is chosen by the keyboard is shown",
              wrong or hash_of(tab))
    finish(tap, tab, "the allocator")


def check_addresses(tap, browser):
    """Checks addresses that are wrong."""
    for address, must_say in ADDRESSES:
        tab = open_view(browser, address)
        words = tab.evaluate("view.errorText() + view.allocatorShown().error").strip()
        shown = tab.evaluate("view.mapShown().json")
        good = words or (shown and not must_say)
        bad = complaints(tab)
        tap.check(good and not bad and not tab.evaluate("globalThis.hacked || document.querySelector('main img')"),
                  f"an address: #{address[:60]}{'…' if len(address) > 60 else ''}",
                  f"{words}\n{str(shown)[:100]}\n{bad}")
        tab.close()


def check_examples(tap, browser):
    """Checks all examples on the smallest and on the largest machine."""
    def ram(name):
        return sum(int(m["size"], 16) for m in json.loads(replay_json(read(name)))["memory"])
    for what, name in (("smallest", min(MACHINES, key=ram)), ("largest", max(MACHINES, key=ram))):
        tab = open_view(browser, f"machine={os.path.basename(name)[:-4]}")
        titles = tab.evaluate("[...document.querySelectorAll('.alloc-examples button')].map((b) => b.textContent)")
        wrong = None if len(titles) > 3 else f"examples are {titles}"
        for title in titles:
            tab.evaluate("(text) => [...document.querySelectorAll('.alloc-examples button')]"
                         ".find((b) => b.textContent === text).click()", title)
            tab.wait(f"document.querySelector('.alloc-note')?.textContent.startsWith({json.dumps(title + '.')})")
            steps = hash_of(tab)["steps"].split("_")
            press_button(tab, "Start")
            for _ in steps:
                press_button(tab, "Forward")
                bad = session_complaint(tab)
                wrong = wrong or (bad and f"{title}: {bad}")
            wrong = wrong or (hash_of(tab)["step"] != str(len(steps)) and f"{title}: {hash_of(tab)}") or None
        tap.check(not wrong, f"{len(titles)} examples, each step, on the {what} machine, {os.path.basename(name)}",
                  wrong)
        finish(tap, tab, "the examples")
    check_own_machine(tap, browser)


def check_own_machine(tap, browser):
    """Checks the example that brings its machine along: there the node can be chosen."""
    tab = open_view(browser, f"machine={MACHINE}&steps=a0")
    seen, title = [], "Two NUMA nodes"
    for again in (False, True, True):  # from the second time on the machine is there already
        if again:
            press_button(tab, "Forward")
        press_button(tab, title)
        tab.wait(f"document.querySelector('.alloc-note')?.textContent.startsWith('{title}')")
        rest(tab)
        words = hash_of(tab)
        seen.append(("machine" in words, words.get("map"), words["steps"].split("_")[0], words["step"],
                     tab.evaluate("[...document.querySelectorAll('#allocator select')].find((s) => "
                                  "s.options[0].text === 'of the CPU').checkVisibility()")))
    own_map = re.search(r'\bmap: "(.*)"', read("tools/page/examples.js").decode())[1]
    want = (False, own_map, "a0.1", "1", True)
    tap.check(seen == [want] * 3, f"{title}: its machine, at its address, with a choice of the node", seen)
    do(tab, "history.back()")
    tab.wait(f"location.hash.includes('{MACHINE}')")
    rest(tab)
    note = tab.evaluate("document.querySelector('.alloc-note').textContent")
    tap.check(hash_of(tab).get("steps") == "a0" and not note, "Back goes to the machine before, and its steps",
              (hash_of(tab), note))
    finish(tap, tab, "an example's own machine")


def check_untrusted(tap, browser):
    """Checks that a log cannot bring code into the page."""
    tab = open_view(browser)
    good = read(LOG).decode()
    hidden = good.replace("\n", f"\n{EVIL}\n", 1).replace("usable\n", f"usable\n[    0.0] {EVIL}\n", 1)
    texts = (hidden, EVIL + "\n" + good, f"BIOS-e820: [mem 0x0-0xfff] {EVIL}\n", f"0 0x1000 {EVIL}\n", f"0 {EVIL} 1\n",
             f"{EVIL}\n", f"node {EVIL} 0 1\n", f"# {EVIL}\n0 0x9f000 1\n0x100000 0x7f00000 1\n",
             f"</script>{EVIL}\n" + good, f"e820: {EVIL} BIOS-e820: [mem 0x0-0x9fbff] usable\n" + good)
    read_some = 0
    for text in texts:
        do(tab, "(text) => { view.setValue('text', text); document.getElementById('show').click(); }", text)
        read_some += bool(tab.evaluate("view.mapShown().json"))
        do(tab, "(name, text) => view.drop(name, text)", EVIL + ".txt", text)
    tap.check(read_some >= 3 and not tab.evaluate("globalThis.hacked || document.querySelector('main img') !== null"),
              f"{len(texts)} logs with a script in them do not run it", read_some)
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<i onclick=globalThis.hacked=1></i>'); 0")
    tab.evaluate("document.body.lastElementChild.click()")
    tap.check(tab.evaluate("globalThis.hacked") == 1, "a script in the page's text would run, and would be seen")
    tab.evaluate("delete globalThis.hacked")
    finish(tap, tab, "logs with a script")


def tab_complaint(tab):
    """Returns None, or which controls Tab does not reach, or does not show as reached."""
    count = tab.evaluate("view.beginTabs()")
    reached, unseen = set(), set()
    for _ in range(count + 20):
        tab.press("Tab")
        place, seen = tab.evaluate("view.focused()")
        if place >= 0:
            reached.add(place)
            if not seen:
                unseen.add(place)
        if len(reached) == count:
            break
    lost = tab.evaluate("(places) => view.controlNames(places)", sorted(set(range(count)) - reached))
    blind = tab.evaluate("(places) => view.controlNames(places)", sorted(unseen))
    return f"not reached: {lost}\nreached, and one does not see it: {blind}" if lost or blind or not count else None


def check_looks(tap, browser):
    """Checks the page on a phone and on a screen, in dark and in light."""
    lights = {}
    address = "machine=msi-z270-gaming-pro&steps=a0_a3_a9_f1_r1_d&step=5"
    for width, mobile in ((360, True), (1200, False)):
        for dark in (False, True):
            name = f"{width}-{'dark' if dark else 'light'}"
            tab = open_view(browser, address, width=width, height=800, mobile=mobile, dark=dark)
            tap.check(not tab.evaluate("view.errorText() + view.allocatorShown().error"), f"{name}: is shown")
            wide = tab.evaluate("view.tooWide()")
            data = tab.screenshot(f"{SCREENS}/{name}.png")
            light, colours, *size = tab.evaluate("(data) => view.pictureOf(data)", base64.b64encode(data).decode())
            lights[name] = light
            tap.check(colours > 50 and width - 20 < size[0] <= width, f"{name}: a picture", f"{light} {colours} {size}")
            tab.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
            wide += tab.evaluate("view.tooWide()")
            tap.check(not wide, f"{name}: no scrolling to the side", wide)
            small = tab.evaluate("view.smallTexts(12)")
            tap.check(not small, f"{name}: no text of less than 12 pixels", "\n".join(small))
            faint = tab.evaluate("view.faintTexts(4.5)")
            tap.check(not faint, f"{name}: text has a contrast of 4.5 or more", "\n".join(faint))
            finish(tap, tab, name)
    good = all(lights[f"{w}-dark"] < 100 < 150 < lights[f"{w}-light"] for w in (360, 1200))
    tap.check(good, "dark is dark", lights)
    tab = open_view(browser, address)
    nameless = tab.nameless()
    tap.check(not nameless, "every control has a name", nameless)
    wrong = tab_complaint(tab)
    tap.check(not wrong, "Tab reaches every control, and one sees it", wrong)
    tab.evaluate("document.querySelector('button').style.outline = 'none'; "
                 "document.querySelector('h2').style.fontSize = '11px'; document.querySelector('h1').style.color = '#888'; "
                 "document.body.insertAdjacentHTML('beforeend', '<div style=\"width: 3000px\">x</div><button></button>"
                 "<p style=\"color: #777; background: #888\">faint</p>'); 0")
    found = [tab.evaluate("view.tooWide()"), tab.evaluate("view.smallTexts(12)"), tab.evaluate("view.faintTexts(4.5)"),
             tab.nameless(), tab_complaint(tab)]
    tap.check(all(found), "what is wrong would be found: wide, small, faint, without a name, unseen focus", found)
    tab.close()


def check_no_engine(tap, browser):
    """Checks the page in a browser that cannot run it."""
    for what, before in (("64-bit memory", "WebAssembly.validate = () => false; WebAssembly.Module = class { "
                          "constructor() { throw new WebAssembly.CompileError('no'); } }; "
                          "WebAssembly.Memory = class { constructor() { throw new TypeError('no'); } };"),
                         ("WebAssembly", "delete globalThis.WebAssembly;")):
        tab = browser.open(URL, before=before)
        problem = tab.evaluate("firstpage.problem")
        shown = tab.evaluate("document.body.innerText")
        bad = complaints(tab)
        tap.check(problem and problem in shown and not bad, f"without {what} the page says so", f"{problem}\n{bad}")
        tab.close()


def main():
    if not find_browser():
        return skip("no Chromium: its package is called chromium")
    tap = Tap()
    with Browser() as browser:
        print(f"# {browser.version}")
        with browser.open(URL) as tab:
            problem = tab.evaluate("firstpage.problem")
        if problem:
            return skip(f"{browser.version}: {problem}")
        checks = (check_file, check_choices, check_copy, check_allocator, check_addresses, check_examples,
                  check_untrusted, check_looks, check_no_engine)
        for check in checks:
            if any(word not in check.__name__ for word in sys.argv[1:]):
                continue
            try:
                check(tap, browser)
            except BrowserError as error:
                tap.check(False, check.__name__, error)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
