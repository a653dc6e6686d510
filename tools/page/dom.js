"use strict";
/* dom.js: makes elements, and writes sizes, for all of the page. */

/*
 * Returns a new element. Of its properties, functions are listeners of the event that they are named
 * for; the others are properties or, where the element has none of that name, attributes. Children
 * are nodes or text.
 */
function make(tag, properties = {}, ...children) {
	const element = document.createElement(tag);

	for (const [key, value] of Object.entries(properties)) {
		if (typeof value === "function")
			element.addEventListener(key, value);
		else if (key in element && key !== "role")
			element[key] = value;
		else
			element.setAttribute(key, value);
	}
	element.append(...children);
	return element;
}

/* Returns a number of bytes, a number or a BigInt, in words, rounded down as in the picture: 1.5 GiB. */
function sizeText(bytes) {
	const units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let n = Number(bytes), unit = 0;

	for (; n >= 1024 && unit < units.length - 1; unit++)
		n /= 1024;
	return `${n < 100 ? Math.floor(n * 10) / 10 : Math.floor(n)} ${units[unit]}`;
}
