"use strict";
/*
 * page.js: runs `replay` on the map that input.js or the address gives, and puts the result, or the
 * words of the error, on the page.
 *
 * Runs are synchronous and may take a while, so each is preceded by "Working…" and a chance for the
 * browser to draw it. Only the last request counts.
 */
(() => {
	const FIRST = "asus-z690-a"; /* The map that is shown when the address names none. */
	const LONG_ADDRESS = 2000; /* Characters of an address that any program passes on. */

	const at = (id) => document.getElementById(id);
	const state = {
		request: 0,      /* counts requests, to drop all but the last */
		source: null,    /* what was asked for, as input.js has it */
		map: "",         /* the map that was read, as a map file */
		params: {},      /* the allocator's part of the address */
	};

	function setStatus(text) {
		at("status").textContent = text;
	}

	/* Says whether a run is going on, to those who do not see the page and to tests. */
	function setBusy(busy) {
		at("main").setAttribute("aria-busy", String(busy));
	}

	/* Calls work after the browser has drawn what is on the page now, or has had time for it. */
	function afterDrawing(work) {
		let done = false;
		const once = () => {
			if (!done) {
				done = true;
				work();
			}
		};

		requestAnimationFrame(() => setTimeout(once, 0));
		setTimeout(once, 300); /* A page in the background is not drawn. */
	}

	function clearResult() {
		at("error").hidden = true;
		at("error").textContent = "";
		at("several").hidden = true;
		at("result").replaceChildren();
		at("allocator").replaceChildren();
		at("allocator").hidden = true;
	}

	/* Shows words about an error in place of any result. */
	function showError(words) {
		clearResult();
		setStatus("");
		setBusy(false);
		at("error").textContent = words.trimEnd();
		at("error").hidden = false;
	}

	/* ---- the address ---- */

	function addressNow() {
		const named = state.source.machine ? { machine: state.source.machine } : { map: state.map };

		return pageAddress.write(named, state.params);
	}

	/* Writes the address; step: it belongs to the map that is shown, so Back does not stop at it. */
	function writeAddress(hash, step) {
		if (hash === location.hash || (hash === "#" && location.hash === ""))
			return;
		try {
			if (step)
				history.replaceState(null, "", hash);
			else
				history.pushState(null, "", hash);
		} catch {
			/* Browsers limit how often the address may change; the next change has it. */
		}
	}

	/* Takes over what the allocator wants in the address. */
	function allocatorChanged(params) {
		state.params = params;
		writeAddress(addressNow(), true);
	}

	/* ---- a run ---- */

	/* Offers the other maps of an input, if the words of replay say that there are several. */
	function offerMaps(err) {
		const match = /map (\d+) of (\d+) \(--map N for another\)/.exec(err);

		at("several").hidden = !match;
		if (!match)
			return;
		const numbers = Array.from({ length: Math.min(Number(match[2]), 1000) }, (_, i) => i + 1);
		at("number").replaceChildren(...numbers.map((n) =>
			make("option", { value: String(n), selected: n === Number(match[1]) }, `Map ${n} of ${match[2]}`)));
	}

	function shareSection() {
		const length = location.href.length;
		const hints = ["The address of this page has the map in it, and the steps of the allocator."];

		if (location.protocol === "file:")
			hints.push("This page is a file: the link works where the file lies in the same place.");
		if (length > LONG_ADDRESS)
			hints.push(`The link has ${length.toLocaleString("en")} characters; some programs cut such a long one off.`);
		return make("div", { className: "share" }, mapView.copyButton("Copy a link to this", () => location.href),
			make("p", { className: "muted" }, hints.join(" ")));
	}

	/* Returns where the map was read: the origin that a map file names in its first line. */
	function originText(map) {
		const match = /^# from standard input: (.*)$/m.exec(map);

		return match && !state.source.machine ? `Read as: ${match[1]}.` : "";
	}

	function showResult(json, svg, notes) {
		const result = JSON.parse(json);
		const origin = originText(state.map);

		at("result").replaceChildren(
			make("h2", { id: "result-heading" }, `What becomes of ${state.source.name}`),
			...(origin && !notes ? [make("p", { className: "muted" }, origin)] : []),
			...(notes ? [make("p", { className: "notes" }, notes)] : []),
			shareSection(), ...mapView.sections(result, svg), mapView.jsonSection(json));
		mapView.markScrollers(at("result"));
		setStatus("Done. The result is below.");
	}

	/* Shows a map that was read and does not boot: the words, and the picture of the map alone. */
	function showFailedBoot(err, svg) {
		const drawing = svg && mapView.picture(svg);

		showError(err);
		if (drawing)
			at("result").replaceChildren(make("h2", {}, "The map as it was read"), mapView.pictureSection(drawing));
	}

	/* Shows the allocator on the map; what it wants in the address counts while the map is shown. */
	function showAllocatorOf(map, isCurrent) {
		const changed = (params) => {
			if (isCurrent())
				allocatorChanged(params);
		};

		at("allocator").hidden = false;
		try {
			showAllocator(at("allocator"), map, { ...state.params, changed });
		} catch (error) {
			at("allocator").replaceChildren(make("h2", {}, "The allocator at work"),
				make("p", { className: "error", role: "alert" }, faultText(error)));
		}
	}

	/* Goes to the result, for those who have asked for it by a button that it may be far from. */
	function goToResult(boots) {
		if (!boots)
			return at("error").scrollIntoView({ block: "nearest" });
		at("result").focus({ preventScroll: true });
		return at("result").scrollIntoView();
	}

	/*
	 * Runs replay on the source and shows what it says; returns whether the map boots. step: the address
	 * is replaced, not added.
	 */
	function run(step) {
		const options = state.source.number ? { map: state.source.number } : {};
		const read = firstpage.run(state.source.input, "map-file", options);

		if (failed(read)) {
			showError(read.err);
			offerMaps(read.err);
			if (!step)
				writeAddress("#", false); /* No map: there is nothing to share. */
			return false;
		}
		state.map = read.out;
		writeAddress(addressNow(), step);
		/* The map that was read is run, not the whole log again. */
		const booted = firstpage.run(state.map, "json");
		const drawn = firstpage.run(state.map, "svg", { name: state.source.machine || "your map" });
		const svg = drawn.out;
		if (failed(booted))
			showFailedBoot(booted.err, svg);
		else
			showResult(booted.out, svg, (read.err + booted.err + (failed(drawn) ? drawn.err : "")).trim());
		offerMaps(read.err);
		return !failed(booted);
	}

	/* Returns whether a run has no result: 1 means that it has one, and that a check fails. */
	function failed(ran) {
		return ran.status !== 0 && ran.status !== 1;
	}

	function faultText(error) {
		return `This page has failed, and the fault is its own: ${error.message}`;
	}

	/* Calls work unless something else was begun meanwhile; shows its faults. */
	function whileCurrent(isCurrent, work) {
		if (!isCurrent())
			return;
		try {
			work();
		} catch (error) {
			showError(faultText(error));
		}
	}

	/* Runs a source and shows the result, then the allocator. */
	function runAll(isCurrent, step) {
		const boots = run(step);

		if (state.source.goes)
			goToResult(boots);
		if (!boots || typeof showAllocator !== "function")
			return setBusy(false);
		return afterDrawing(() => whileCurrent(isCurrent, () => {
			showAllocatorOf(state.map, isCurrent);
			setBusy(false);
		}));
	}

	/*
	 * Takes the result away, and says what the page is doing. Returns a function that says whether
	 * nothing else was begun since.
	 */
	function begin(words) {
		clearResult();
		setStatus(words);
		setBusy(true);
		const number = ++state.request;
		return () => number === state.request;
	}

	/* Runs and shows a source, after "Working…". */
	function request(source, params, step) {
		const isCurrent = begin("Working…");

		state.source = source;
		state.params = params;
		document.title = `${source.name}: firstpage`;
		afterDrawing(() => whileCurrent(isCurrent, () => runAll(isCurrent, step)));
	}

	/* ---- the start ---- */

	/* Shows what the address asks for; without a map in it, the first machine. */
	function fromAddress() {
		const asked = pageAddress.read(location.hash);
		const name = asked.machine === null ? FIRST : asked.machine;
		const machine = mapInput.findMachine(name);

		begin("");
		if (asked.problem || (asked.map === null && !machine)) {
			mapInput.takeText("");
			return showError(asked.problem ||
				`The address asks for the machine "${name.slice(0, 60)}". No machine of this page has that name.`);
		}
		if (asked.map !== null)
			return request(mapInput.takeText(asked.map), asked.params, true);
		return request(mapInput.takeMachine(machine), asked.params, true);
	}

	function listen() {
		at("number").addEventListener("change", () => {
			request({ ...state.source, number: Number(at("number").value), goes: false }, {}, false);
		});
		at("skip").addEventListener("click", (event) => {
			event.preventDefault(); /* The address is not for it. */
			at("result").focus();
		});
		window.addEventListener("hashchange", fromAddress);
		window.addEventListener("resize", () => mapView.markScrollers(at("result")));
		mapInput.listen({ request, begin, showError });
	}

	/* Says why the page cannot work in this browser, and switches its controls off. */
	function refuse(words) {
		at("problem").textContent = words;
		at("problem").hidden = false;
		setBusy(false);
		for (const control of document.querySelectorAll("main input, main select, main textarea, main button"))
			control.disabled = true;
	}

	function start() {
		at("count").textContent = String(firstpage.machines.length);
		if (firstpage.problem)
			return refuse(firstpage.problem);
		listen();
		return fromAddress();
	}

	start();
})();
