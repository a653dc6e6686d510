/*
 * page_view.js: what tests/page_view.py asks a page: what is shown, and whether it can be read and used.
 * It is evaluated in the page, and leaves one name there, `view`.
 */
"use strict";
globalThis.view = (() => {
	const CONTROLS = "button, input, select, textarea, summary, a[href], [tabindex='0']";

	const at = (id) => document.getElementById(id);

	/* Returns whether an element has a box that is not hidden. */
	function isShown(element) {
		return element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
	}

	/* Returns all elements below root, those of shadow trees too. */
	function elementsBelow(root) {
		return [...root.querySelectorAll("*")].flatMap((element) =>
			element.shadowRoot ? [element, ...elementsBelow(element.shadowRoot)] : [element]);
	}

	/* Returns the elements that have text of their own that is shown. */
	function textElements() {
		const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
		const skipped = "style, script, title, desc, option, optgroup, noscript";

		return elementsBelow(document.body).filter((element) => hasText(element) && !element.matches(skipped) &&
			!element.closest("details:not([open]) > :not(summary)") && isShown(element));
	}

	/* Returns a short name of an element, for a message. */
	function nameOf(element) {
		const text = (element.textContent || element.id || "").trim().slice(0, 40);

		return `<${element.localName}${element.id ? " #" + element.id : ""}> ${text}`;
	}

	/* Returns a colour that CSS computed as [red, green, blue, alpha], 0 to 255 and 0 to 1. */
	function colourOf(text) {
		const numbers = text.match(/[\d.]+/g).map(Number);

		return text.startsWith("color(") ? [...numbers.slice(0, 3).map((n) => n * 255), numbers[3] ?? 1]
			: [...numbers.slice(0, 3), numbers[3] ?? 1];
	}

	/* Returns the colour of top, which may be transparent, on below. */
	function blend(top, below) {
		return [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	}

	/* Returns the parent of an element; that of a shadow tree is its host. */
	function parentOf(element) {
		return element.parentElement || (element.getRootNode().host ?? null);
	}

	/* Returns the colours that may lie behind an element: several if there is a gradient. */
	function backgroundsOf(element) {
		const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
		const below = element ? backgroundsOf(parentOf(element)) : [canvas];

		if (!element)
			return below;
		const { backgroundColor, backgroundImage } = getComputedStyle(element);
		const plain = below.map((colour) => blend(colourOf(backgroundColor), colour));
		const stops = backgroundImage.match(/(?:rgba?|color)\([^)]*\)/g) || [];
		return plain.concat(stops.flatMap((stop) => plain.map((colour) => blend(colourOf(stop), colour))));
	}

	function luminance(colour) {
		const [r, g, b] = colour.slice(0, 3).map((n) => n / 255)
			.map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));

		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	}

	/* Returns the contrast of two colours, as WCAG 2 defines it: 1 to 21. */
	function contrast(one, two) {
		const [low, high] = [luminance(one), luminance(two)].sort((a, b) => a - b);

		return (high + 0.05) / (low + 0.05);
	}

	/* Returns the product of the opacities of an element and of those that it is in. */
	function opacityOf(element) {
		return element ? Number(getComputedStyle(element).opacity) * opacityOf(parentOf(element)) : 1;
	}

	/* Returns the least contrast that the text of an element has to what may lie behind it. */
	function textContrast(element) {
		const { color } = getComputedStyle(element);
		const ink = colourOf(color);

		ink[3] *= opacityOf(element);
		return Math.min(...backgroundsOf(element).map((colour) => contrast(blend(ink, colour), colour)));
	}

	/* Returns the pixels that the text of an element has on the screen: a drawing may be scaled. */
	function fontSize(element) {
		const size = parseFloat(getComputedStyle(element).fontSize);
		const matrix = element instanceof SVGGraphicsElement ? element.getScreenCTM() : null;

		return matrix ? size * Math.hypot(matrix.a, matrix.b) : size;
	}

	/*
	 * Returns the texts that are smaller than so many pixels. The letters in the cells of the allocator's
	 * pictures are left out: they double the cells' colours, and the line below says them in words.
	 */
	function smallTexts(least) {
		return textElements().filter((element) => !element.matches(".alloc-cell") && fontSize(element) < least - 0.01)
			.map((element) => `${fontSize(element).toFixed(1)} px: ${nameOf(element)}`);
	}

	/* Returns the texts with less contrast than least; what is switched off or drawn as SVG is left out. */
	function faintTexts(least) {
		return textElements().filter((element) => !(element instanceof SVGElement) && !element.closest(":disabled") &&
			textContrast(element) < least).map((element) => `${textContrast(element).toFixed(2)}: ${nameOf(element)}`);
	}

	/* Returns by how many pixels the page is wider than the window, and what sticks out. */
	function tooWide() {
		const root = document.documentElement;
		const by = root.scrollWidth - root.clientWidth;

		if (by <= 0)
			return [];
		return [`${by} px`, ...[...document.querySelectorAll("body *")].filter((element) =>
			element.getBoundingClientRect().right > root.clientWidth + 0.5 && !element.closest(".scroll *"))
			.slice(0, 8).map(nameOf)];
	}

	/* Returns the controls that Tab should reach, as elements. */
	function controls() {
		return [...document.querySelectorAll(CONTROLS)].filter((element) =>
			element.tabIndex >= 0 && !element.disabled && isShown(element));
	}

	/* Remembers the controls and moves the focus before the first. Returns how many they are. */
	function beginTabs() {
		view.wanted = controls();
		document.activeElement.blur();
		getSelection().collapse(document.body, 0);
		return view.wanted.length;
	}

	/* Returns which control has the focus, -1 for none, and whether one sees that. */
	function focused() {
		const element = document.activeElement;
		const { outlineStyle, outlineWidth } = getComputedStyle(element);

		return [view.wanted.indexOf(element), outlineStyle !== "none" && parseFloat(outlineWidth) >= 1];
	}

	/* Returns the names of controls by their places in what beginTabs() remembered. */
	function controlNames(places) {
		return places.map((place) => nameOf(view.wanted[place]));
	}

	/* Returns whether the page is at rest: no run of replay is on the way. */
	function isIdle() {
		return !/^(Working|Reading)/.test(at("status").textContent);
	}

	/* Returns the words of the error that is shown, or an empty text. */
	function errorText() {
		return at("error").hidden ? "" : at("error").textContent;
	}

	/* Returns what is shown of a map. */
	function mapShown() {
		const texts = (selector) => [...document.querySelectorAll(selector)].map((element) => element.textContent);

		return {
			corrections: texts("#result .correction li").length,
			correctionWords: [...document.querySelectorAll("#result section")]
				.filter((part) => part.querySelector("h3")?.textContent === "Corrections")
				.map((part) => part.querySelector("p").textContent).join(),
			zones: texts("#result [aria-label=Zones] tbody tr th"),
			pictures: document.querySelectorAll("#result .picture").length,
			json: texts("#json")[0] ?? null,
			heading: texts("#result-heading")[0] ?? "",
		};
	}

	/* Returns what is shown of the allocator. `step` has the number of steps, the rest has not. */
	function allocatorShown() {
		const section = at("allocator");
		const texts = (selector) => [...section.querySelectorAll(selector)].map((element) => element.textContent);
		const letter = (cell) => (cell.className.match(/alloc-is-(\w+)/) || ["", "?"])[1].replace("none", "-");
		const cells = (level) => [...section.querySelectorAll(`[id^=alloc-${level}-]`)];

		return {
			step: texts(".alloc-story").length ? section.querySelector(".alloc-story").previousElementSibling.textContent : "",
			error: texts(".alloc-error").join(""),
			shown: {
				story: texts(".alloc-story li"),
				cells: ["block", "gib", "shelf"].map((level) => cells(level).map(letter).join("")),
				looks: ["block", "gib", "shelf"].map((level) => cells(level).map((cell) => cell.className).join("|")),
				titles: texts(".alloc-picture h4, .alloc-legend"),
				tables: texts(".alloc-tables"),
			},
		};
	}

	/* Drops a file with this name and text on the page. */
	function drop(name, text) {
		const dataTransfer = new DataTransfer();

		dataTransfer.items.add(new File([text], name, { type: "text/plain" }));
		for (const type of ["dragenter", "dragover", "drop"])
			document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
	}

	/* Gives a field a value, as a user does. */
	function setValue(id, value) {
		at(id).value = value;
		at(id).dispatchEvent(new Event("input", { bubbles: true }));
		at(id).dispatchEvent(new Event("change", { bubbles: true }));
	}

	/* Returns how light a picture is, 0 to 255, and how many colours it has. data is a PNG in base64. */
	async function pictureOf(data) {
		const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
		const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
		const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");

		context.drawImage(bitmap, 0, 0);
		const pixels = new Uint32Array(context.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
		const light = pixels.reduce((sum, pixel) => sum + ((pixel >> 8) & 255), 0) / pixels.length;
		return [light, new Set(pixels).size, bitmap.width, bitmap.height];
	}

	return { tooWide, smallTexts, faintTexts, beginTabs, focused, controlNames, isIdle, errorText, mapShown,
		allocatorShown, drop, setValue, pictureOf };
})();
