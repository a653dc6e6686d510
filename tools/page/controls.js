/* SPDX-License-Identifier: MIT */
/*
 * controls.js: the buttons and fields of "The allocator at work": what to do next, and the steps
 * that were done. Each button makes a step, a word of the grammar that session.js knows.
 */
"use strict";

/* Makes a list of choices; each is [value, words]. A label stands before it. */
function makeChoice(label, choices) {
	const options = choices.map(([value, words]) => make("option", { value }, words));
	const select = make("select", {}, ...options);

	return { select, element: make("label", { class: "alloc-field" }, label + " ", select) };
}

/* Makes a button; shortcut is its key, if it has one. */
function makeButton(words, act, shortcut = "") {
	const key = shortcut ? [" ", make("kbd", { "aria-hidden": "true" }, shortcut)] : [];
	const attributes = { type: "button", click: act };

	if (shortcut)
		attributes["aria-keyshortcuts"] = shortcut;
	return make("button", attributes, words, ...key);
}

/* Returns a frame number as all texts have it. */
function hex(number) {
	return "0x" + number.toString(16);
}

/* How many of the steps before and after the present one are listed. */
const LISTED_STEPS = 100;
const PLAY_MS = 700;
const MAX_ORDER = 18;
/* What `f` takes in place of `all`: as many as a session can hold. */
const ALL_HELD = 1000000;

class Controls {
	/* Makes the controls. act.add(step) does a step, act.go(n) goes to the state after n steps. */
	constructor(act) {
		this.act = act;
		this.session = null;
		this.timer = null;
		this.makeFields();
		this.requests = make("fieldset", {}, make("legend", {}, "Do"), ...this.requestRows());
		this.steps = make("fieldset", {}, make("legend", {}, "Steps"), this.makeList(),
			this.makeKeys());
		this.element = make("div", { class: "alloc-controls" }, this.requests, this.steps);
		/* Stays in sight while the page is scrolled. */
		this.moves = make("div",
			{ class: "alloc-row alloc-moves", role: "group", "aria-label": "through the steps" },
			...this.stepButtons());
	}

	makeFields() {
		const orders = Array.from({ length: MAX_ORDER + 1 },
			(_, order) => [String(order), `${order} (${sizeText(4096 * 2 ** order)})`]);
		const counts = ["1", "2", "4", "10", "100", "1000"].map((count) => [count, count]);

		this.order = makeChoice("order", orders);
		this.cpu = makeChoice("on CPU", [["0", "0"], ["1", "1"]]);
		this.node = makeChoice("node", [["", "of the CPU"]]);
		this.zone = makeChoice("zone", [["", "any"], ["d", "__GFP_DMA"], ["D", "__GFP_DMA32"]]);
		this.count = makeChoice("how often", [...counts, ["all", "until it fails"]]);
		this.held = makeChoice("to free", [["", "the last"]]);
		this.hint = make("input", { type: "checkbox" });
	}

	/* Returns the rows of fields and buttons that make a step. */
	requestRows() {
		const hint = make("label", { class: "alloc-field" }, this.hint, " ",
			make("code", {}, "__GFP_UNMOVABLE"));
		const random = [1, 10, 100].map((count) =>
			makeButton(`Random ×${count}`, () => this.random(count), count === 10 ? "r" : ""));
		const rows = [
			[this.cpu.element, this.count.element],
			[this.order.element, this.node.element, this.zone.element, hint,
				makeButton("Allocate", () => this.allocate(), "a")],
			[this.held.element, makeButton("Free", () => this.free(), "f")],
			["on both CPUs ", ...random, makeButton("Drain", () => this.act.add("d"), "d")],
		];

		return rows.map((row) => make("div", { class: "alloc-row" }, ...row));
	}

	stepButtons() {
		const buttons = [
			makeButton("Start", () => this.goTo(0)),
			makeButton("Back", () => this.goTo(this.session.position - 1), "["),
			makeButton("Forward", () => this.goTo(this.session.position + 1), "]"),
			makeButton("End", () => this.goTo(this.session.steps.length)),
		];

		this.play = makeButton("Play", () => this.togglePlay(), "p");
		this.ends = { back: buttons.slice(0, 2), forward: [...buttons.slice(2), this.play] };
		return [...buttons, this.play];
	}

	makeList() {
		this.list = make("ol", { class: "alloc-steps", "aria-label": "steps",
			keydown: (event) => this.onListKey(event) });
		return this.list;
	}

	makeKeys() {
		const keys = [["a", " allocates, "], ["f", " frees, "],
			["r", " does 10 operations at random, "], ["d", " drains the frame caches, "],
			["[", " goes back, "], ["]", " goes forward, "], ["p", " plays the steps."]];

		return make("p", { class: "alloc-keys" }, "Keys, while this part of the page has the focus: ",
			...keys.flatMap(([key, words]) => [make("kbd", {}, key), words]));
	}

	/* Returns the end of a step for the chosen CPU: CPU 0 is the one that the grammar assumes. */
	onCpu() {
		return this.cpu.select.value === "0" ? "" : "." + this.cpu.select.value;
	}

	/* Returns the end of a step for the chosen count. */
	times() {
		return this.count.select.value === "1" ? "" : "*" + this.count.select.value;
	}

	allocate() {
		const node = this.node.select.value;

		this.act.add("a" + this.order.select.value + this.onCpu() + (node && "n" + node) +
			(this.hint.checked ? "h" : "") + this.zone.select.value + this.times());
	}

	free() {
		const number = this.held.select.value;
		const all = this.count.select.value === "all";

		if (!number)
			this.act.add("l" + this.onCpu() + this.times());
		else
			this.act.add("f" + number + this.onCpu() + (all ? "*" + ALL_HELD : this.times()));
	}

	/*
	 * Does operations at random on both CPUs. The seed is the number of the step, so that each of
	 * several such steps does something else, and the same when it is done again.
	 */
	random(count) {
		this.act.add(`r${this.session.position + 1}*${count}`);
	}

	goTo(n) {
		this.stop();
		this.act.go(n);
	}

	/*
	 * Begins or ends to go forward by itself. Where the system asks for reduced motion it goes to
	 * the end at once.
	 */
	togglePlay() {
		if (this.timer !== null) {
			this.stop();
		} else if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
			this.act.go(this.session.steps.length);
		} else if (this.session.position < this.session.steps.length) {
			this.play.firstChild.data = "Stop";
			this.timer = setInterval(() => this.playStep(), PLAY_MS);
		}
	}

	playStep() {
		this.act.go(this.session.position + 1);
		if (this.session.position >= this.session.steps.length)
			this.stop();
	}

	stop() {
		clearInterval(this.timer);
		this.timer = null;
		this.play.firstChild.data = "Play";
	}

	/* Chooses the allocation that Free frees. Returns false if it is not in the list. */
	choose(number) {
		const value = String(number);
		const known = [...this.held.select.options].some((option) => option.value === value);

		if (known)
			this.held.select.value = value;
		return known;
	}

	/* Shows what can be done in a state of the session. */
	update(session, state) {
		this.session = session;
		this.updateNodes(state);
		this.updateHeld(state);
		this.updateList();
		this.allow(this.ends.back, session.position > 0);
		this.allow(this.ends.forward, session.position < session.steps.length);
	}

	/* Says of buttons whether they can do anything now. They keep the focus in any case. */
	allow(buttons, allowed) {
		for (const button of buttons)
			button.setAttribute("aria-disabled", String(!allowed));
	}

	updateNodes(state) {
		const nodes = [...new Set(state.zones.map((zone) => zone.node))].sort((a, b) => a - b);
		const chosen = this.node.select.value;
		const options = nodes.map((node) => make("option", { value: String(node) }, String(node)));

		this.node.select.replaceChildren(make("option", { value: "" }, "of the CPU"), ...options);
		this.node.select.value = nodes.includes(Number(chosen)) && chosen ? chosen : "";
		this.node.element.hidden = nodes.length < 2;
	}

	updateHeld(state) {
		const chosen = this.held.select.value;
		const options = [...state.allocations].reverse().map(({ number, pfn, order }) =>
			make("option", { value: String(number) }, `${number}: ${hex(pfn)}, order ${order}`));

		const last = state.held ? `the last of ${state.held}` : "nothing is held";
		this.held.select.replaceChildren(make("option", { value: "" }, last), ...options);
		this.choose(chosen);
	}

	/*
	 * Lists the steps around the present one. Only the present one can be reached by Tab; the arrow
	 * keys lead from step to step.
	 */
	updateList() {
		const { steps, position } = this.session;
		const first = Math.max(0, position - LISTED_STEPS);
		const end = Math.min(steps.length, position + LISTED_STEPS);
		const focused = this.list.contains(document.activeElement);
		const items = [this.listItem(0, "set-up")];

		if (first)
			items.push(make("li", { class: "alloc-more" }, `… ${first} steps …`));
		for (let i = first; i < end; i++)
			items.push(this.listItem(i + 1, steps[i]));
		if (end < steps.length)
			items.push(make("li", { class: "alloc-more" }, `… ${steps.length - end} steps`));
		this.list.replaceChildren(...items);
		const current = this.list.querySelector("[aria-current]");
		this.list.scrollTop = current.offsetTop - this.list.offsetTop - this.list.clientHeight / 2;
		if (focused)
			current.focus({ preventScroll: true });
	}

	/* Makes the item of the list that goes to the state after n steps. */
	listItem(n, word) {
		const present = n === this.session.position;
		const button = make("button", {
			type: "button", tabindex: present ? "0" : "-1",
			title: n ? stepInWords(word) : "before the first step", click: () => this.goTo(n),
		}, word);

		if (present)
			button.setAttribute("aria-current", "step");
		return make("li", { class: n > this.session.position ? "alloc-undone" : "" }, button);
	}

	onListKey(event) {
		const move = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];

		if (event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (move) {
			event.preventDefault();
			this.goTo(this.session.position + move);
		} else if (event.key === "Home" || event.key === "End") {
			event.preventDefault();
			this.goTo(event.key === "Home" ? 0 : this.session.steps.length);
		}
	}

	/*
	 * Does what a key stands for. Keys with Ctrl, Alt or Meta are the browser's, and those that
	 * are typed into a field are the field's.
	 */
	onKey(event) {
		const keys = {
			"[": () => this.goTo(this.session.position - 1),
			"]": () => this.goTo(this.session.position + 1),
			a: () => this.allocate(),
			f: () => this.free(),
			r: () => this.random(10),
			d: () => this.act.add("d"),
			p: () => this.togglePlay(),
		};
		const { target } = event;
		const typing = /^(INPUT|SELECT)$/.test(target.tagName) && target.type !== "checkbox";

		if (typing || event.ctrlKey || event.altKey || event.metaKey)
			return;
		if (!Object.hasOwn(keys, event.key))
			return;
		event.preventDefault();
		keys[event.key]();
	}
}
