#!/usr/bin/env -S python3 -B
"""Tests what scripts/setup installs and asks for, with an apt-get that only writes down its calls. TAP."""
import os
import shutil
import subprocess
import sys
import tempfile

from tap import Tap

TOOLS = ("sh", "sed", "sort", "tr", "grep", "mkdir", "chmod", "env")
# Fails as FAILS says; else "installs" a command for each package. LOG gets the calls.
APT_GET = """#!/bin/sh
echo "$*" >>"$LOG"
for word in $*; do
	case " $FAILS " in *" $word "*) exit 100 ;; esac
done
for word in $*; do
	case $word in clang | chromium) name=$word ;; lld) name=wasm-ld ;; *) continue ;; esac
	echo "#!/bin/sh" >"${0%/*}/$name" && chmod +x "${0%/*}/$name"
done
"""
APT_CACHE = '#!/bin/sh\ncase " $LACKS " in *" $2 "*) exit 100 ;; esac\n'
LINE = "setup: the package chromium is missing; tests that need it are skipped\n"


class Machine:
    """A folder with the few commands that scripts/setup finds, and a user: 0 is root."""

    def __init__(self, folder, user=0, **env):
        self.folder, self.log = folder, os.path.join(folder, "log")
        for name in TOOLS:
            os.symlink(shutil.which(name), os.path.join(folder, name))
        for name, text in (("id", f"#!/bin/sh\necho {user}\n"), ("apt-get", APT_GET),
                           ("apt-cache", APT_CACHE)):
            self.add(name, text)
        self.env = {"PATH": folder, "B": folder, "LOG": self.log, **env}

    def add(self, name, text="#!/bin/sh\n"):
        """Adds the command name."""
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(os.path.join(self.folder, name), 0o755)

    def setup(self, *groups):
        """Runs scripts/setup. Returns (status, output, complaints, the last words of
        each call of apt-get)."""
        done = subprocess.run(["scripts/setup", *groups], env=self.env, capture_output=True, text=True,
                              timeout=30, check=False, stdin=subprocess.DEVNULL)
        calls = []
        if os.path.exists(self.log):
            with open(self.log, encoding="ascii") as file:
                calls = [line.split("--no-install-recommends ")[-1].strip() for line in file]
            os.unlink(self.log)
        return done.returncode, done.stdout, done.stderr, calls


def test_needed(tap):
    """Checks packages that a target needs."""
    with tempfile.TemporaryDirectory() as folder:
        lacks = Machine(folder)
        got = lacks.setup("page")
        tap.check(got[0] == 0 and got[3] == ["update -q", "clang lld"],
                  "root: what is missing is installed", got)
        got = lacks.setup("page")
        tap.check(got == (0, "", "", []), "and nothing is done the next time", got)
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder, FAILS="update").setup("page", "browser")
        tap.check(got[0] == 1 and got[3] == ["update -q"] and "still missing: clang lld\n" in got[2]
                  and not os.path.exists(f"{folder}/setup-tried"), "without a network it fails", got)
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder, user=1000).setup("page", "browser")
        tap.check(got[0] == 1 and got[2].endswith("--no-install-recommends clang lld chromium\n")
                  and not got[3], "without root: a line for root", got)
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder, user=1000, LACKS="chromium").setup("page", "browser")
        tap.check(got[0] == 1 and got[2].endswith("--no-install-recommends clang lld\n"),
                  "which leaves out what the distribution lacks", got)
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder).setup("pages")
        tap.check(got[0] == 2 and "no group 'pages'" in got[2] and "page, run" in got[2],
                  "a wrong group", got)


def test_optional(tap):
    """Checks a package that may be missing."""
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder).setup("page", "browser")
        tap.check(got[0] == 0 and got[3] == ["update -q", "clang lld chromium"],
                  "an optional package is installed with the others", got)
    for name in ("chromium", "chromium-browser", "google-chrome"):
        with tempfile.TemporaryDirectory() as folder:
            has = Machine(folder)
            has.add(name)
            got = has.setup("browser")
            tap.check(got == (0, "", "", []), f"{name} is enough", got)
    both, without = "clang lld chromium", "clang lld"
    for what, env, want in (
            ("fails", {"FAILS": "chromium"}, ["update -q", both, without]),
            ("is not in the distribution", {"LACKS": "chromium"}, ["update -q", without])):
        with tempfile.TemporaryDirectory() as folder:
            lacks = Machine(folder, **env)
            got = lacks.setup("page", "browser")
            tap.check(got[0] == 0 and got[1].endswith(LINE) and got[3] == want,
                      f"an optional package that {what}: one line, no error", got)
            got = lacks.setup("page", "browser")
            tap.check(got == (0, LINE, "", []), "and it is not tried again", got)
    with tempfile.TemporaryDirectory() as folder:
        got = Machine(folder, user=1000).setup("browser")
        tap.check(got == (0, LINE, "", []), "without root: one line, no error", got)
    with tempfile.TemporaryDirectory() as folder:
        asks = Machine(folder, user=1000, LACKS="chromium")
        asks.add("sudo", '#!/bin/sh\necho sudo >>"$LOG"\nexit 1\n')
        got = asks.setup("browser")
        tap.check(got[0] == 0 and got[1].endswith(LINE) and got[3] == ["sudo"], "sudo is asked once", got)
        got = asks.setup("browser")
        tap.check(got == (0, LINE, "", []), "and not again", got)


def main():
    tap = Tap()
    test_needed(tap)
    test_optional(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
