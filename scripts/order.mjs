// The order of a module's functions. gzip remembers 32 KiB, and an engine's code is a dozen times that: where functions that are
// alike stand side by side, it finds what repeats.

import { Explained } from './command.mjs';
import { CODE, CUSTOM, IMPORTS, find, named, number, reader, section } from './sections.mjs';

/** How far back gzip looks, in bytes. */
const WINDOW = 1 << 15;
/** In so many functions a word is nothing that two have in common. */
const COMMON = 20;
/** What is added to a function's number of words, so that not the shortest come first. */
const SHORT = 30;

/**
 * @param {Uint8Array} wasm
 * @returns {Uint8Array} the same, with its functions named by their best places: to be put into the order of their names
 */
export function placed(wasm) {
  const first = countImports(wasm);
  const order = bySimilarity(bodies(wasm));
  const digits = String(order.length).length;
  const place = new Map(order.map((index, at) => [first + index, String(at).padStart(digits, '0')]));
  const names = [...place.keys()].sort((a, b) => a - b).flatMap((index) => [...number(index), ...named(place.get(index) ?? '')]);
  const functions = [...number(order.length), ...names];
  return Buffer.concat([wasm, section(CUSTOM, [...named('name'), 1, ...number(functions.length), ...functions])]);
}

/** How many functions a module imports, and nothing else. @param {Uint8Array} wasm */
function countImports(wasm) {
  const imports = reader(find(wasm, IMPORTS)?.content ?? Uint8Array.of(0));
  const count = imports.number();
  for (let i = 0; i < count; i++) {
    const name = [imports.text(), imports.text()].join('.');
    if (imports.number() !== 0) throw new Explained(`The module imports ${name}, which is no function: see scripts/order.mjs.`);
    imports.number();
  }
  return count;
}

/** A module's functions, in its order. @param {Uint8Array} wasm */
export function bodies(wasm) {
  const code = reader(find(wasm, CODE)?.content ?? Uint8Array.of(0));
  return Array.from({ length: code.number() }, () => code.slice(code.number()));
}

/**
 * Each next one has the most words in common with what stands before it within reach, for its length.
 * @param {Uint8Array[]} texts
 * @returns {number[]} their indices
 */
export function bySimilarity(texts) {
  const words = texts.map(wordsOf);
  /** @type {Map<number, number[]>} which texts have a word */
  const holders = new Map();
  words.forEach((own, i) => own.forEach((word) => holders.set(word, (holders.get(word) ?? []).concat(i))));
  const isTelling = (/** @type {number} */ word) => {
    const count = holders.get(word)?.length ?? 0;
    return count > 1 && count <= COMMON;
  };
  const telling = words.map((own) => [...own].filter(isTelling));

  /** @type {Map<number, number>} how often a word is within reach */
  const inReach = new Map();
  const shared = new Int32Array(texts.length);
  const count = (/** @type {number} */ text, /** @type {1 | -1} */ by) => {
    for (const word of telling[text]) {
      const before = inReach.get(word) ?? 0;
      inReach.set(word, before + by);
      if (before === 0 || before + by === 0) for (const holder of holders.get(word) ?? []) shared[holder] += by;
    }
  };
  const left = new Set(texts.keys());
  /** @type {number[]} */
  const order = [];
  for (let reach = 0, oldest = 0; left.size > 0; ) {
    let [next] = left;
    let best = -1;
    for (const text of left) {
      const likeness = shared[text] / (words[text].size + SHORT);
      if (likeness > best) [next, best] = [text, likeness];
    }
    left.delete(next);
    order.push(next);
    count(next, 1);
    for (reach += texts[next].length; reach > WINDOW && oldest < order.length - 1; oldest++) {
      reach -= texts[order[oldest]].length;
      count(order[oldest], -1);
    }
  }
  return order;
}

/** All runs of four bytes. @param {Uint8Array} text */
function wordsOf(text) {
  const bytes = new DataView(text.buffer, text.byteOffset, text.byteLength);
  return new Set(Array.from({ length: Math.max(0, text.length - 3) }, (_, i) => bytes.getUint32(i)));
}
