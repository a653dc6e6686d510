/* SPDX-License-Identifier: MIT */
/*
 * picture.js: the children of a block, a gib or a shelf, as a grid of 512 cells, each with a letter
 * of its own beside its colour. Arrow keys move a cursor; Enter chooses the cell under it.
 */
"use strict";

const GRID_CELLS = 512;
const GRID_COLUMNS = 32;

/* What a letter of the cells that work() gives stands for, and the letter that is shown. */
const CACHED_CELLS = {
	0: { shown: "0", words: "in a frame cache of CPU 0" },
	1: { shown: "1", words: "in a frame cache of CPU 1" },
};
const BLOCK_CELLS = {
	f: { shown: "·", words: "free" },
	h: { shown: "H", words: "head of an allocation" },
	t: { shown: "–", words: "in an allocation, behind its head" },
	...CACHED_CELLS,
	r: { shown: "r", words: "reserved" },
	"-": { shown: "", words: "no RAM" },
};
const GIB_CELLS = {
	f: { shown: "·", words: "whole" },
	o: { shown: "o", words: "open" },
	u: { shown: "u", words: "open, the block for __GFP_UNMOVABLE" },
	h: { shown: "H", words: "head of an allocation" },
	t: { shown: "–", words: "in an allocation, behind its head" },
	...CACHED_CELLS,
	r: { shown: "r", words: "nothing to hand out" },
	"-": { shown: "", words: "no RAM of this zone" },
};
const SHELF_CELLS = {
	f: { shown: "·", words: "whole" },
	o: { shown: "o", words: "open" },
	h: { shown: "H", words: "allocated in one piece" },
	r: { shown: "r", words: "nothing to hand out" },
	"-": { shown: "", words: "no RAM of this zone" },
};

/* The three pictures: what a cell is called, and how many frames it has. */
const LEVELS = {
	block: { child: "frame", frames: 1, cells: BLOCK_CELLS },
	gib: { child: "block", frames: 512, cells: GIB_CELLS },
	shelf: { child: "gib", frames: 512 * 512, cells: SHELF_CELLS },
};

/* Returns the allocation that has a frame, of those that the state lists; undefined if none has. */
function allocationOf(state, pfn) {
	return state.allocations.find((a) => a.pfn <= pfn && pfn < a.pfn + 2 ** a.order);
}

/* Returns for each letter of the cells how often it is there. */
function countCells(cells) {
	const counts = new Map();

	for (const letter of cells)
		counts.set(letter, (counts.get(letter) || 0) + 1);
	return counts;
}

/* Returns the class of a cell with a letter. */
function cellClass(letter) {
	return `alloc-cell alloc-is-${letter === "-" ? "none" : letter}`;
}

class Picture {
	/*
	 * Makes the picture of a level, a key of LEVELS. choose(pfn, letter) is called with the first
	 * frame of a cell that is chosen, and returns words to show, or nothing.
	 */
	constructor(level, choose) {
		this.level = level;
		this.kind = LEVELS[level];
		this.choose = choose;
		this.cursor = 0;
		this.cells = Array.from({ length: GRID_CELLS }, (_, i) => make("span",
			{ id: `alloc-${level}-${i}`, role: "option", "aria-selected": "false" }));
		this.grid = make("div", {
			class: "alloc-grid", role: "listbox", tabindex: "0",
			keydown: (event) => this.onKey(event), click: (event) => this.onClick(event),
			mouseover: (event) => this.onHover(event), mouseleave: () => this.say(this.cursor),
		}, ...this.cells);
		this.title = make("h4");
		this.line = make("p", { class: "alloc-line" });
		this.legend = make("ul", { class: "alloc-legend" });
		this.element = make("figure", { class: "alloc-picture" },
			this.title, this.grid, this.line, this.legend);
	}

	/* Shows a state; before is the one a step before, or null. What differs is outlined. */
	update(state, before) {
		const part = state[this.level];
		const was = before && before[this.level];
		const old = was && was.pfn === part.pfn ? was.cells : part.cells;
		const at = Math.floor((state.at - part.pfn) / this.kind.frames);
		const moved = this.part && this.part.pfn !== part.pfn;

		this.state = state;
		this.part = part;
		this.old = old;
		for (let i = 0; i < GRID_CELLS; i++)
			this.draw(i, part.cells[i], old[i], i === at);
		this.title.textContent = this.titleText();
		this.grid.setAttribute("aria-label", `${this.titleText()}. Arrow keys move, Enter chooses.`);
		this.updateLegend(part.cells);
		if (moved || document.activeElement !== this.grid)
			this.cursor = at;
		this.moveTo(this.cursor);
	}

	titleText() {
		const { pfn, zone, node, state } = this.part;
		const end = pfn + GRID_CELLS * this.kind.frames - 1;

		return `The ${this.level} with frames ${hex(pfn)} to ${hex(end)}` +
			(zone ? `, ${zone} of node ${node}` : "") + (state ? `: ${state}` : "");
	}

	draw(i, letter, old, marked) {
		const cell = this.cells[i];
		const looks = cellClass(letter) + (letter !== old ? " alloc-changed" : "") +
			(marked ? " alloc-at" : "");
		const shown = this.kind.cells[letter].shown;

		if (cell.className !== looks)
			cell.className = looks;
		if (cell.textContent !== shown)
			cell.textContent = shown;
	}

	updateLegend(cells) {
		const counts = countCells(cells);
		const items = [];

		for (const [letter, { shown, words }] of Object.entries(this.kind.cells)) {
			const cell = make("span", { class: cellClass(letter), "aria-hidden": "true" }, shown);
			if (counts.has(letter))
				items.push(make("li", {}, cell, ` ${words}: ${counts.get(letter)}`));
		}
		this.legend.replaceChildren(...items);
	}

	/* Returns what cell i is, in words. */
	words(i) {
		const { child, frames, cells } = this.kind;
		const pfn = this.part.pfn + i * frames;
		const letter = this.part.cells[i], old = this.old[i];
		const name = frames === 1 ? `frame ${hex(pfn)}` : `${child} ${i}, from frame ${hex(pfn)}`;
		let what = cells[letter].words;

		if (letter === "h" || letter === "t") {
			const a = allocationOf(this.state, pfn);
			if (a)
				what = (letter === "h" ? "head of" : "in") +
					` allocation ${a.number}, order ${a.order}`;
		}
		return `${name}, address ${hex(pfn * 4096)}: ${what}` +
			(letter !== old ? `; a step before: ${cells[old].words}` : "");
	}

	say(i) {
		this.line.textContent = this.words(i);
	}

	/* Moves the cursor to cell i. */
	moveTo(i) {
		const old = this.grid.querySelector("[aria-selected=true]");

		if (old) {
			old.setAttribute("aria-selected", "false");
			old.removeAttribute("aria-label");
		}
		this.cursor = i;
		this.cells[i].setAttribute("aria-selected", "true");
		this.cells[i].setAttribute("aria-label", this.words(i));
		this.grid.setAttribute("aria-activedescendant", this.cells[i].id);
		this.say(i);
	}

	chooseCell(i) {
		this.moveTo(i);
		const words = this.choose(this.part.pfn + i * this.kind.frames, this.part.cells[i]);
		if (words)
			this.line.textContent = words;
	}

	onKey(event) {
		const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -GRID_COLUMNS, ArrowDown: GRID_COLUMNS,
			Home: -this.cursor, End: GRID_CELLS - 1 - this.cursor }[event.key];

		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			this.chooseCell(this.cursor);
		} else if (by !== undefined) {
			event.preventDefault();
			if (this.cursor + by >= 0 && this.cursor + by < GRID_CELLS)
				this.moveTo(this.cursor + by);
		}
	}

	onClick(event) {
		const i = this.cells.indexOf(event.target);

		if (i >= 0) {
			this.grid.focus({ preventScroll: true });
			this.chooseCell(i);
		}
	}

	onHover(event) {
		const i = this.cells.indexOf(event.target);

		if (i >= 0)
			this.say(i);
	}
}
