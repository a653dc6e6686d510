"use strict";
/*
 * input.js: takes a map from the list of machines, the text field or a file.
 *
 * What it gives is a source: { name, input, machine, number, goes }. name is for headings; input a
 * text or a file's bytes; machine the name of one of the page's machines, or null; number the map to
 * take of several, 0 for the one that replay takes; goes: the reader is taken to the result.
 */
const mapInput = (() => {
	const LARGEST_SHOWN = 1 << 20; /* Bytes of a file that are put into the text field. */
	const FILE_MAX = (64 << 20) + 1; /* replay reads 64 MiB, and says so of a larger input. */
	const at = (id) => document.getElementById(id);

	let page = null;  /* { request, begin, showError } of page.js */
	let file = null;  /* { source, shown } of the file that was opened; shown is in the text field */
	let given = "";   /* what this page has put into the text field */
	let chosen = "";  /* the name of the machine that is shown */

	function findMachine(name) {
		return firstpage.machines.find((m) => m.name === name);
	}

	/* Returns what a machine is, without what is odd about its map. */
	function titleOf(machine) {
		return machine.title.split(": ")[0];
	}

	/* Puts a machine, or null, into the list, its words below, and a text into the text field. */
	function setFields(machine, text) {
		chosen = machine ? machine.name : "";
		at("find").value = at("found").textContent = "";
		listMachines("");
		at("machine").value = chosen;
		at("about").textContent = machine ? machine.title : "";
		if (at("text").value !== text) /* Setting a long text takes a while. */
			at("text").value = text;
		given = at("text").value;
		file = null;
	}

	/* Shows a machine in the fields and returns it as a source. */
	function takeMachine(machine) {
		setFields(machine, machine.text);
		return { name: titleOf(machine), input: machine.text, machine: machine.name, number: 0, goes: false };
	}

	/* The same for a text. */
	function takeText(text) {
		setFields(null, text);
		return { name: "this map", input: text, machine: null, number: 0, goes: false };
	}

	/* Asks the page to show what is in the text field. */
	function showText() {
		const text = at("text").value;
		const same = firstpage.machines.find((m) => m.text === text);
		const opened = file && text === file.shown ? file.source : null;

		page.request({ ...(opened || (same ? takeMachine(same) : takeText(text))), goes: true }, {}, false);
	}

	/* Returns the text of bytes if the text field can show it as it is, else an empty text. */
	function textOf(bytes) {
		if (bytes.length > LARGEST_SHOWN || bytes.includes(0))
			return "";
		try {
			return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
		} catch {
			return "";
		}
	}

	/* Reads a file and asks the page to show it, unless something else was asked for meanwhile. */
	async function openFile(opened) {
		const isCurrent = page.begin(`Reading ${opened.name}…`);
		let bytes;

		try {
			bytes = new Uint8Array(await opened.slice(0, FILE_MAX).arrayBuffer());
		} catch (error) {
			page.showError(`${opened.name} cannot be read: ${error.message}`);
			return;
		}
		if (!isCurrent())
			return;
		const source = { name: opened.name, input: bytes, machine: null, number: 0, goes: true };
		setFields(null, textOf(bytes));
		file = { source, shown: at("text").value };
		page.request(source, {}, false);
	}

	/* ---- the list of machines ---- */

	/* Returns an option whose text is short enough for a list; the whole title stands below it. */
	function machineOption(machine) {
		const short = machine.title.length > 72 ? `${machine.title.slice(0, 70).trimEnd()}…` : machine.title;

		return make("option", { value: machine.name }, short);
	}

	function machineGroup(label, machines) {
		return machines.length ? [make("optgroup", { label }, ...machines.map(machineOption))] : [];
	}

	/* Fills the list with the machines whose name or title has all the words of a search. */
	function listMachines(search) {
		const words = search.toLowerCase().split(/\s+/);
		const has = (m) => words.every((word) => `${m.name} ${m.title}`.toLowerCase().includes(word));
		const isPlain = (m) => titleOf(m) === m.title;
		const found = firstpage.machines.filter(has), all = firstpage.machines.length;

		at("machine").replaceChildren(
			make("option", { value: "" }, search.trim() ? `${found.length} of ${all} machines: choose one`
				: `Choose one of ${all} machines`),
			...machineGroup("with something odd", found.filter((m) => !isPlain(m))),
			...machineGroup("with nothing odd", found.filter(isPlain)));
		return found;
	}

	/* Lists what the search finds; the machine that is shown stays chosen if it is among that. */
	function search() {
		const found = listMachines(at("find").value);

		if (found.some((m) => m.name === chosen))
			at("machine").value = chosen;
		at("found").textContent = at("find").value.trim()
			? `${mapView.plural(found.length, "machine", "machines")} found.` : "";
	}

	/* Shows the first machine that was found when Enter is pressed. */
	function searchKey(event) {
		const found = event.key === "Enter" ? listMachines(at("find").value) : [];

		if (found.length > 0)
			page.request(takeMachine(found[0]), {}, false);
	}

	/* ---- events ---- */

	/* Lets files be dropped anywhere on the page. */
	function listenForDrops() {
		const hasFile = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
		const mark = (on) => document.body.classList.toggle("dropping", on);

		document.addEventListener("dragover", (event) => {
			if (!hasFile(event))
				return;
			event.preventDefault();
			mark(true);
		});
		document.addEventListener("dragleave", (event) => mark(event.relatedTarget !== null));
		document.addEventListener("drop", (event) => {
			mark(false);
			if (!hasFile(event))
				return;
			event.preventDefault();
			if (event.dataTransfer.files[0])
				openFile(event.dataTransfer.files[0]);
		});
	}

	/* Lets what is pasted replace a map that this page has put there and nobody has edited. */
	function selectForPaste() {
		const text = at("text");

		if (text.value === given && text.selectionStart === text.selectionEnd)
			text.select();
	}

	/* Starts to listen. The page's functions are those that `page` above lists. */
	function listen(functions) {
		page = functions;
		at("find").addEventListener("input", search);
		at("find").addEventListener("keydown", searchKey);
		at("machine").addEventListener("change", () => {
			const machine = findMachine(at("machine").value);

			if (machine)
				page.request(takeMachine(machine), {}, false);
		});
		at("show").addEventListener("click", showText);
		at("text").addEventListener("paste", selectForPaste);
		at("file").addEventListener("change", () => {
			if (at("file").files[0])
				openFile(at("file").files[0]);
			at("file").value = "";
		});
		listenForDrops();
	}

	return { findMachine, takeMachine, takeText, listen };
})();
