"use strict";
/*
 * address.js: reads and writes the part of the address behind #, so that a state can be shared.
 *
 *   #machine=asus-z690-a&steps=a0_a3&step=2     one of the machines of the page
 *   #map=.9fcs-.4s.2-1m.7ffm-fffc0p.40p.2       a map of somebody's own, in short
 *
 * All keys but `machine` and `map` belong to the allocator and are kept as they are.
 *
 * A map in short has its entries joined by `-`, each START.LENGTH.TYPE.ATTRIBUTES, and for a line
 * of a node nNODE.START.LENGTH. What stands at the end of an entry may be left out: attributes if it
 * has none, the type if it is 1 (usable). An empty start is where the entry before it ends.
 * Numbers are hexadecimal, and a letter at their end multiplies them: q 16, s 256, p 4 KiB, m 1 MiB,
 * g 1 GiB, t 1 TiB. Types and nodes are decimal.
 */
const pageAddress = (() => {
	const UNITS = { t: 40n, g: 30n, m: 20n, p: 12n, s: 8n, q: 4n };
	const LONGEST = 1 << 17; /* A map of 1,024 entries, the most there can be, is shorter. */
	const EXPECTED =
		"Expected: START.LENGTH.TYPE for each entry, joined by -, as in #map=.9fcs-1m.7ffm";

	/* Returns a number of 64 bits in short: in the largest unit that divides it. */
	function shortNumber(n) {
		if (n === 0n)
			return "0";
		for (const [letter, shift] of Object.entries(UNITS))
			if (n % (1n << shift) === 0n)
				return (n >> shift).toString(16) + letter;
		return n.toString(16);
	}

	/* Returns the number that text gives in short, or null if it gives none of 64 bits. */
	function longNumber(text) {
		const match = /^([0-9a-f]{1,16})([tgmpsq]?)$/.exec(text);

		if (!match)
			return null;
		const n = BigInt("0x" + match[1]) << (match[2] ? UNITS[match[2]] : 0n);
		return n < 1n << 64n ? n : null;
	}

	/* Returns where [start, start + length) ends, in 64 bits. */
	function endOf(start, length) {
		return BigInt.asUintN(64, start + length);
	}

	function shortStart(start, before) {
		return start === before ? "" : shortNumber(start);
	}

	/* Returns a map file in short. It is one that `replay --map-file` has written. */
	function shorten(mapFile) {
		const ends = { entry: 0n, node: 0n };
		const parts = [];

		for (const line of mapFile.split("\n")) {
			const words = line.split("#")[0].trim().split(/\s+/);
			const isNode = words[0] === "node";
			const kind = isNode ? "node" : "entry";
			const [start, length] = words.slice(isNode ? 2 : 0).map(BigInt);

			if (length === undefined)
				continue;
			const part = [shortStart(start, ends[kind]), shortNumber(length)];
			if (isNode)
				part.unshift("n" + words[1]);
			else if (words[3] !== undefined)
				part.push(words[2], shortNumber(BigInt(words[3])));
			else if (words[2] !== "1")
				part.push(words[2]);
			parts.push(part.join("."));
			ends[kind] = endOf(start, length);
		}
		return parts.join("-");
	}

	/* Returns the line of a map file that a part in short stands for, or null. */
	function lineOf(part, ends) {
		const match = /^(?:n(\d{1,10})\.)?([^.]*)\.([^.]+)(?:\.(\d{1,10}))?(?:\.([^.]+))?$/.exec(part);

		if (!match || (match[1] !== undefined && match[4] !== undefined))
			return null;
		const kind = match[1] === undefined ? "entry" : "node";
		const start = match[2] === "" ? ends[kind] : longNumber(match[2]);
		const length = longNumber(match[3]);
		const attributes = match[5] === undefined ? 0n : longNumber(match[5]);
		if (start === null || length === null || attributes === null)
			return null;
		ends[kind] = endOf(start, length);
		const range = `0x${start.toString(16)} 0x${length.toString(16)}`;
		if (kind === "node")
			return `node ${match[1]} ${range}`;
		const tail = match[5] === undefined ? "" : ` 0x${attributes.toString(16)}`;
		return `${range} ${match[4] === undefined ? 1 : match[4]}${tail}`;
	}

	/* Returns { map } with the map file that a map in short stands for, or { problem }, in words. */
	function expand(short) {
		const ends = { entry: 0n, node: 0n };
		const lines = [];

		if (short.length > LONGEST)
			return { problem: "The map in the address is longer than any map can be." };
		for (const part of short.split("-")) {
			const line = lineOf(part, ends);

			if (line === null)
				return {
					problem: `The address has a map that cannot be read: entry ${lines.length + 1}.\n` +
						`Found: ${part.slice(0, 60) || "nothing"}\n${EXPECTED}`,
				};
			lines.push(line);
		}
		return { map: lines.join("\n") + "\n" };
	}

	/* Returns text without the escapes that programs put into addresses; as it is if they are wrong. */
	function unescaped(text) {
		try {
			return decodeURIComponent(text);
		} catch {
			return text;
		}
	}

	/*
	 * Returns what the part of an address behind # asks for: { machine, map, params, problem }. machine
	 * is a name, map a map file, and both are null when the address names neither; problem is null, or
	 * in words why the address cannot be read. params has all other keys, with strings.
	 */
	function read(hash) {
		const result = { machine: null, map: null, params: {}, problem: null };

		for (const pair of hash.replace(/^#/, "").split("&")) {
			const [key, value] = [pair.split("=")[0], unescaped(pair.slice(pair.indexOf("=") + 1))];

			if (pair === "")
				continue;
			if (!/^[A-Za-z][A-Za-z0-9._~-]*=/.test(pair))
				result.problem = "The address cannot be read.\n" +
					`Found: ${unescaped(pair).slice(0, 60)}\n` +
					"Expected: #machine=NAME or #map=…, and words of the form KEY=VALUE joined by &";
			else if (key === "machine")
				result.machine = value;
			else if (key === "map")
				Object.assign(result, expand(value));
			else
				result.params[key] = value;
		}
		return result;
	}

	/* Returns text with escapes for what an address, or a chat program, would take for its own. */
	function escaped(text) {
		return encodeURIComponent(text).replace(/[!'()]/g, (c) => "%" + c.charCodeAt(0).toString(16))
			.replace(/%2C/g, ",");
	}

	/* Returns the part of the address from # on: of a machine's name or a map file, and params. */
	function write({ machine, map }, params) {
		const pairs = machine ? [`machine=${machine}`] : [`map=${shorten(map)}`];

		for (const [key, value] of Object.entries(params || {}))
			if (value !== undefined && value !== null && value !== "")
				pairs.push(`${key}=${escaped(String(value))}`);
		return "#" + pairs.join("&");
	}

	return { read, write, shorten, expand };
})();
