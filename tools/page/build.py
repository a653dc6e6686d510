#!/usr/bin/env -S python3 -B
"""Puts the page together: build.py ENGINE.wasm MAPS OUTPUT FILE...

MAPS is the folder of the maps of real machines, with its INDEX.md. FILEs are one .html, and .css and
.js in the order in which they go into its <style> and <script>.
"""
import base64
import glob
import json
import os
import sys


def read(name):
    """Returns the text of a file."""
    with open(name, encoding="utf-8") as file:
        return file.read()


def titles(maps):
    """Returns {file: title} from the table in INDEX.md of the folder maps: a machine, and what is odd."""
    found = {}
    for line in read(os.path.join(maps, "INDEX.md")).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if cells[0].endswith(".map"):
            found[cells[0]] = cells[1] if cells[-1] == "nothing odd" else f"{cells[1]}: {cells[-1]}"
    return found


def machines(maps):
    """Returns the maps of real machines as the page has them, in the order of their names."""
    title = titles(maps)
    names = sorted(os.path.basename(name) for name in glob.glob(os.path.join(maps, "*.map")))
    return [{"name": name.removesuffix(".map"), "title": title[name], "text": read(os.path.join(maps, name))}
            for name in names]


def script_safe(value):
    """Returns value as JSON that may stand within <script>."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def main():
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        return 2
    engine, maps, output, *files = sys.argv[1:]
    texts = {kind: [read(name) for name in files if name.endswith("." + kind)] for kind in ("html", "css", "js")}
    with open(engine, "rb") as file:
        code = base64.b64encode(file.read()).decode()
    script = "\n".join(['"use strict";', "(() => {", f"const ENGINE_BASE64 = {script_safe(code)};",
                        f"const MACHINES = {script_safe(machines(maps))};", *texts["js"], "})();"])
    page, = texts["html"]
    for mark, text in (("<!-- STYLE -->", f"<style>\n{''.join(texts['css'])}</style>"),
                       ("<!-- SCRIPT -->", f"<script>\n{script}\n</script>")):
        if page.count(mark) != 1 or "</script" in script or "</style" in "".join(texts["css"]):
            print(f"build.py: the page must have {mark} once, and no text may end it early", file=sys.stderr)
            return 1
        page = page.replace(mark, text)
    with open(output, "w", encoding="utf-8") as file:
        file.write(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
