// Whether a page's parts stand clear of one another.

import assert from 'node:assert/strict';

/** @typedef {{what: string, left: number, top: number, right: number, bottom: number}} Box */

/**
 * The boxes of what is shown and meant to be read or pressed: controls, and lines of text. Neither within the other.
 * @param {import('playwright-core').Page} page
 * @returns {Promise<Box[]>}
 */
const boxesOf = (page) =>
  page.evaluate(() => {
    const isControl = (/** @type {Element} */ element) => element.matches('button, select, input, a, summary, canvas');
    /** @param {Element} element */
    const isShown = (element) =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest('.skip, .announce, .unseen, [aria-hidden="true"]:not(.digits)');
    /** @type {{what: string, left: number, top: number, right: number, bottom: number}[]} */
    const boxes = [];
    const sticky = [...document.querySelectorAll('.plate, .settings header')].filter((element) => isShown(element) && getComputedStyle(element).position === 'sticky');
    /** As much as its scrolling ancestors let show, and what stays in view above it. @param {string} what @param {Element} element @param {{left: number, top: number, right: number, bottom: number}} rect */
    const add = (what, element, { left, top, right, bottom }) => {
      for (let outer = element.parentElement; outer && outer !== document.body; outer = outer.parentElement) {
        if (getComputedStyle(outer).overflowX === 'visible') continue;
        const clip = outer.getBoundingClientRect();
        [left, right] = [Math.max(left, clip.left), Math.min(right, clip.right)];
        [top, bottom] = [Math.max(top, clip.top), Math.min(bottom, clip.bottom)];
      }
      for (const cover of sticky) {
        const over = cover.getBoundingClientRect();
        if (!cover.contains(element) && top < over.bottom && bottom > over.top && left < over.right && right > over.left) top = over.bottom;
      }
      if (right > left && bottom > top) boxes.push({ what, left, top: top + scrollY, right, bottom: bottom + scrollY });
    };
    for (const element of document.querySelectorAll('body *')) {
      if (!isShown(element)) continue;
      const name = `${element.tagName.toLowerCase()}#${element.id}.${element.className}`;
      if (isControl(element)) {
        if (!element.parentElement?.closest('button, a, summary')) add(`${name} ${element.textContent.trim().slice(0, 30)}`, element, element.getBoundingClientRect());
        continue;
      }
      if (element.closest('button, select, a, summary, svg, canvas')) continue;
      for (const node of element.childNodes) {
        if (node.nodeType !== Node.TEXT_NODE || !node.textContent?.trim()) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        // A line's box is taller than its letters, and tight lines may share the difference.
        const half = 0.36 * Number.parseFloat(getComputedStyle(element).fontSize);
        for (const { left, right, top, bottom } of range.getClientRects()) {
          const middle = (top + bottom) / 2;
          add(`${name} “${node.textContent.trim().slice(0, 30)}”`, element, { left, right, top: middle - half, bottom: middle + half });
        }
      }
    }
    return boxes;
  });

/** How far two boxes reach into each other before they count as overlapping, px. */
const SLACK = 2;

/** @param {Box} a @param {Box} b */
const overlap = (a, b) =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK;

/** No sideways scrolling, nothing beyond an edge, nothing on top of something else. @param {import('playwright-core').Page} page */
export async function assertFits(page) {
  const { scrollWidth, width } = await page.evaluate(() => ({ scrollWidth: document.documentElement.scrollWidth, width: innerWidth }));
  assert.ok(scrollWidth <= width, `the page is ${scrollWidth} px wide in a window of ${width}`);
  const boxes = await boxesOf(page);
  assert.ok(boxes.length > 10, `only ${boxes.length} boxes`);
  const out = boxes.filter(({ left, right }) => left < -1 || right > width + 1);
  assert.deepEqual(out, [], 'beyond an edge');
  const clashes = boxes.flatMap((a, k) => boxes.slice(k + 1).filter((b) => overlap(a, b)).map((b) => `${a.what} ${at(a)} × ${b.what} ${at(b)}`));
  assert.deepEqual(clashes, [], 'overlapping');
}

/** @param {Box} box */
const at = ({ left, top, right, bottom }) => `[${[left, top, right, bottom].map(Math.round)}]`;
