"""A few lines of TAP for the test programs in Python."""
import sys


class Tap:
    """Collects results; print_plan() ends. Status 0 when all passed."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, good, name, detail=""):
        self.count += 1
        if not good:
            self.failed += 1
            for line in str(detail).splitlines()[-25:]:
                print("# " + line)
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)

    def finish(self):
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed or not self.count else 0


def run_tests(tests):
    """Those functions of one Tap whose names have all the words of the command line; exit status."""
    tap = Tap()
    for test in tests:
        if all(word in test.__name__ for word in sys.argv[1:]):
            test(tap)
    return tap.finish()
