"""The memory models in scripts/bench: the rows models.MODEL.MACHINE.FIGURE, and their table.

A figure is null (None) where the model cannot hold the machine.
"""
import re

PROBES = 10000  # tests/host/bench/bench_models.c
MODELS = ("flatmem", "discontigmem", "sparsemem", "sparsemem_vmemmap", "firstpage")
MACHINES = {
    "compact": ("canterwood-3584m", "3.5 GiB of RAM in one piece"),
    "holes": ("asrock-n100dc-itx", "3.8 GiB of RAM in 6 GiB of addresses"),
    "islands": ("it91smub-32tib-space", "512 GiB of RAM, islands up to 25 TiB"),
}
TRANSLATIONS = ("pfn_to_page", "page_to_pfn")
FIGURES = (*TRANSLATIONS, "descriptors", "tables", "setup", "init")
IDS = [f"models.{model}.{machine}.{figure}"
       for model in MODELS for machine in MACHINES for figure in FIGURES]

HOW = """\
Memory models, struct page of 16 bytes in each. Callgrind: instructions of one translation (call and
return left out), of set-up (taking and mapping memory), of init (writing every descriptor, which
Linux does at boot under each model). Bytes from memblock: descriptors; tables and page tables."""


def rows(wanted, callgrind):
    """Returns ({id: value}, remarks) of the rows for which wanted(id) is true. callgrind(program,
    argument) returns ({name of a dump: instructions}, what the program prints)."""
    measured, remarks = {}, []
    for machine, (name, _) in MACHINES.items():
        ids = [row for row in IDS if row.split(".")[2] == machine and wanted(row)]
        if not ids:
            continue
        counts, text = callgrind("bench_models", f"tests/e820/{name}.map")
        refused = dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))
        remarks += [f"{model} cannot hold {machine}: {why}" for model, why in refused.items()]
        counts.update((key, int(n)) for key, n in re.findall(r"^(\w+) (\d+)$", text, re.MULTILINE))
        for row in ids:
            _, model, _, figure = row.split(".")
            if model in refused:
                measured[row] = None
            elif f"{model}_{figure}" in counts:
                value = counts[f"{model}_{figure}"] - counts.get(f"empty_{figure}", 0)
                measured[row] = value / PROBES if figure in TRANSLATIONS else value
    return measured, remarks


def table(measured, remarks):
    """Prints the table of the models, and remarks below it."""
    print(HOW)
    for machine, (name, what) in MACHINES.items():
        if not any(f".{machine}." in row for row in measured):
            continue
        print(f"\n{machine}: tests/e820/{name}.map, {what}")
        print(f"{'':19}" + "".join(f"{figure:>15}" for figure in FIGURES))
        for model in MODELS:
            cells = (measured.get(f"models.{model}.{machine}.{figure}") for figure in FIGURES)
            print(f"{model:19}" + "".join("-".rjust(15) if value is None else f"{value:15,.10g}"
                                          for value in cells))
    for remark in remarks:
        print("  " + remark)
