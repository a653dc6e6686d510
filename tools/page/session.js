/* SPDX-License-Identifier: MIT */
/*
 * session.js: what "The allocator at work" shows: a map, steps that were done on the machine with
 * that map, and how many of them are done now. The set-up of a machine always ends in the same
 * state, so a state is known by the map and the steps: firstpage.work() does them all again.
 */
"use strict";

/* The grammar of a step, as tools/page/work.c reads it. */
const STEP_FORMS = {
	allocate: /^a(\d+)(?:\.(\d+))?(?:n(\d+))?(h?)([dD]?)(?:\*(\d+|all))?$/,
	free: /^f(\d+)(?:\.(\d+))?(?:\*(\d+))?$/,
	last: /^l(?:\.(\d+))?(?:\*(\d+|all))?$/,
	random: /^r(\d+)(?:\.(\d+))?(?:\*(\d+))?$/,
	drain: /^d$/,
};

/* Says how often a step does what it does; nothing for once. */
function timesInWords(count) {
	if (!count || count === "1")
		return "";
	return count === "all" ? ", until it fails" : `, ${count} times`;
}

/* Returns what a step does, in words. A step that is none is returned as it is. */
function stepInWords(step) {
	const forms = STEP_FORMS;
	let m;

	if ((m = forms.allocate.exec(step))) {
		const [, order, cpu = "0", node, hint, zone, count] = m;
		return `CPU ${cpu} allocates order ${order}` + (node ? ` on node ${node}` : "") +
			(hint ? ", __GFP_UNMOVABLE" : "") +
			(zone ? (zone === "d" ? ", __GFP_DMA" : ", __GFP_DMA32") : "") +
			timesInWords(count);
	}
	if ((m = forms.free.exec(step))) {
		const many = m[3] && m[3] !== "1" ? ` and those after it, ${m[3]} in all` : "";
		return `CPU ${m[2] || "0"} frees allocation ${m[1]}${many}`;
	}
	if ((m = forms.last.exec(step))) {
		if (m[2] === "all")
			return `CPU ${m[1] || "0"} frees all allocations, the last first`;
		return `CPU ${m[1] || "0"} frees the last allocation${timesInWords(m[2])}`;
	}
	if ((m = forms.random.exec(step))) {
		const whose = m[2] ? `CPU ${m[2]} does` : "both CPUs do";
		return `${whose} ${m[3] || "100"} operations at random (seed ${m[1]})`;
	}
	return forms.drain.test(step) ? "drain_all_pages()" : step;
}

/* Returns the steps that are written in an address, a list of words. */
function splitSteps(text) {
	return (text || "").split("_").filter((word) => word !== "");
}

/* How many states a session keeps. */
const KEPT_STATES = 64;
/* How many steps back the frame to show is looked for. */
const STEPS_WITHOUT_FRAME = 8;

class Session {
	/*
	 * Begins a session: map is the text of a map, steps the words of an address, position how
	 * many of these are done (all without it), at the frame to show (null: follow the last step).
	 * Steps from the first on that is refused are left out; this.error says then why.
	 */
	constructor(map, steps = "", position = undefined, at = null) {
		this.map = map;
		this.steps = splitSteps(steps);
		this.at = at;
		this.kept = new Map();
		this.error = "";
		this.keepGoodSteps();
		this.position = this.steps.length;
		if (position !== undefined)
			this.go(position);
	}

	/*
	 * Cuts the steps off before the first one that work() refuses. What is refused after some
	 * steps is refused after more of them, so halving finds it.
	 */
	keepGoodSteps() {
		const whole = this.run(this.steps.length, null);
		let good = 0, bad = this.steps.length;

		if (whole.state || !this.steps.length)
			return;
		this.error = whole.error;
		while (bad - good > 1) {
			const middle = (good + bad) >> 1;
			if (this.run(middle, null).state)
				good = middle;
			else
				bad = middle;
		}
		this.steps.length = good;
	}

	/*
	 * Returns {state, error} after the first count steps, with frame at shown. One of them is null
	 * or empty.
	 */
	run(count, at) {
		const key = `${count} ${at}`;
		let answer = this.kept.get(key);

		this.kept.delete(key);
		if (!answer) {
			const steps = this.steps.slice(0, count).join("_");
			const { status, out, err } = firstpage.work(this.map, steps, at === null ? undefined : at);
			answer = status === 0 ? { state: JSON.parse(out), error: "" }
					      : { state: null, error: err.trim() || `status ${status}` };
		}
		/* The latest used is the last of a Map, the one to forget is the first. */
		this.kept.set(key, answer);
		if (this.kept.size > KEPT_STATES)
			this.kept.delete(this.kept.keys().next().value);
		return answer;
	}

	/*
	 * Does a step after those that are done. Those that were taken back are forgotten. Returns
	 * false if it is refused: nothing has changed then, and this.error says why.
	 */
	add(step) {
		const steps = this.steps, kept = this.kept;

		this.steps = steps.slice(0, this.position).concat(step);
		if (this.position < steps.length)
			this.kept = new Map();
		const { state, error } = this.run(this.position + 1, null);
		this.error = error;
		if (!state) {
			this.steps = steps;
			this.kept = kept;
			kept.delete(`${this.position + 1} null`);
			return false;
		}
		this.position++;
		return true;
	}

	/* Makes the first n steps those that are done. */
	go(n) {
		this.position = Math.max(0, Math.min(this.steps.length, Math.trunc(n) || 0));
	}

	/* Returns the steps as an address has them: also those that were taken back. */
	text() {
		return this.steps.join("_");
	}

	/*
	 * Returns the frame to show: the chosen one, or that of the last step that was about a frame;
	 * null if there is none among the last few.
	 */
	shown() {
		if (this.at !== null)
			return this.at;
		for (let n = this.position; n > Math.max(0, this.position - STEPS_WITHOUT_FRAME); n--) {
			const { state } = this.run(n, null);
			if (state && state.result.pfn !== null)
				return state.result.pfn;
		}
		return null;
	}

	/* Returns the state now, as work() tells it; null if it refuses, with its words in this.error. */
	state() {
		const { state, error } = this.run(this.position, this.shown());

		this.error = error || this.error;
		return state;
	}

	/* Returns the state one step before, with the same frame shown; null before the first step. */
	before() {
		const now = this.state();

		return now && this.position ? this.run(this.position - 1, now.at).state : null;
	}
}
