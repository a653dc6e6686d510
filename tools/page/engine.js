/*
 * engine.js: calls the kernel's code, which is compiled to WebAssembly: ENGINE_BASE64. Each call has
 * an instance of its own, so nothing of a call before is left. `MACHINES` are the maps of real
 * machines. build.py makes both.
 */

/* What the code throws for a panic, and where it ends. */
class Panic extends Error {}
class Ended extends Error {}

const FORMS = ["text", "json", "svg", "map-file"]; /* enum output, in job.h */

/* The compiled code, or null in a browser that cannot compile it. */
let engineModule = null;
let engineProblem = null;

/* Returns the bytes that base64 text stands for. */
function bytesOf(text) {
	return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/* Compiles the code, and makes an instance to see that the browser can. */
function startEngine() {
	try {
		engineModule = new WebAssembly.Module(bytesOf(ENGINE_BASE64));
		return Number(new EngineCall().start().exports.kernel_size());
	} catch (error) {
		engineModule = null;
		engineProblem = "This browser cannot run the page: it needs WebAssembly with memory of 64-bit " +
			"addresses, as Chrome, Edge and other Chromium from version 133 on and Firefox from 134 on " +
			`have it. The browser says: ${error.message}`;
		return 0;
	}
}

/* An instance of the code and what it has printed so far. */
class EngineCall {
	constructor() {
		this.printed = [null, [], []]; /* by stream */
		const imports = {
			put: (stream, text, size) => this.put(stream, text, size),
			attempt: (code, argument) => this.attempt(code, argument),
			panic: () => { throw new Panic(); },
			abort: () => { throw new Ended(); },
		};
		this.imports = { env: imports };
	}

	/* Makes the instance. Throws a RangeError when the browser has no memory for it. */
	start() {
		this.exports = new WebAssembly.Instance(engineModule, this.imports).exports;
		return this;
	}

	put(stream, text, size) {
		const at = Number(text);
		this.printed[stream].push(new Uint8Array(this.exports.memory.buffer).slice(at, at + Number(size)));
	}

	attempt(code, argument) {
		try {
			this.exports.attempt(code, argument);
			return 0;
		} catch (error) {
			if (error instanceof Panic)
				return 1;
			throw error;
		}
	}

	/* Copies bytes to where `place`, input() or text(), wants them. Returns the address. */
	give(place, bytes) {
		const at = place(BigInt(bytes.length));
		new Uint8Array(this.exports.memory.buffer).set(bytes, Number(at));
		return at;
	}

	/* Copies a text, or the text of a number, to where the code can read it. Returns the address. */
	giveText(text) {
		return this.give(this.exports.text, new TextEncoder().encode(String(text)));
	}

	/* Returns what was printed to a stream. */
	text(stream) {
		const decoder = new TextDecoder();
		return this.printed[stream].map((bytes) => decoder.decode(bytes, { stream: true })).join("") +
			decoder.decode();
	}

	/* Gives the code the input and calls it: action(exports). Returns { status, out, err }. */
	run(input, action) {
		const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
		let status = 2;
		try {
			this.start().give(this.exports.input, bytes);
			status = action(this.exports);
		} catch (error) {
			if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError)
				this.printed[2].push(new TextEncoder().encode(`replay: the page failed: ${error.message}\n`));
			else if (!(error instanceof Ended))
				throw error;
		}
		return { status, out: this.text(1), err: this.text(2) };
	}
}

/* Returns what to return in place of a call of the code, which this browser cannot run. */
function cannotRun() {
	return { status: 2, out: "", err: `${engineProblem}\n` };
}

/*
 * Does what `replay --FORM -` does with text, a string or a file's bytes, on standard input: see the
 * README beside this file. Returns { status, out, err }.
 */
function runReplay(text, form = "json", options = {}) {
	if (engineProblem)
		return cannotRun();
	if (!FORMS.includes(form))
		throw new RangeError(`no form "${form}": it is one of ${FORMS.join(", ")}`);
	const call = new EngineCall();
	return call.run(text, (code) => code.replay(FORMS.indexOf(form), options.map || 0,
		call.giveText(options.name || "-")));
}

/* Returns what `replay --json -` prints. Throws an Error with its complaint when it prints none. */
function replayJson(text) {
	const { status, out, err } = runReplay(text);
	if (status > 1)
		throw new Error(err);
	return out;
}

/* Does what `page_work STEPS [AT] <map` does. Returns { status, out, err }. */
function runWork(text, steps = "", at = null) {
	if (engineProblem)
		return cannotRun();
	const call = new EngineCall();
	return call.run(text, (code) => code.work(call.giveText(steps), call.giveText(at === null ? "" : at)));
}

const firstpage = { run: runReplay, replay: replayJson, work: runWork, machines: MACHINES };
firstpage.kernelSize = startEngine();
firstpage.problem = engineProblem;
window.firstpage = firstpage;
