"""TAP for the test programs in Python: a few lines instead of a library."""
import sys


class Tap:
    """Collects the results of one test program. Each check() prints a line of TAP; finish() prints
    the plan and returns the exit status."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, detail=""):
        """Prints one result: `ok` when good is true, else `not ok`, and before it the last 25
        lines of detail as comments. name is the test's name."""
        self.count += 1
        if not good:
            self.failed += 1
            for line in str(detail).splitlines()[-25:]:
                print("# " + line)
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)

    def finish(self):
        """Prints the plan, last. Returns 0 when there were tests and all of them passed, else 1."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def run_tests(tests):
    """Runs each function of tests whose name contains every word of the command line, all with one
    Tap. Returns the exit status."""
    tap = Tap()
    for test in tests:
        if all(word in test.__name__ for word in sys.argv[1:]):
            test(tap)
    return tap.finish()
