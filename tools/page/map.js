"use strict";
/*
 * map.js: shows what `replay` has made of a memory map: the picture, the corrections in words, zones
 * and nodes, where mem_map went, free blocks by order, memory in use, and the checks.
 *
 * All text gets into the page as text, never as HTML: it may come from somebody's log.
 */
const mapView = (() => {
	const PAGE = 4096, NR_ORDERS = 19, SHOWN = 24;

	/* What the kernel does about each kind of correction: the names are e820_what_name()'s. */
	const CORRECTIONS = {
		"overlap": "Two entries of different types claim this memory. Usable loses against any other type; " +
			"of two other types the higher number wins.",
		"duplicate": "Two entries of one type claim this memory. It is counted once.",
		"zero length": "An entry here has the length zero. It is dropped.",
		"wrap": "An entry goes on beyond the last address, 2^64. It is cut there, and reserved if it was usable.",
		"unknown type": "An entry has a type that the kernel does not know. Its memory is reserved.",
		"disabled": "An entry says in its attributes (bit 0 is clear) that it does not count. Its memory is reserved.",
		"legacy hole": "An entry calls memory between 640 KiB and 1 MiB usable. The screen and ROMs are there, so " +
			"it is reserved.",
		"unsorted": "An entry begins below the one before it. The list is sorted.",
	};

	/* The same for the nodes: the names are numa_what_name()'s. */
	const NODE_CORRECTIONS = {
		"bad SRAT": "The firmware's table of nodes, SRAT, is damaged. Node 0 has all memory.",
		"bad SLIT": "The firmware's table of distances, SLIT, is damaged. Distances are 10 and 20.",
		"cut short": "A table ends inside an entry. The rest of it is left out.",
		"short entry": "An entry is too short for its type. It is left out.",
		"wrap": "An entry goes on beyond the last address, 2^64. It is cut there.",
		"overlap": "Two nodes claim this memory. The earlier entry keeps it.",
		"no entry": "No entry names a node for this RAM. The nearest node below has it, or node 0.",
		"split block": "The node changes inside a block of 2 MiB. The node with most of the block's RAM has all of it.",
		"too many": "There is no room for this entry, or no node is left for it.",
	};

	function countText(n) {
		return n.toLocaleString("en");
	}

	/* Returns `one` or `many` after the number n. */
	function plural(n, one, many) {
		return `${countText(n)} ${n === 1 ? one : many}`;
	}

	/* Returns the first and the last address of a range, as Linux prints them. */
	function rangeText(base, size) {
		const first = BigInt(base), last = BigInt.asUintN(64, first + BigInt(size) - 1n);

		return BigInt(size) === 0n ? `0x${first.toString(16)}`
			: `0x${first.toString(16)}-0x${last.toString(16)}`;
	}

	function code(text) {
		return make("code", {}, text);
	}

	/* Returns a range's addresses; a narrow table may break the line between them. */
	function rangeCode(base, size) {
		const [first, last] = rangeText(base, size).split("-");

		return last ? make("code", {}, `${first}-`, make("wbr"), last) : code(first);
	}

	function cell(content, kind = "") {
		return make("td", { className: kind }, content);
	}

	/*
	 * Returns a table in a box of its own, which scrolls when the page is narrow or the table long. name is
	 * its name for those who do not see it, head the texts of its first row, rows lists of cells.
	 */
	function table(name, head, rows) {
		const kind = (i) => (rows[0] && rows[0][i].className.includes("number") ? "number" : "");
		const heads = head.map((text, i) => make("th", { scope: "col", className: kind(i) }, text));

		return make("div", { className: rows.length > NR_ORDERS ? "scroll long" : "scroll", role: "region",
			"aria-label": name },
			make("table", {},
				make("thead", {}, make("tr", {}, ...heads)),
				make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells)))));
	}

	/* Lets the Tab key reach the boxes that have something to scroll, and no others. */
	function markScrollers(parent) {
		for (const box of parent.querySelectorAll(".scroll"))
			if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)
				box.tabIndex = 0;
			else
				box.removeAttribute("tabindex");
	}

	/* Returns a section with a heading; null children are left out. */
	function section(title, ...children) {
		return make("section", {}, make("h3", {}, title), ...children.filter((child) => child));
	}

	/*
	 * Returns the drawing that an SVG file has, or null if it has none. It stands in a shadow tree, so
	 * that its style does not reach the page; and it keeps its size where the page is narrower, so that
	 * its text can be read: the box around it scrolls.
	 */
	function picture(svg) {
		const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
		const host = make("div", { className: "picture" });

		if (parsed.documentElement.localName !== "svg" || parsed.querySelector("parsererror"))
			return null;
		parsed.documentElement.style.maxWidth = "none";
		host.attachShadow({ mode: "open" }).append(document.adoptNode(parsed.documentElement));
		return host;
	}

	function pictureSection(drawing) {
		return drawing && section("As given and as corrected",
			make("div", { className: "scroll wide", role: "region", "aria-label": "Picture of the map" },
				drawing),
			make("p", { className: "muted hint" }, "Point at a part to read its range and size."));
	}

	/* Returns the corrections by their name, in the order in which each name comes first. */
	function byName(corrections) {
		const groups = new Map();

		for (const c of corrections)
			groups.set(c.what, [...(groups.get(c.what) || []), c]);
		return [...groups];
	}

	/* Returns the range of a correction with its size, as an item of a list. */
	function correctionItem(c) {
		const size = BigInt(c.size), empty = size === 0n && BigInt(c.base) === 0n;

		return make("li", {}, empty ? "no range" : rangeCode(c.base, c.size), size ? ` ${sizeText(size)}` : "");
	}

	/* Returns a list of ranges; those after the first SHOWN wait to be asked for. */
	function correctionList(list) {
		const items = list.map(correctionItem), rest = items.splice(SHOWN);

		return [make("ul", {}, ...items),
			...(rest.length ? [make("details", {}, make("summary", {}, `${countText(rest.length)} more`),
				make("ul", {}, ...rest))] : [])];
	}

	/* Returns a paragraph for each kind of correction, with the list of its ranges. */
	function correctionParts(corrections, words) {
		return byName(corrections).map(([what, list]) => make("div", { className: "correction" },
			make("p", {}, make("b", {}, list.length > 1 ? `${what}, ${list.length} times` : what),
				`. ${words[what] || ""}`),
			...correctionList(list)));
	}

	function correctionsSection(result) {
		const nr = result.corrections.length, nodes = result.numa_corrections || [];

		return section("Corrections",
			make("p", {}, nr === 0 ? "Nothing had to be corrected."
				: `${plural(nr, "correction was", "corrections were")} made before the map was used.`),
			...correctionParts(result.corrections, CORRECTIONS),
			nodes.length ? make("p", {}, `${plural(nodes.length, "correction", "corrections")} of the NUMA nodes:`) : null,
			...correctionParts(nodes, NODE_CORRECTIONS));
	}

	function sumOf(list, key) {
		return list.reduce((sum, item) => sum + BigInt(item[key]), 0n);
	}

	function zoneName(zone, nodes) {
		return nodes > 1 ? `node ${zone.node} ${zone.name}` : zone.name;
	}

	function zoneRows(result, several) {
		return result.zones.map((z) => [
			make("th", { scope: "row" }, z.name), ...(several ? [cell(String(z.node), "number")] : []),
			cell(sizeText(z.present * PAGE), "number"), cell(sizeText(z.free * PAGE), "number"),
			cell(z.start_pfn === z.end_pfn ? "no memory"
				: rangeCode(z.start_pfn * PAGE, BigInt(z.end_pfn - z.start_pfn) * BigInt(PAGE)), "range")]);
	}

	function nodeRows(result, cpus) {
		return result.nodes.map((n) => [
			make("th", { scope: "row" }, String(n.node)), cell(sizeText(n.size), "number"),
			cell(sizeText(n.free), "number"), ...(cpus ? [cell(n.cpus.join(" ") || "–")] : []),
			cell(n.distances.join(" "), "number")]);
	}

	function zonesSection(result) {
		const free = result.zones.reduce((sum, z) => sum + z.free, 0) * PAGE;
		const several = result.nodes.length > 1, cpus = result.nodes.some((n) => n.cpus.length > 0);

		return section("Zones and nodes",
			make("p", {}, `Of ${sizeText(sumOf(result.memory, "size"))} of RAM in whole pages, ${sizeText(free)} are ` +
				`free after the boot. ${several ? `There are ${result.nodes.length} NUMA nodes.` : "There is one NUMA node."}`),
			table("Zones", ["Zone", ...(several ? ["Node"] : []), "RAM", "Free", "Addresses"],
				zoneRows(result, several)),
			several ? table("Nodes", ["Node", "RAM", "Free", ...(cpus ? ["APIC ids"] : []), "Distances to each"],
				nodeRows(result, cpus)) : null);
	}

	/* Returns the ranges that the picture marks as `name`: its titles have them to the byte. */
	function placesIn(drawing, name) {
		const titles = drawing ? [...drawing.shadowRoot.querySelectorAll("title")] : [];
		const pattern = new RegExp(`^${name} \\[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\\]`);

		return titles.map((title) => pattern.exec(title.textContent)).filter((match) => match)
			.map((match) => ({ base: BigInt("0x" + match[1]), last: BigInt("0x" + match[2]) }))
			.sort((a, b) => (a.base < b.base ? -1 : 1));
	}

	function placeRows(places) {
		return places.map((p) => [cell(rangeCode(p.base, p.last - p.base + 1n), "range"),
			cell(sizeText(p.last - p.base + 1n), "number")]);
	}

	function memMapSection(result, drawing) {
		const m = result.mem_map, places = placesIn(drawing, "mem_map");
		const share = (m.bytes / Number(sumOf(result.memory, "size")) * 100).toLocaleString("en", { maximumFractionDigits: 2 });

		return section("Where mem_map went",
			make("p", {}, code("mem_map"), ` has a descriptor of ${m.bytes_per_frame} bytes for each frame of RAM, 4 KiB. ` +
				`It takes ${sizeText(m.bytes)}, ${share}\u00a0% of the RAM, in ` +
				`${places.length ? plural(places.length, "range", "ranges") : "some of the ranges in use below"}. ` +
				`The allocator's own records take ${sizeText(m.allocator_bytes)}, page tables ` +
				`${sizeText(m.page_table_bytes)}.`),
			places.length ? table("Ranges of mem_map", ["Addresses", "Size"], placeRows(places)) : null);
	}

	/* Returns a cell with a count of free blocks and a bar: the share they have of the zone's free memory. */
	function countCell(zone, order) {
		const count = zone.free_blocks[order];
		const td = cell(count ? countText(count) : "–", count ? "number bar" : "number none");

		if (count)
			td.style.setProperty("--share", `${(count * 2 ** order / zone.free * 100).toFixed(1)}%`);
		return td;
	}

	/* Returns a table with a class of its own, `bars`. */
	function barTable(...of) {
		const box = table(...of);

		box.classList.add("bars");
		return box;
	}

	function ordersSection(result) {
		const zones = result.zones.filter((z) => z.present > 0);
		const orders = zones.length ? [...zones[0].free_blocks.keys()] : [];
		const rows = orders.map((k) => [make("th", { scope: "row" }, String(k)), cell(sizeText(PAGE * 2 ** k), "number"),
			...zones.map((z) => countCell(z, k))]);

		return section("Free blocks by order",
			make("p", {}, "How many free blocks there are of each size, 2", make("sup", {}, "order"),
				" pages, each counted in the largest that it is part of. A bar is the share of the zone's free memory."),
			barTable("Free blocks by order", ["Order", "Size", ...zones.map((z) => zoneName(z, result.nodes.length))], rows));
	}

	/* Returns what a range that memblock has reserved is for, as far as the picture tells. */
	function useText(range, kernel, memMap) {
		const base = BigInt(range.base), last = base + BigInt(range.size) - 1n;
		const holds = (place) => place.base <= last && place.last >= base;
		const uses = [];

		if (base === 0n)
			uses.push("the first pages, never handed out");
		if (kernel.some(holds))
			uses.push("the kernel");
		if (memMap.some(holds))
			uses.push("mem_map");
		if (uses.length === 0 && kernel.length > 0 && memMap.length > 0)
			uses.push("records, page tables");
		return uses.join(", ") || "not told by the picture";
	}

	function inUseSection(result, drawing) {
		const kernel = placesIn(drawing, "kernel"), memMap = placesIn(drawing, "mem_map");
		const used = result.reserved.map((r) => [cell(rangeCode(r.base, r.size), "range"),
			cell(sizeText(BigInt(r.size)), "number"), cell(useText(r, kernel, memMap))]);
		const free = result.free.map((r) => [cell(rangeCode(r.base, r.size), "range"),
			cell(sizeText(BigInt(r.size)), "number")]);

		return section("Memory in use, and free",
			make("p", {}, `memblock has reserved ${plural(used.length, "range", "ranges")}, ` +
				`${sizeText(sumOf(result.reserved, "size"))}; neighbours are one range. The allocator has ` +
				`${plural(free.length, "free range", "free ranges")}, ${sizeText(sumOf(result.free, "size"))}.`),
			make("div", { className: "pair" }, table("Memory in use", ["In use", "Size", "For"], used),
				table("Free memory", ["Free", "Size"], free)));
	}

	function checksSection(result) {
		const failed = result.checks.filter((c) => !c.ok).length;
		const items = result.checks.map((c) => make("li", { className: c.ok ? "holds" : "fails" },
			`${c.ok ? "holds" : "FAILS"}: ${c.name}`));

		return section("Checks",
			make("p", {}, failed ? `${failed} of ${items.length} checks fail.` : `All ${items.length} checks hold.`),
			make("details", { open: failed > 0 }, make("summary", {}, "Each check"),
				make("ul", { className: "checks" }, ...items)));
	}

	/* Returns a button that copies what textOf() gives then, and says whether that worked. */
	function copyButton(label, textOf) {
		const said = make("span", { role: "status", className: "muted" });
		const button = make("button", { type: "button" }, label);

		button.addEventListener("click", async () => {
			const text = textOf(), copied = await copyText(text);

			said.replaceChildren(copied ? "Copied." : "The browser does not allow it; copy it from here: ");
			if (!copied)
				showForCopy(said, text);
		});
		return make("p", { className: "actions" }, button, said);
	}

	/* Shows text in a field, selected, for readers who then copy it themselves. */
	function showForCopy(place, text) {
		const field = make("textarea", { value: text, readOnly: true, rows: 2, "aria-label": "To be copied" });

		place.append(field);
		field.select();
	}

	/* Copies text to the clipboard; returns whether that worked. */
	async function copyText(text) {
		try {
			await navigator.clipboard.writeText(text);
			return true;
		} catch {
			return copyBySelection(text);
		}
	}

	/* Does the same where the clipboard cannot be had, as in a page from a file in some browsers. */
	function copyBySelection(text) {
		const focus = document.activeElement;
		const field = make("textarea", { value: text, readOnly: true, className: "unseen", "aria-hidden": "true" });
		let done = false;

		document.body.append(field);
		field.select();
		try {
			done = document.execCommand("copy");
		} catch {
			done = false;
		}
		field.remove();
		if (focus)
			focus.focus();
		return done;
	}

	function jsonSection(json) {
		return section("The result as JSON",
			make("p", {}, "What ", make("code", {}, "replay --json"), " prints."),
			copyButton("Copy the JSON", () => json),
			make("details", {}, make("summary", {}, "Show it"),
				make("pre", { id: "json", tabIndex: 0, role: "region", "aria-label": "The result as JSON" }, json)));
	}

	/* Returns all sections for a result of `replay --json` and the picture of `replay --svg`. */
	function sections(result, svg) {
		const drawing = picture(svg);

		return [pictureSection(drawing), correctionsSection(result), zonesSection(result),
			memMapSection(result, drawing), ordersSection(result), inUseSection(result, drawing),
			checksSection(result)].filter((part) => part);
	}

	return { sections, picture, pictureSection, jsonSection, copyButton, markScrollers, plural };
})();
