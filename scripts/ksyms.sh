#!/bin/sh
# ksyms.sh: prints the kernel's table of function names, as nasm source, from a linked kernel.
#
#   ksyms.sh kernel.elf > ksyms.asm
#
# The kernel is linked twice: without the table, to learn the addresses, then with it. The table has a
# segment of its own behind everything else, so nothing moves; to check that, the build runs this script
# again on the second kernel and compares. kernel/ksyms.h describes the layout. NM names another nm.
set -eu

[ $# -eq 1 ] || { echo "usage: ksyms.sh ELF" >&2; exit 2; }

# A name with a dot that is not part of a compiler's suffix is a local label of nasm, and left out.
"${NM:-nm}" -n --defined-only "$1" | awk '
	$3 == "__kernel_start" { start = $1 }
	($2 == "t" || $2 == "T") && $3 !~ /^__text_(start|end)$/ && $1 != last &&
	    ($3 !~ /\./ || $3 ~ /\.(part|constprop|isra|cold)/) {
		address[n] = $1; name[n++] = $3; last = $1
	}
	END {
		if (start == "" || n == 0) {
			print "ksyms.sh: no symbols" > "/dev/stderr"
			exit 1
		}
		print "; made by scripts/ksyms.sh"
		print "section .ksyms progbits alloc noexec nowrite align=8"
		printf "        dd %d, 0\n", n
		for (i = 0; i < n; i++)
			printf "        dd 0x%s - 0x%s, n%d - names\n", address[i], start, i
		print "names:"
		for (i = 0; i < n; i++)
			printf "n%d: db \"%s\", 0\n", i, name[i]
	}'
