/* SPDX-License-Identifier: MIT */
/*
 * allocator.js: the section "The allocator at work": what the last step did, in words; pictures of
 * a block, a gib and a shelf; the index, the frame caches and the zones. All of it is what
 * firstpage.work() tells of a session: see session.js.
 */
"use strict";

/* The terms, as mm/zone.h has them. */
const TERMS = [
	["frame", "4 KiB of physical memory. Its number, the pfn, is its address divided by 4,096."],
	["block", "512 frames, 2 MiB."],
	["gib", "512 blocks, 1 GiB, or the part of it that one zone has."],
	["shelf", "512 gibs, 512 GiB, or the part of it that one zone has."],
	["zone", "The memory of one NUMA node and type: DMA, DMA32, Normal or Hotplug."],
	["order", "A run of order k is 2^k frames side by side, aligned to its size."],
	["whole", "A frame, block or gib is whole when its bit in its parent is set: all of it is free."],
	["open", "A block or gib is open when a bitmap of its own says which of its children are whole."],
	["full",
		"An open block or gib is full when all bits of its bitmap are set. It closes when its " +
		"bit in its parent is set instead. One full block and one full gib of each zone stay " +
		"open: idle[0] and idle[1]."],
	["head",
		"The first frame of an allocation. For orders 9 and up a bit of the bitmap head says " +
		"so, too."],
	["index", "It says for each order which open blocks or gibs may hold a run of that order."],
	["bound",
		"The highest order for which the index holds a block or gib. A free raises it; a " +
		"search that finds no such run lowers it. So the index may hold a block that has no " +
		"such run."],
	["frame cache",
		"For each CPU, zone and order from 0 to 9 a stack of free runs, used without the " +
		"zone's lock. What lies beyond keep_below goes to the stack out, and from there back " +
		"to the bits."],
	["reserved", "What memblock handed out before the allocator began: the kernel, mem_map and more."],
];

/* Returns the frame that a field names: a frame number, or an address; NaN if it is none. */
function readFrame(text, isAddress) {
	const word = text.trim();

	if (!/^(0x[0-9a-f]{1,13}|\d{1,15})$/i.test(word))
		return NaN;
	return isAddress ? Math.floor(Number(word) / 4096) : Number(word);
}

class AllocatorView {
	/* Makes the view of a session in a section of the page. changed(params) tells the address. */
	constructor(section, session, options) {
		this.session = session;
		this.options = options;
		this.controls = new Controls({ add: (step) => this.add(step), go: (n) => this.go(n) });
		this.pictures = ["block", "gib", "shelf"].map((level) =>
			new Picture(level, (pfn, letter) => this.choose(level, pfn, letter)));
		this.note = make("p", { class: "alloc-note" });
		this.error = make("p", { class: "alloc-error", role: "alert" });
		this.step = make("h3");
		this.story = make("ol", { class: "alloc-story", "aria-live": "polite" });
		this.index = make("div", { class: "alloc-index" });
		this.tables = make("div", { class: "alloc-tables" });
		section.replaceChildren(make("h2", {}, "The allocator at work"), ...this.parts());
		section.setAttribute("aria-label", "The allocator at work");
		section.classList.add("allocator");
		/* A click anywhere in the section lets the shortcuts work. */
		section.tabIndex = -1;
		section.onkeydown = (event) => this.controls.onKey(event);
	}

	parts() {
		const intro = "This is the machine with the map above and two CPUs, after the boot; if it has " +
			"several NUMA nodes, the CPUs are on two of them. Allocate and free pages, and watch " +
			"what firstpage's allocator does with them. What a step has changed is outlined; a " +
			"bar marks the cell of the frame that is shown.";
		const pictures = this.pictures.map((picture) => picture.element);

		return [make("p", {}, intro), this.makeExamples(), this.controls.element,
			this.controls.moves, this.note, this.error, this.step, this.story,
			make("div", { class: "alloc-pictures" }, ...pictures, this.index),
			this.makeFrameField(), this.tables, this.makeTerms()];
	}

	makeExamples() {
		const buttons = ALLOCATOR_EXAMPLES.map((example) => make("li", {},
			makeButton(example.title, () => this.loadExample(example))));

		return make("div", { class: "alloc-examples" }, make("h3", {}, "Examples"),
			make("ul", { class: "alloc-row" }, ...buttons));
	}

	makeTerms() {
		const terms = TERMS.flatMap(([term, words]) => [make("dt", {}, term), make("dd", {}, words)]);

		return make("details", { class: "alloc-terms" },
			make("summary", {}, "The words that are used here"), make("dl", {}, ...terms));
	}

	/* Makes the field that names the frame to show, and the button that follows the last step. */
	makeFrameField() {
		const kind = makeChoice("as", [["pfn", "a frame number"], ["address", "an address"]]);
		const field = make("input",
			{ type: "text", size: "14", spellcheck: "false", autocomplete: "off" });
		const show = (event) => {
			const at = readFrame(field.value, kind.select.value === "address");

			event.preventDefault();
			if (Number.isNaN(at))
				this.error.textContent =
					`"${field.value}" is no number. Expected: digits, or 0x and digits`;
			else
				this.showFrame(at);
		};

		this.frame = field;
		this.following = make("span", { class: "alloc-following" });
		return make("form", { class: "alloc-row", submit: show },
			make("label", { class: "alloc-field" }, "Frame to show ", field), kind.element,
			make("button", { type: "submit" }, "Show"),
			makeButton("Follow the last step", () => this.showFrame(null)), this.following);
	}

	/* Does an example here; or goes to the address of its machine, where showAllocator() does it. */
	loadExample(example) {
		this.controls.stop();
		if (example.map && !isAddressOf(example)) {
			location.hash = `#map=${example.map}`;
			comingExample = example;
			return;
		}
		this.session = new Session(this.session.map, example.steps, example.position);
		this.note.replaceChildren(make("strong", {}, example.title + ". "), example.look);
		this.changed();
		this.controls.moves.scrollIntoView({ block: "start" });
	}

	add(step) {
		this.controls.stop();
		if (this.session.add(step)) {
			this.changed();
		} else {
			this.error.textContent = this.session.error;
			this.error.scrollIntoView({ block: "nearest" });
		}
	}

	go(n) {
		const { session } = this;

		if (n < 0 || n > session.steps.length)
			return;
		session.error = "";
		session.go(n);
		this.changed();
	}

	/* Shows the block, gib and shelf of a frame; of the last step's with null. */
	showFrame(at) {
		this.session.error = "";
		this.session.at = at;
		this.changed();
	}

	/* Does what a cell of a picture stands for that is chosen. Returns words, or nothing. */
	choose(level, pfn, letter) {
		if (level !== "block") {
			if (letter !== "-")
				this.showFrame(pfn);
			return "";
		}
		if (letter !== "h" && letter !== "t")
			return "";
		const allocation = allocationOf(this.session.state(), pfn);
		if (!allocation || !this.controls.choose(allocation.number))
			return `Frame ${hex(pfn)} belongs to an allocation that is not among the last 200.`;
		return `Allocation ${allocation.number} is chosen: Free frees it.`;
	}

	/* Shows the session and tells the page's address. */
	changed() {
		const { session, options } = this;

		this.render();
		if (options.changed)
			options.changed({ steps: session.text(), step: String(session.position),
				at: session.at === null ? "" : hex(session.at) });
	}

	render() {
		const { session } = this;
		const state = session.state(), before = session.before();

		this.error.textContent = session.error;
		if (!state)
			return;
		this.step.textContent = this.stepTitle();
		const story = session.position ? state.story : ["The set-up has ended with `zones_finish()`."];
		/* A screen reader could not keep up with steps that play. */
		this.story.setAttribute("aria-live", this.controls.timer === null ? "polite" : "off");
		this.story.replaceChildren(...story.map((sentence) =>
			make("li", {}, ...this.sentence(sentence))));
		this.controls.update(session, state);
		this.following.textContent = this.whatIsShown(state.at);
		for (const picture of this.pictures)
			picture.update(state, before);
		this.renderTables(state, before);
	}

	/*
	 * Returns the parts of a sentence of the story: text, names of the code, which stand between
	 * backquotes, and numbers of frames, which are buttons that show the frame.
	 */
	sentence(text) {
		return text.split(/(`[^`]*`|\b0x[0-9a-f]+\b)/).map((part) => {
			if (part.startsWith("`"))
				return make("code", {}, part.slice(1, -1));
			if (!part.startsWith("0x"))
				return part;
			return make("button", { type: "button", class: "alloc-link", title: `Show frame ${part}`,
				click: () => this.showFrame(Number(part)) }, part);
		});
	}

	whatIsShown(at) {
		const asked = this.session.at;

		if (asked === null)
			return `Shown is frame ${hex(at)}, of the last step.`;
		if (asked !== at)
			return `Frame ${hex(asked)} is no RAM. Shown is frame ${hex(at)}.`;
		return `Shown is frame ${hex(at)}, whatever the steps do.`;
	}

	stepTitle() {
		const { steps, position } = this.session;

		return position ? `Step ${position} of ${steps.length}: ${stepInWords(steps[position - 1])}`
				: `Before the first of ${steps.length} steps`;
	}

	renderTables(state, before) {
		const caches = state.cpus.map((cpu, i) =>
			makeCaches(cpu, (before || state).cpus[i], state.block));

		replaceTables(this.index,
			[makeIndex("gib", state, before), makeIndex("shelf", state, before)]);
		replaceTables(this.tables, [...caches, makeZones(state, before)]);
	}
}

/* The view that is shown: there is one at a time. */
let allocatorView = null;

/* The example whose machine is about to be shown, or null. */
let comingExample = null;

/* Returns whether the address has the machine that an example brings along. */
function isAddressOf(example) {
	return location.hash.split("&")[0] === `#map=${example.map}`;
}

/*
 * Fills the section with the allocator of the machine whose map text is. options.steps, .step and
 * .at are those of an address; options.changed(params) is called with the same three, as strings,
 * whenever one of them changes.
 */
function showAllocator(section, text, options = {}) {
	const at = readFrame(options.at || "", false);
	const example = comingExample;

	comingExample = null;
	if (allocatorView)
		allocatorView.controls.stop();
	allocatorView = null;
	section.hidden = false;
	if (firstpage.problem) {
		section.replaceChildren(make("h2", {}, "The allocator at work"),
			make("p", {}, firstpage.problem));
		return;
	}
	const session = new Session(text, options.steps, options.step ? Number(options.step) : undefined,
		Number.isNaN(at) ? null : at);
	if (!session.state()) {
		section.replaceChildren(make("h2", {}, "The allocator at work"),
			make("p", { class: "alloc-error", role: "alert" }, session.error));
		return;
	}
	allocatorView = new AllocatorView(section, session, options);
	allocatorView.render();
	if (example && isAddressOf(example))
		allocatorView.loadExample(example);
}
