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


# Commands of gdb that define next-stop: `continue`, until the guest stops elsewhere.
#
# To leave a breakpoint gdb makes a single step. If a device asks for an interrupt just before it, QEMU
# (cpu_tb_exec() in accel/tcg/cpu-exec.c, 7.2 and later) reports the step although the instruction was
# not begun, whether interrupts are enabled or not. gdb then stops at the breakpoint once more. During
# the boot, with 18 timer ticks a second, one stop in several thousand is such a one.
NEXT_STOP = """define next-stop
set $stood = (unsigned long)$pc
continue
while (unsigned long)$pc == $stood
continue
end
end
"""
