"""Runs a guest to its end, so that all that it printed is known and nothing of it is left behind."""
import os
import signal
import subprocess


def run(argv, limit, **env):
    """Runs argv with the variables of env added to the environment. Returns (status, output).
    After limit seconds it ends the program and all that the program has started, QEMU for example;
    status is None then."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **env},
                          start_new_session=True) as process:
        try:
            output, status = process.communicate(timeout=limit)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
            output, status = process.communicate()[0], None
    return status, output.decode("utf-8", "replace").replace("\r", "")
