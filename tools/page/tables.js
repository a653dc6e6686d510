/* SPDX-License-Identifier: MIT */
/*
 * tables.js: the numbers of a state of the allocator, as tables: the index of a gib or shelf, the
 * frame caches of each CPU, the zones. What differs from the step before is marked, with the value
 * that it had.
 */
"use strict";

/* How many ranges a list of them names before it says how many more there are. */
const NAMED_RANGES = 12;

/* Returns the ranges of the numbers i for which has(i) is true, as [first, last]. */
function rangesOf(length, has) {
	const ranges = [];

	for (let i = 0; i < length; i++) {
		if (!has(i))
			continue;
		const last = ranges[ranges.length - 1];
		if (last && last[1] === i - 1)
			last[1] = i;
		else
			ranges.push([i, i]);
	}
	return ranges;
}

/* Returns a list of ranges in words: "3, 5 to 7". */
function rangesInWords(ranges) {
	const named = ranges.slice(0, NAMED_RANGES).map(([first, last]) =>
		first === last ? `${first}` : `${first} to ${last}`);

	if (ranges.length > NAMED_RANGES)
		named.push(`and ${ranges.length - NAMED_RANGES} more ranges`);
	return named.join(", ");
}

/*
 * Returns the frames of a stack in words, the top first. Runs side by side are put together: by is
 * the distance from one to the next.
 */
function stackInWords(pages, order) {
	const words = [];

	for (let first = pages.length - 1, last; first >= 0; first = last - 1) {
		const by = pages[first - 1] - pages[first];
		last = first;
		if (Math.abs(by) === 2 ** order)
			while (pages[last - 1] - pages[last] === by)
				last--;
		words.push(hex(pages[first]));
		if (first - last === 1)
			words.push(hex(pages[last]));
		else if (first > last)
			words[words.length - 1] += `${by > 0 ? " up to " : " down to "}${hex(pages[last])}`;
	}
	if (words.length > NAMED_RANGES)
		words.splice(NAMED_RANGES, Infinity, `and ${words.length - NAMED_RANGES} more`);
	return words.join(", ") || "empty";
}

/* Makes a cell of a table. Where the value was another one a step before, it says so. */
function makeCell(value, old) {
	const text = value.toLocaleString("en");

	if (old === undefined || old === value)
		return make("td", {}, text);
	const was = make("small", {}, ` was ${old.toLocaleString("en")}`);
	return make("td", { class: "alloc-changed" }, text, was);
}

/* Makes a table that can be scrolled sideways. head are words, rows are elements tr. */
function makeTable(title, head, rows) {
	const heads = head.map((words) => make("th", { scope: "col" }, words));
	const table = make("table", {}, make("caption", {}, title),
		make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
	const attributes = { class: "alloc-scroll", tabindex: "0", role: "group", "aria-label": title };

	return make("div", attributes, table);
}

/* Puts tables in place of those in an element. The one at the place of the focus gets it. */
function replaceTables(element, tables) {
	const focused = [...element.children].indexOf(document.activeElement);

	element.replaceChildren(...tables);
	if (focused >= 0)
		tables[focused].focus({ preventScroll: true });
}

function makeRow(name, cells) {
	return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
}

/* Says a frame number, or that there is none. */
function frameOrNone(pfn) {
	return pfn === null ? "none" : hex(pfn);
}

/* Returns which children an index holds for an order, in words. */
function heldInWords(bits) {
	return rangesInWords(rangesOf(bits.length, (i) => bits[i] === "1")) || "none";
}

/*
 * Makes the table of the index of a gib or a shelf: which children it holds for each order. Orders
 * side by side that hold the same share a row.
 */
function makeIndex(level, state, before) {
	const part = state[level];
	const old = before && before[level].pfn === part.pfn ? before[level].index : part.index;
	const child = level === "gib" ? "blocks" : "gibs";
	const rows = [];

	for (let first = 0, end; first < part.index.length; first = end) {
		for (end = first + 1; end < part.index.length; end++)
			if (part.index[end] !== part.index[first] || old[end] !== old[first])
				break;
		rows.push(makeRow(end - first > 1 ? `${first} to ${end - 1}` : String(first),
			[makeCell(heldInWords(part.index[first]), heldInWords(old[first]))]));
	}
	return makeTable(`The index of the ${level}: ${child} that may hold a run of the order`,
		["index[order]", child], rows);
}

/* Says which cache of a CPU this is: its zone and order. */
function cacheName(cache) {
	return `${cache.zone}, node ${cache.node}${cache.away ? ", away" : ""}, order ${cache.order}`;
}

/* Returns the cache of a CPU that has this name; one that holds nothing if it has none. */
function cacheOf(cpu, cache) {
	const found = cpu.caches.find((c) => cacheName(c) === cacheName(cache));

	return found || { ...cache, pages: [], out: [], keep_below: null };
}

/*
 * Makes the table of a CPU's frame caches; old is the CPU a step before. Left out are those that
 * hold nothing, held nothing a step before, and belong to another zone than the block that is shown.
 */
function makeCaches(cpu, old, block) {
	const count = (c) => `${c.pages.length} of ${c.limit}`;
	const out = (c) => `${c.out.length} of ${c.out_limit}`;
	const rows = [];

	for (const cache of cpu.caches) {
		const was = cacheOf(old, cache);
		const near = cache.zone === block.zone && cache.node === block.node;

		if (near || [cache.pages, cache.out, was.pages, was.out].some((pages) => pages.length))
			rows.push(makeRow(cacheName(cache), [makeCell(count(cache), count(was)),
				makeStack(cache.pages, was.pages, cache.order),
				makeCell(frameOrNone(cache.keep_below), frameOrNone(was.keep_below)),
				makeCell(out(cache), out(was)), makeStack(cache.out, was.out, cache.order)]));
	}
	const others = cpu.caches.length - rows.length;
	const empty = others ? `; ${rows.length ? others + " others" : "all"} are empty` : "";
	return makeTable(`The frame caches of CPU ${cpu.cpu}, whose home is node ${cpu.home}${empty}`,
		["cache", "count of limit", "pages, from the top", "keep_below", "out", "out, from the top"],
		rows);
}

/* Makes the cell of a stack. It is marked when it differs; how it was would be too long to say. */
function makeStack(pages, old, order) {
	const same = pages.length === old.length && pages.every((pfn, i) => pfn === old[i]);

	return make("td", { class: same ? "alloc-stack" : "alloc-stack alloc-changed" },
		stackInWords(pages, order));
}

/* What the table of zones says of each zone: a name, and how to find it. */
const ZONE_ROWS = [
	["frames", (zone) => `${hex(zone.start_pfn)} to ${hex(zone.end_pfn - 1)}`],
	["managed", (zone) => zone.managed],
	["nr_free", (zone) => zone.nr_free],
	["in frame caches", (zone) => zone.cached],
	["lowmem_reserve", (zone) => zone.reserve],
	["idle[0], a full block", (zone) => frameOrNone(zone.idle[0])],
	["idle[1], a full gib", (zone) => frameOrNone(zone.idle[1])],
	["unmovable", (zone) => frameOrNone(zone.unmovable)],
];

/* Makes the table of the zones, a column for each, and below it the free runs of each order. */
function makeZones(state, before) {
	const old = before ? before.zones : state.zones;
	const orders = state.zones[0] ? state.zones[0].free_blocks.length : 0;
	const free = Array.from({ length: orders }, (_, order) =>
		[`free, order ${order}`, (zone) => zone.free_blocks[order]]);
	const rows = [...ZONE_ROWS, ...free].map(([name, find]) => makeRow(name,
		state.zones.map((zone, i) => makeCell(find(zone), old[i] ? find(old[i]) : undefined))));

	const names = state.zones.map((zone) => `${zone.name}, node ${zone.node}`);

	return makeTable("The zones", ["", ...names], rows);
}
