// Somebody's own images with their labels, for as long as the page is open.

import { SIDE } from './idx.js';

/** `label` is null until somebody says it; what is `drawn` is in no file. @typedef {{image: Uint8Array, label: number | null, drawn: boolean}} Item */

/** With fewer there is nothing to learn. */
export const LEAST = 10;
/** As many as a list can be looked through. */
export const MOST = 1000;

export class Collection {
  /** @type {Item[]} */
  items = [];

  get isFull() {
    return this.items.length >= MOST;
  }

  /** @param {Uint8Array} image @param {number | null} label */
  add(image, label, drawn = false) {
    this.items.push({ image, label, drawn });
  }

  /** @param {number} k */
  remove(k) {
    this.items.splice(k, 1);
  }

  /** @param {number} k @param {number | null} label */
  relabel(k, label) {
    const item = this.items[k];
    if (item) item.label = label;
  }

  /** Images of each digit. */
  get counts() {
    return Array.from({ length: 10 }, (_, digit) => this.items.filter(({ label }) => label === digit).length);
  }

  get unlabelled() {
    return this.items.filter(({ label }) => label === null).length;
  }

  get hasDrawings() {
    return this.items.some(({ drawn }) => drawn);
  }

  /** Whether they can be trained on. */
  get isReady() {
    return this.items.length >= LEAST && this.unlabelled === 0;
  }

  /** As they are now. @returns {import('../protocol.js').OwnData} */
  dataSet() {
    const { length: count } = this.items;
    const images = new Uint8Array(count * SIDE * SIDE);
    this.items.forEach(({ image }, k) => images.set(image, k * SIDE * SIDE));
    const labels = Uint8Array.from(this.items, ({ label }) => label ?? 0);
    return { name: null, found: count, count, images, labels, turned: false };
  }
}
